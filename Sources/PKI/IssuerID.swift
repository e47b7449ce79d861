/// Names one issuer of a certificate authority: 16 lower-case hexadecimal digits, random, never reused.
package struct IssuerID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let text: String

    /// Makes an id of eight random octets.
    package init(random: [UInt8]) {
        precondition(random.count == 8)
        self.text = Hex.encode(random)
    }

    /// Nil unless `text` is 16 lower-case hexadecimal digits.
    package init?(_ text: String) {
        guard text.utf8.count == 16, let bytes = Hex.decode(text), Hex.encode(bytes) == text else { return nil }
        self.text = text
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = IssuerID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an issuer id")
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    package var description: String { text }

    package static func < (left: IssuerID, right: IssuerID) -> Bool { left.text < right.text }
}
