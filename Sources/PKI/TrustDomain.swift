/// A SPIFFE trust domain name, such as `payments` or `prod.example.org`.
///
/// Stricter than the SPIFFE-ID standard §2.1 in one point: labels of letters, digits and hyphens only, the last one not
/// numeric, since BoringSSL refuses URI name constraints on any other host.
package struct TrustDomain: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The name, lower case, at most 255 bytes.
    package let name: String

    /// Accepts `name` as it stands or throws; nothing is normalised.
    package init(_ name: String) throws(SPIFFEIDError) {
        let bytes = Array(name.utf8)
        guard !bytes.isEmpty else { throw .emptyTrustDomain }
        guard bytes.count <= 255 else { throw .tooLong(bytes: bytes.count, limit: 255) }
        for (offset, byte) in bytes.enumerated() where !TrustDomain.allows(byte) {
            throw .forbiddenByte(byte, offset: offset)
        }
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-" else {
                throw .invalidLabel(String(label))
            }
        }
        if let last = labels.last, last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            throw .numericLastLabel(String(last))
        }
        self.name = name
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    /// The trust domain's own SPIFFE ID, `spiffe://<name>`: the URI SAN of its signing certificates.
    package var uri: String { TrustDomain.scheme + name }

    /// What every SPIFFE ID begins with.
    static let scheme = "spiffe://"

    package var description: String { name }

    package static func < (left: TrustDomain, right: TrustDomain) -> Bool { left.name < right.name }

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x30...0x39, 0x2D, 0x2E: true  // a–z 0–9 - .
        default: false
        }
    }
}
