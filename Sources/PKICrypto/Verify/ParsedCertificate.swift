internal import PKI
import SwiftASN1

/// A certificate as its bytes state it (RFC 5280 §4.1), read once; nothing in it is trusted yet.
struct ParsedCertificate: Sendable {
    /// The whole certificate, as it was sent.
    let bytes: [UInt8]
    /// The TBSCertificate within: what the signature is over.
    let tbs: ArraySlice<UInt8>
    let serial: SerialNumber
    /// The names as DER, compared byte for byte: DER has one form for a name, and who issues copies it.
    let issuer: ArraySlice<UInt8>
    let subject: ArraySlice<UInt8>
    let notBefore: Timestamp
    let notAfter: Timestamp
    let key: SubjectPublicKey
    let extensions: ParsedExtensions
    /// Nil for an algorithm that is not accepted.
    let signatureScheme: SignatureScheme?
    let signature: ArraySlice<UInt8>

    /// Reads exactly one certificate of version 3, with no byte behind it.
    init(der: [UInt8]) throws(ChainRefusal) {
        guard der.count <= ParsedCertificate.maximumBytes else {
            throw .undecodable(detail: "\(der.count) bytes are more than the \(ParsedCertificate.maximumBytes) accepted")
        }
        do {
            try self.init(parsing: der)
        } catch {
            throw .undecodable(detail: MalformedDER.detail(of: error))
        }
    }

    private init(parsing der: [UInt8]) throws {
        bytes = der
        var parts = try ParsedCertificate.children(of: SwiftASN1.DER.parse(der))
        guard parts.count == 3 else { throw MalformedDER("not the three parts of a certificate") }
        let body = parts.removeFirst()
        let algorithm = parts[0].encodedBytes
        let signature = try ASN1BitString(derEncoded: parts[1])
        guard signature.paddingBits == 0 else { throw MalformedDER("a signature of odd bits") }
        tbs = body.encodedBytes
        self.signature = signature.bytes
        signatureScheme = SignatureScheme(algorithmIdentifier: algorithm)
        (serial, issuer, subject, notBefore, notAfter, key, extensions) = try SwiftASN1.DER.sequence(body, identifier: .sequence)
        { nodes in
            let version = try SwiftASN1.DER.optionalExplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                try Int(derEncoded: $0)
            }
            guard version == 2 else { throw MalformedDER("not version 3") }
            let serial = try ParsedCertificate.serial(ArraySlice<UInt8>(derEncoded: &nodes))
            // RFC 5280 §4.1.1.2: the algorithm stands inside and outside of what is signed, and must be the same.
            guard nodes.next()?.encodedBytes == algorithm else {
                throw MalformedDER("two different signature algorithms")
            }
            let issuer = try ParsedCertificate.name(&nodes)
            guard let validity = nodes.next() else { throw MalformedDER("no validity") }
            let (notBefore, notAfter) = try SwiftASN1.DER.sequence(validity, identifier: .sequence) { times in
                (try CertificateTime.read(&times), try CertificateTime.read(&times))
            }
            let subject = try ParsedCertificate.name(&nodes)
            guard let spki = nodes.next() else { throw MalformedDER("no public key") }
            let key = try SubjectPublicKey(spki)
            for uniqueID in [1, 2] as [UInt] {
                _ = try SwiftASN1.DER.optionalImplicitlyTagged(&nodes, tagNumber: uniqueID, tagClass: .contextSpecific) { node in
                    guard case .primitive = node.content else { throw MalformedDER("an unexpected element") }
                }
            }
            let extensions = try SwiftASN1.DER.optionalExplicitlyTagged(&nodes, tagNumber: 3, tagClass: .contextSpecific) {
                try ParsedExtensions($0)
            }
            return (serial, issuer, subject, notBefore, notAfter, key, extensions ?? ParsedExtensions())
        }
    }

    /// Issuer and subject are the same: such an intermediate certificate does not count towards a path length.
    var isSelfIssued: Bool { issuer == subject }

    /// How a message calls it: the subject, else the first URI name, else the serial number.
    var displayName: String {
        guard subject == ParsedCertificate.emptyName else { return NameText.of(subject) }
        return extensions.uris.first.map { PrintableText.of($0) } ?? "certificate \(serial)"
    }

    /// The children of a sequence, whose number the caller checks.
    private static func children(of node: ASN1Node) throws -> [ASN1Node] {
        guard node.identifier == .sequence, case .constructed(let nodes) = node.content else {
            throw MalformedDER("an unexpected element")
        }
        return Array(nodes)
    }

    private static func name(_ nodes: inout ASN1NodeCollection.Iterator) throws -> ArraySlice<UInt8> {
        guard let node = nodes.next() else { throw MalformedDER("a name is missing") }
        guard node.identifier == .sequence else { throw MalformedDER("an unexpected element") }
        return node.encodedBytes
    }

    /// RFC 5280 §4.1.2.2: at most 20 octets. The reader has refused a negative number and dropped a zero octet of sign.
    private static func serial(_ magnitude: ArraySlice<UInt8>) throws -> SerialNumber {
        guard magnitude.count <= 20 else { throw MalformedDER("a serial number of over 20 octets") }
        return SerialNumber(bytes: magnitude.isEmpty ? [0] : Array(magnitude))
    }

    /// 64 KiB is fifty times the size of any certificate here, and bounds what parsing may cost.
    static let maximumBytes = 65_536

    /// A Name without attributes, which no certificate can be issued by.
    static let emptyName: ArraySlice<UInt8> = [0x30, 0x00]
}
