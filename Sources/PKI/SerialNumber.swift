/// A certificate's serial number: 17 octets, positive, 135 random bits but for the first octet's being 1 to 127.
///
/// RFC 5280 §4.1.2.2 allows 20 octets; a fixed length keeps the DER template's offsets fixed, and a first octet that is
/// neither zero nor negative needs no padding.
package struct SerialNumber: Hashable, Sendable, Codable, CustomStringConvertible {
    /// Big-endian, as in the certificate; 1 to 20 octets (imported certificates choose their own).
    package let bytes: [UInt8]

    /// The octets of a certificate that came from elsewhere.
    package init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Makes a serial of `SerialNumber.count` random octets; only the first is forced into 1…127.
    package init(random: [UInt8]) {
        precondition(random.count == SerialNumber.count)
        var bytes = random
        bytes[0] = bytes[0] % 127 + 1
        self.bytes = bytes
    }

    /// Parses the hexadecimal form, as `description` gives it.
    package init?(hex: String) {
        guard let bytes = Hex.decode(hex), (1...20).contains(bytes.count) else { return nil }
        self.bytes = bytes
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let serial = SerialNumber(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a serial number in hexadecimal")
        }
        self = serial
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Lower-case hexadecimal, two digits an octet.
    package var description: String { Hex.encode(bytes) }

    /// The octets of every serial that is made here.
    package static let count = 17
}
