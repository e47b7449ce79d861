/// A JSON parser (RFC 8259) that keeps lines, refuses duplicate keys and keeps numbers as they are written.
struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    /// The one value of `bytes`, which must be UTF-8.
    static func parse(_ bytes: [UInt8]) throws(DocumentError) -> DocumentNode {
        var reader = JSONReader(bytes: bytes)
        // A byte order mark is no JSON, but some editors write one.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
        let node = try reader.value(depth: 1)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.error("something follows the end of the JSON value") }
        return node
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func error(_ reason: String) -> DocumentError { DocumentError(line: line, reason: "not JSON: \(reason)") }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            if byte == 0x0A { line += 1 }
            position += 1
        }
    }

    private mutating func value(depth: Int) throws(DocumentError) -> DocumentNode {
        skipSpace()
        guard depth <= DocumentText.maximumDepth else {
            throw DocumentError(line: line, reason: "nested deeper than \(DocumentText.maximumDepth) levels")
        }
        let start = line
        switch current {
        case 0x7B: return DocumentNode(line: start, content: .mapping(try members(depth: depth)))
        case 0x5B: return DocumentNode(line: start, content: .sequence(try elements(depth: depth)))
        case 0x22: return DocumentNode(line: start, content: .text(try string()))
        case nil: throw error("the text ends where a value is expected")
        default: return DocumentNode(line: start, content: try word())
        }
    }

    private mutating func members(depth: Int) throws(DocumentError) -> [DocumentNode.Entry] {
        position += 1
        var entries: [DocumentNode.Entry] = []
        var keys: Set<String> = []
        skipSpace()
        if current == 0x7D {
            position += 1
            return []
        }
        while true {
            skipSpace()
            let keyLine = line
            guard current == 0x22 else { throw error("a key in double quotes is expected") }
            let key = try string()
            guard keys.insert(key).inserted else {
                throw DocumentError(
                    line: keyLine, reason: "the key '\(DocumentNode.excerpt(of: key))' occurs twice in this mapping: keep one")
            }
            skipSpace()
            guard current == 0x3A else { throw error("':' is expected after the key '\(DocumentNode.excerpt(of: key))'") }
            position += 1
            entries.append(DocumentNode.Entry(key: key, line: keyLine, value: try value(depth: depth + 1)))
            if try closes(with: 0x7D) { return entries }
        }
    }

    private mutating func elements(depth: Int) throws(DocumentError) -> [DocumentNode] {
        position += 1
        var nodes: [DocumentNode] = []
        skipSpace()
        if current == 0x5D {
            position += 1
            return []
        }
        while true {
            nodes.append(try value(depth: depth + 1))
            if try closes(with: 0x5D) { return nodes }
        }
    }

    /// Reads a comma, or the bracket that ends the collection.
    private mutating func closes(with bracket: UInt8) throws(DocumentError) -> Bool {
        skipSpace()
        guard current == 0x2C || current == bracket else {
            throw error("',' or '\(Character(UnicodeScalar(bracket)))' is expected")
        }
        position += 1
        return bytes[position - 1] == bracket
    }

    private mutating func word() throws(DocumentError) -> DocumentNode.Content {
        let start = position
        while let byte = current, ![0x20, 0x09, 0x0A, 0x0D, 0x2C, 0x5D, 0x7D, 0x3A, 0x22, 0x5B, 0x7B].contains(byte) {
            position += 1
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "true": return .flag(true)
        case "false": return .flag(false)
        case "null": return .null
        case _ where JSONNumber.isValid(text): return .number(text)
        default: throw error("'\(DocumentNode.excerpt(of: text))' is no value: quote it if it is text")
        }
    }

    private mutating func string() throws(DocumentError) -> String {
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case 0x22:
                let text = String(decoding: text, as: UTF8.self)
                guard !DocumentText.hasByteOrderMark(text) else {
                    throw DocumentError(line: line, reason: DocumentText.byteOrderMarkRefused)
                }
                return text
            case 0x5C: text.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20: throw error("a control character in a text must be escaped")
            default: text.append(byte)
            }
        }
        throw error("a text has no closing quote")
    }

    private mutating func escape() throws(DocumentError) -> Unicode.Scalar {
        guard let byte = current else { throw error("a text has no closing quote") }
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: return Unicode.Scalar(byte)
        case 0x62: return "\u{08}"
        case 0x66: return "\u{0C}"
        case 0x6E: return "\n"
        case 0x72: return "\r"
        case 0x74: return "\t"
        case 0x75:
            let unit = try codeUnit()
            if let scalar = Unicode.Scalar(unit) {
                guard unit != 0 else { throw DocumentError(line: line, reason: "a text must not contain the character NUL") }
                return scalar
            }
            guard UTF16.isLeadSurrogate(UInt16(unit)), current == 0x5C, position + 1 < bytes.count, bytes[position + 1] == 0x75
            else {
                throw error("'\\u' with half of a surrogate pair")
            }
            position += 2
            let trail = try codeUnit()
            guard (0xDC00...0xDFFF).contains(trail),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (trail - 0xDC00))
            else { throw error("'\\u' with half of a surrogate pair") }
            return scalar
        default: throw error("'\\\(DocumentNode.excerpt(of: String(UnicodeScalar(byte))))' is no escape")
        }
    }

    private mutating func codeUnit() throws(DocumentError) -> UInt32 {
        guard position + 4 <= bytes.count, bytes[position..<position + 4].allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
            let unit = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw error("'\\u' needs four hexadecimal digits") }
        position += 4
        return unit
    }
}
