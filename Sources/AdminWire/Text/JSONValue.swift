/// A JSON value that keeps the order of its members and the spelling of its numbers.
package indirect enum JSONValue: Sendable, Hashable {
    case array([JSONValue])
    case bool(Bool)
    case null
    /// A number of the JSON grammar, as written.
    case number(String)
    case object([Member])
    case string(String)

    package struct Member: Sendable, Hashable {
        package var key: String
        package var value: JSONValue

        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package init(_ node: DocumentNode) {
        switch node.content {
        case .flag(let value): self = .bool(value)
        case .mapping(let entries): self = .object(entries.map { Member($0.key, JSONValue($0.value)) })
        case .null: self = .null
        case .number(let text): self = .number(text)
        case .sequence(let nodes): self = .array(nodes.map { JSONValue($0) })
        case .text(let text): self = .string(text)
        }
    }

    /// Parses JSON text, within the bounds of `DocumentText`.
    package init(parsing text: String) throws(DocumentError) {
        self.init(try JSONReader.parse(Array(text.utf8)))
    }

    /// The member of an object by its key.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// The elements of an array; nil for anything else.
    package var elements: [JSONValue]? {
        if case .array(let values) = self { values } else { nil }
    }

    /// The text of a string; nil for anything else.
    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// Compact JSON, members in their order.
    package var json: String {
        switch self {
        case .array(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .bool(let value): value ? "true" : "false"
        case .null: "null"
        case .number(let text): text
        case .object(let members):
            "{" + members.map { JSONValue.quoted($0.key) + ":" + $0.value.json }.joined(separator: ",") + "}"
        case .string(let text): JSONValue.quoted(text)
        }
    }

    /// A JSON string literal, which is a YAML double-quoted scalar too.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            // Line separators end a line in YAML 1.1; the C1 controls and the last two of the plane are not printable there.
            case _
            where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0x2028
                || scalar.value == 0x2029 || scalar.value == 0xFEFF || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
