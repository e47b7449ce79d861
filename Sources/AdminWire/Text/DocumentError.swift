/// Why a text is not the documents that it should be: every fault that was found, each with its line and field.
package struct DocumentError: Error, Hashable, Sendable {
    /// One fault.
    package struct Issue: Hashable, Sendable {
        /// Counted from 1; nil where no single line is at fault.
        package var line: Int?
        /// A dotted path such as `mtls.backends[0].name`; empty for the text as a whole.
        package var field: String
        /// What is wrong and what to do about it.
        package var reason: String

        package init(line: Int?, field: String, reason: String) {
            self.line = line
            self.field = field
            self.reason = reason
        }
    }

    /// Which document of the text, counted from 1; nil when the text could not be taken apart.
    package var document: Int?
    /// At least one.
    package var issues: [Issue]

    package init(document: Int? = nil, issues: [Issue]) {
        self.document = document
        self.issues = issues
    }

    package init(line: Int?, field: String = "", reason: String) {
        self.init(issues: [Issue(line: line, field: field, reason: reason)])
    }
}

extension DocumentError.Issue: CustomStringConvertible {
    /// `line 4: mtls.backends[0].typ: …`
    package var description: String {
        [line.map { "line \($0)" }, field.isEmpty ? nil : field, reason].compactMap { $0 }.joined(separator: ": ")
    }
}

extension DocumentError: CustomStringConvertible {
    /// One line: the document's number, then every fault.
    package var description: String {
        let faults = issues.map(\.description).joined(separator: "; ")
        return document.map { "document \($0), \(faults)" } ?? faults
    }
}
