/// One node of a parsed YAML or JSON text, with the line that it begins on.
package struct DocumentNode: Sendable, Hashable {
    /// Counted from 1 in the whole text, however many documents it holds.
    package var line: Int
    package var content: Content

    package enum Content: Sendable, Hashable {
        case flag(Bool)
        /// In the order of the text; no key occurs twice.
        case mapping([Entry])
        case null
        /// As written, and a number of the JSON grammar: nothing is rounded on the way through.
        case number(String)
        case sequence([DocumentNode])
        case text(String)
    }

    package struct Entry: Sendable, Hashable {
        package var key: String
        /// The line of the key.
        package var line: Int
        package var value: DocumentNode

        package init(key: String, line: Int, value: DocumentNode) {
            self.key = key
            self.line = line
            self.value = value
        }
    }

    package init(line: Int, content: Content) {
        self.line = line
        self.content = content
    }

    /// What the node is, for a message that says what was found in place of what is needed.
    package var kindName: String {
        switch content {
        case .flag(let value): "the boolean \(value)"
        case .mapping: "a mapping"
        case .null: "nothing"
        case .number(let text): "the number \(text)"
        case .sequence: "a list"
        case .text(let text): "the text '\(DocumentNode.excerpt(of: text))'"
        }
    }

    /// At most 60 characters of a value from outside, for a message: what shows nothing by itself, or would turn round or break
    /// the line that it stands in, is escaped as `\u{202e}`.
    package static func excerpt(of text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(60) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return text.unicodeScalars.count > 60 ? shown + "…" : shown
    }
}
