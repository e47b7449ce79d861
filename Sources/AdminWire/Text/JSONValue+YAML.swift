extension JSONValue {
    /// Block-style YAML, ending in a line feed, that every YAML parser reads back as the same value.
    package var yaml: String {
        switch self {
        case .array(let values) where !values.isEmpty: block(indent: 0)
        case .object(let members) where !members.isEmpty: block(indent: 0)
        default: inline + "\n"
        }
    }

    private func block(indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        switch self {
        case .object(let members):
            return members.map { member in
                let key = JSONValue.scalar(member.key)
                let isImplicit = key.utf8.count <= JSONValue.longestImplicitKey
                let begin = isImplicit ? margin + key + ":" : margin + "? " + key + "\n" + margin + ":"
                return begin + member.value.afterKey(indent: indent)
            }.joined()
        case .array(let values):
            return values.map { value in
                guard value.isBlock else { return margin + "- " + value.inline + "\n" }
                return margin + "- " + value.block(indent: indent + 2).dropFirst(indent + 2)
            }.joined()
        default:
            return margin + inline + "\n"
        }
    }

    /// A key with more than 1024 characters before its colon is none (YAML 1.2, 7.4.2): such a one is announced by a question mark.
    private static let longestImplicitKey = 1000

    private func afterKey(indent: Int) -> String {
        guard isBlock else { return " " + inline + "\n" }
        // A list stands under its key at the key's own column, as Kubernetes and Kuma write it.
        if case .array = self { return "\n" + block(indent: indent) }
        return "\n" + block(indent: indent + 2)
    }

    private var isBlock: Bool {
        switch self {
        case .array(let values): !values.isEmpty
        case .object(let members): !members.isEmpty
        case .bool, .null, .number, .string: false
        }
    }

    private var inline: String {
        switch self {
        case .array: "[]"
        case .object: "{}"
        case .string(let text): JSONValue.scalar(text)
        case .bool, .null, .number: json
        }
    }

    /// Plain where no YAML version reads anything but this text, else in double quotes.
    private static func scalar(_ text: String) -> String {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= 80,
            text.utf8.allSatisfy({
                isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E || $0 == 0x2F || $0 == 0x5F
            })
        else { return yamlQuoted(text) }
        switch text.lowercased() {
        case "y", "n", "yes", "no", "on", "off", "true", "false", "null": return yamlQuoted(text)
        default: return text
        }
    }

    /// Without a bare ampersand: an anchor begins with one, and whoever looks for anchors by the octets alone, as we do, finds it.
    private static func yamlQuoted(_ text: String) -> String { quoted(text).replacing("&", with: #"\x26"#) }

    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) }
}
