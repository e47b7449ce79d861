/// A SPIFFE ID with a path: the identity of one workload, such as `spiffe://payments/api`.
///
/// Source: SPIFFE-ID standard §2. Parsed byte for byte; what is not in the grammar is refused, never normalised. The ID
/// of a trust domain itself, which has no path, is `TrustDomain.uri`.
package struct SPIFFEID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    package let trustDomain: TrustDomain
    /// Begins with a slash; at least one segment.
    package let path: String
    /// The whole ID, as it stands in the URI SAN. Kept, since every certificate and every comparison asks for it.
    package let uri: String

    /// Parses `spiffe://<trust domain>/<path>`, at most 2048 bytes.
    package init(_ text: String) throws(SPIFFEIDError) {
        let scheme = TrustDomain.scheme
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
        let total = TrustDomain.scheme.utf8.count + trustDomain.name.utf8.count + path.utf8.count
        guard total <= SPIFFEID.maximumBytes else { throw .tooLong(bytes: total, limit: SPIFFEID.maximumBytes) }
        guard path.utf8.count > 1 else { throw .missingPath }
        try SPIFFEID.check(path)
        self.trustDomain = trustDomain
        self.path = path
        uri = trustDomain.uri + path
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(uri)
    }

    package var description: String { uri }

    package static func < (left: SPIFFEID, right: SPIFFEID) -> Bool { left.uri < right.uri }

    /// A trust domain has no slash and a path begins with one, so the whole ID tells both.
    package static func == (left: SPIFFEID, right: SPIFFEID) -> Bool { left.uri == right.uri }

    package func hash(into hasher: inout Hasher) { hasher.combine(uri) }

    /// SPIFFE-ID §2.4: implementations must support 2048 bytes and should not make longer ones.
    package static let maximumBytes = 2048

    /// Whole segments first, then their dots, so that the first complaint is about what cannot stand there at all.
    private static func check(_ path: String) throws(SPIFFEIDError) {
        var path = path
        guard let flaw = path.withUTF8({ flaw(of: $0) }) else { return }
        throw flaw
    }

    private static func flaw(of bytes: UnsafeBufferPointer<UInt8>) -> SPIFFEIDError? {
        if bytes[0] != 0x2F { return .forbiddenByte(bytes[0], offset: 0) }
        for (offset, byte) in bytes.enumerated() where byte != 0x2F && !allows(byte) {
            return .forbiddenByte(byte, offset: offset)
        }
        var start = 1
        for end in 1...bytes.count where end == bytes.count || bytes[end] == 0x2F {
            if end == start { return .emptySegment }
            let isDots = bytes[start..<end].allSatisfy { $0 == 0x2E }
            if isDots, end - start <= 2 { return .dotSegment }
            start = end + 1
        }
        return nil
    }

    private static func allows(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x61...0x7A, 0x41...0x5A, 0x30...0x39, 0x2D, 0x2E, 0x5F: true  // a–z A–Z 0–9 - . _
        default: false
        }
    }
}
