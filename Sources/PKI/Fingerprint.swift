/// The SHA-256 of a certificate's DER, or of a key's SubjectPublicKeyInfo.
package struct Fingerprint: Hashable, Sendable, Codable, CustomStringConvertible {
    /// 32 octets.
    package let bytes: [UInt8]

    package init(sha256 bytes: [UInt8]) {
        precondition(bytes.count == 32)
        self.bytes = bytes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Hex.decode(try container.decode(String.self)), bytes.count == 32 else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a SHA-256 in hexadecimal")
        }
        self.bytes = bytes
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var description: String { Hex.encode(bytes) }
}
