internal import FoundationEssentials

/// JSON for the columns that hold it. The shapes of the hot path, tags and details, are written without an encoder.
enum JSONText {
    static func write(_ tags: [String: [String]]) -> String {
        var text = "{"
        for (index, tag) in tags.keys.sorted().enumerated() {
            if index > 0 { text += "," }
            append(tag, to: &text)
            text += ":"
            text += write(tags[tag] ?? [])
        }
        return text + "}"
    }

    static func write(_ details: [String: String]) -> String {
        var text = "{"
        for (index, key) in details.keys.sorted().enumerated() {
            if index > 0 { text += "," }
            append(key, to: &text)
            text += ":"
            append(details[key] ?? "", to: &text)
        }
        return text + "}"
    }

    static func write(_ values: [String]) -> String {
        var text = "["
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            append(value, to: &text)
        }
        return text + "]"
    }

    /// Any other value, by its `Codable` form.
    static func write(_ value: some Encodable) throws(PostgresError) -> String {
        do {
            return String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        } catch {
            throw .unexpectedResult(detail: "a document cannot be written as JSON: \(error)")
        }
    }

    static func read<Value: Decodable>(_ type: Value.Type, _ text: String) throws(PostgresError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(text.utf8))
        } catch {
            throw .unexpectedResult(detail: "a JSON column is not \(type): \(error)")
        }
    }

    /// RFC 8259 §7: quotes, backslashes and control characters are escaped.
    private static func append(_ string: String, to text: inout String) {
        text += "\""
        // Nearly always nothing is to be escaped.
        if string.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
            text += string
            text += "\""
            return
        }
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\u{0}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
