internal import AuthorityService

/// Takes the path and query of a request target apart (RFC 3986 §3.3, §3.4), byte for byte; nothing is repaired.
enum TargetText {
    /// The decoded segments of a path. Throws for a path that is not absolute or has a broken escape.
    static func segments(of path: String) throws(AdminError) -> [String] {
        guard path.utf8.first == 0x2F else { throw .badRequest(detail: "the path must begin with a slash") }
        guard path != "/" else { return [] }
        var segments: [String] = []
        for part in path.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            segments.append(try decoded(part, what: "path"))
        }
        return segments
    }

    /// The parameters of a query. Throws for a broken escape, or a parameter that occurs twice and is not `repeatable`, whose
    /// values are joined by commas.
    static func parameters(of query: String?, repeatable: Set<String> = []) throws(AdminError) -> [String: String] {
        guard let query, !query.isEmpty else { return [:] }
        var parameters: [String: String] = [:]
        for pair in query.utf8.split(separator: 0x26) {
            let parts = pair.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
            let name = try decoded(parts[0], what: "query")
            let value = parts.count > 1 ? try decoded(parts[1], what: "query", plusIsSpace: true) : ""
            guard let previous = parameters.updateValue(value, forKey: name) else { continue }
            guard repeatable.contains(name) else {
                throw .invalid([.init(field: LogText.escaped(name), reason: "occurs twice in the query: send it once")])
            }
            parameters[name] = previous + "," + value
        }
        return parameters
    }

    /// Escapes everything but the unreserved characters (RFC 3986 §2.3).
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F, 0x7E: result.unicodeScalars.append(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }

    private static func decoded(
        _ bytes: Substring.UTF8View, what: String, plusIsSpace: Bool = false
    ) throws(AdminError) -> String {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case 0x25:
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    throw .badRequest(detail: "the \(what) has a '%' without two hexadecimal digits")
                }
                result.append(high << 4 | low)
            case 0x2B where plusIsSpace: result.append(0x20)
            default: result.append(byte)
            }
        }
        guard let text = String(validating: result, as: UTF8.self), !result.contains(0) else {
            throw .badRequest(detail: "the \(what) is not UTF-8 text")
        }
        return text
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        case 0x41...0x46: byte - 0x41 + 10
        default: nil
        }
    }
}

extension TargetText {
    /// A letter, digit, `-`, `.` or `_`.
    static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }
}
