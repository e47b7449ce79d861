internal import PKI
import Yams

/// Turns the parser's nodes into ours, by the YAML 1.2 core schema held to what reads the same in every parser.
enum YAMLNodes {
    static func convert(_ node: Node, depth: Int) throws(DocumentError) -> DocumentNode {
        let line = node.mark?.line ?? 1
        guard depth <= DocumentText.maximumDepth else {
            throw DocumentError(line: line, reason: "nested deeper than \(DocumentText.maximumDepth) levels")
        }
        guard node.anchor == nil else { throw DocumentError(line: line, reason: missedAnchor) }
        switch node {
        case .alias:
            throw DocumentError(line: line, reason: "YAML aliases are not accepted: write the value out")
        case .mapping(let mapping):
            try refuseTag(mapping.tag, line)
            var entries: [DocumentNode.Entry] = []
            var keys: Set<String> = []
            for (key, value) in mapping {
                let entry = try entry(key, value, depth: depth)
                guard keys.insert(entry.key).inserted else {
                    throw DocumentError(
                        line: entry.line,
                        reason: "the key '\(DocumentNode.excerpt(of: entry.key))' occurs twice in this mapping: keep one")
                }
                entries.append(entry)
            }
            return DocumentNode(line: line, content: .mapping(entries))
        case .sequence(let sequence):
            try refuseTag(sequence.tag, line)
            var nodes: [DocumentNode] = []
            for element in sequence { nodes.append(try convert(element, depth: depth + 1)) }
            return DocumentNode(line: line, content: .sequence(nodes))
        case .scalar(let scalar):
            // The parser gives every quoted text the tag of text; `!!str "x"` cannot be told from `"x"`, and means it.
            if scalar.style == .plain || scalar.tag.rawValue != Tag.Name.str.rawValue { try refuseTag(scalar.tag, line) }
            return DocumentNode(line: line, content: try content(of: scalar, line))
        }
    }

    /// Said where the look at the surface let an anchor pass, which no text is known to achieve.
    static let missedAnchor = "YAML anchors are not accepted: write the value out"

    private static func entry(_ key: Node, _ value: Node, depth: Int) throws(DocumentError) -> DocumentNode.Entry {
        let line = key.mark?.line ?? 1
        guard case .scalar(let scalar) = key else {
            throw DocumentError(line: line, reason: "a key must be plain text, not a list or mapping")
        }
        // The parser resolves the tags of keys while it looks for duplicates, so that an unwritten tag shows as a standard one.
        guard scalar.tag.rawValue.isEmpty || scalar.tag.rawValue.hasPrefix("tag:yaml.org,2002:") else {
            throw tagRefused(line)
        }
        guard scalar.style != .plain || scalar.string != "<<" else {
            throw DocumentError(line: line, reason: "merge keys ('<<') are not accepted: write the fields out")
        }
        try refuseUnreadable(scalar.string, line)
        return DocumentNode.Entry(key: scalar.string, line: line, value: try convert(value, depth: depth + 1))
    }

    private static func content(of scalar: Node.Scalar, _ line: Int) throws(DocumentError) -> DocumentNode.Content {
        let text = scalar.string
        try refuseUnreadable(text, line)
        guard scalar.style == .plain || scalar.style == .any else { return .text(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .flag(true)
        case "false", "False", "FALSE": return .flag(false)
        default: break
        }
        if JSONNumber.isValid(text) { return .number(text) }
        guard !looksLikeNumber(text) else {
            throw DocumentError(
                line: line,
                reason: "'\(DocumentNode.excerpt(of: text))' is read as different numbers by different YAML parsers: "
                    + "quote it, or write a plain decimal number")
        }
        return .text(text)
    }

    /// Octal, hexadecimal, signed, underscored and pointed forms that YAML 1.1 and 1.2 read differently.
    private static func looksLikeNumber(_ text: String) -> Bool {
        let digits = text.utf8.drop { $0 == 0x2B || $0 == 0x2D }
        let unsigned = String(Substring(digits)).lowercased()
        if unsigned == ".inf" || unsigned == ".nan" { return true }
        if unsigned.hasPrefix("0x") || unsigned.hasPrefix("0o") || unsigned.hasPrefix("0b") {
            return unsigned.utf8.dropFirst(2).allSatisfy { Hex.isDigit($0) || $0 == 0x5F }
        }
        guard unsigned.utf8.contains(where: { (0x30...0x39).contains($0) }) else { return false }
        let isSimple = unsigned.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x5F || $0 == 0x2E }
        return isSimple && unsigned.utf8.count { $0 == 0x2E } <= 1
    }

    private static func refuseUnreadable(_ text: String, _ line: Int) throws(DocumentError) {
        if text.utf8.contains(0) { throw DocumentError(line: line, reason: "a text must not contain the character NUL") }
        if DocumentText.hasByteOrderMark(text) { throw DocumentError(line: line, reason: DocumentText.byteOrderMarkRefused) }
    }

    private static func refuseTag(_ tag: Tag, _ line: Int) throws(DocumentError) {
        if !tag.rawValue.isEmpty { throw tagRefused(line) }
    }

    private static func tagRefused(_ line: Int) -> DocumentError {
        DocumentError(line: line, reason: "YAML tags ('!name') are not accepted: leave the tag out")
    }

    /// The parser's error with its line, without the text that it quotes.
    static func documentError(_ error: YamlError) -> DocumentError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _), .composer(_, let problem, let mark, _):
            DocumentError(line: mark.line, reason: "not YAML: \(problem)")
        case .reader(let problem, _, let value, _):
            DocumentError(
                line: nil,
                reason: "not YAML: \(problem)" + (value >= 0 ? " (U+\(String(value, radix: 16, uppercase: true)))" : ""))
        case .duplicatedKeysInMapping(let duplicates, let context):
            DocumentError(
                line: context.mark.line,
                field: "",
                reason:
                    "the key '\(duplicates.map { DocumentNode.excerpt(of: $0) }.joined(separator: "', '"))' occurs twice in this mapping: "
                    + "keep one")
        case .dataCouldNotBeDecoded, .emitter, .memory, .no, .representer, .writer:
            DocumentError(line: nil, reason: "the text cannot be parsed as YAML")
        }
    }
}

extension Hex {
    /// 0–9, a–f, A–F.
    fileprivate static func isDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte)
    }
}
