/// What is wrong with a certificate profile, and where.
package struct ProfileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    /// Counted from 1.
    package var line: Int
    /// The path of keys to the field, joined by dots; empty for the document.
    package var field: String
    package var problem: String

    package init(file: String, line: Int, field: String, problem: String) {
        self.file = file
        self.line = line
        self.field = field
        self.problem = problem
    }

    package var description: String {
        field.isEmpty ? "\(file):\(line): \(problem)" : "\(file):\(line): \(field): \(problem)"
    }
}
