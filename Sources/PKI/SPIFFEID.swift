/// A SPIFFE ID with a path: the identity of one workload, such as `spiffe://payments/api`.
///
/// Source: SPIFFE-ID standard §2. Parsed byte for byte; what is not in the grammar is refused, never normalised. The ID
/// of a trust domain itself, which has no path, is `TrustDomain.uri`.
package struct SPIFFEID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let trustDomain: TrustDomain
    /// Begins with a slash; at least one segment.
    package let path: String

    /// Parses `spiffe://<trust domain>/<path>`, at most 2048 bytes.
    package init(_ text: String) throws(SPIFFEIDError) {
        let scheme = "spiffe://"
        guard text.utf8.count <= SPIFFEID.maximumBytes else {
            throw .tooLong(bytes: text.utf8.count, limit: SPIFFEID.maximumBytes)
        }
        guard text.utf8.starts(with: scheme.utf8) else { throw .wrongScheme }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        guard let slash = rest.firstIndex(of: 0x2F) else {
            _ = try TrustDomain(String(Substring(rest)))
            throw .missingPath
        }
        try self.init(trustDomain: TrustDomain(String(Substring(rest[..<slash]))), path: String(Substring(rest[slash...])))
    }

    /// Joins a trust domain and a path that begins with a slash.
    package init(trustDomain: TrustDomain, path: String) throws(SPIFFEIDError) {
        let bytes = Array(path.utf8)
        let total = trustDomain.uri.utf8.count + bytes.count
        guard total <= SPIFFEID.maximumBytes else { throw .tooLong(bytes: total, limit: SPIFFEID.maximumBytes) }
        guard bytes.count > 1 else { throw .missingPath }
        guard bytes[0] == 0x2F else { throw .forbiddenByte(bytes[0], offset: 0) }
        for (offset, byte) in bytes.enumerated() where byte != 0x2F && !SPIFFEID.allows(byte) {
            throw .forbiddenByte(byte, offset: offset)
        }
        for segment in bytes.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            if segment.isEmpty { throw .emptySegment }
            if segment.elementsEqual([0x2E]) || segment.elementsEqual([0x2E, 0x2E]) { throw .dotSegment }
        }
        self.trustDomain = trustDomain
        self.path = path
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(uri)
    }

    /// The whole ID, as it stands in the URI SAN.
    package var uri: String { trustDomain.uri + path }

    package var description: String { uri }

    package static func < (left: SPIFFEID, right: SPIFFEID) -> Bool { left.uri < right.uri }

    /// SPIFFE-ID §2.4: implementations must support 2048 bytes and should not make longer ones.
    package static let maximumBytes = 2048

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true  // a–z A–Z 0–9 - . _
        default: false
        }
    }
}
