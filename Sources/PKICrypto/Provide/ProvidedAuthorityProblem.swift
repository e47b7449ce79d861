/// One thing that is wrong with a root or a key that an operator brought.
package struct ProvidedAuthorityProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Field: String, Hashable, Sendable, CaseIterable {
        case certificate
        case key
    }

    /// Where it is.
    package let field: Field
    /// A sentence for a person: what is wrong, then what to do. Holds nothing of the key.
    package let reason: String

    package init(_ field: Field, _ reason: String) {
        self.field = field
        self.reason = reason
    }

    package var description: String { "\(field.rawValue): \(reason)" }
}
