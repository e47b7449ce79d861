/// Why somebody does something, in a person's words.
package enum ReasonText {
    /// A sentence or two; more belongs into a ticket that it names.
    package static let mostCharacters = 500

    /// What is wrong with it, to be read after its name; nil: nothing.
    package static func fault(_ text: String) -> String? {
        if text.unicodeScalars.count > mostCharacters { return "has more than the \(mostCharacters) characters accepted" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            return "has a line end or another control character: write one line"
        }
        return text.unicodeScalars.allSatisfy(\.properties.isWhitespace) ? "says nothing: say why" : nil
    }
}

extension FieldReader {
    /// A sentence for the audit trail, on one line.
    mutating func reason(_ fields: Fields, isRequired: Bool = false) -> String? {
        guard let text = text(fields, "reason", isRequired: isRequired) else { return nil }
        guard let fault = ReasonText.fault(text) else { return text }
        self.fault(fields.line(of: "reason"), fields.path(of: "reason"), fault)
        return nil
    }
}
