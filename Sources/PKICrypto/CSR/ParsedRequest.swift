import SwiftASN1
import X509

/// A certificate signing request as its bytes state it (RFC 2986 §4); nothing in it is proved yet.
struct ParsedRequest {
    /// The CertificationRequestInfo: what the signature is over.
    let info: ArraySlice<UInt8>
    let key: SubjectPublicKey
    /// The requested extensions; none without an extension request.
    let extensions: ParsedExtensions
    /// The first attribute that is not an extension request.
    let unknownAttribute: ASN1ObjectIdentifier?
    /// Nil for an algorithm that is not accepted.
    let signatureScheme: SignatureScheme?
    let signature: ArraySlice<UInt8>

    init(der: [UInt8]) throws {
        let (infoNode, algorithm, signature) = try SwiftASN1.DER.sequence(SwiftASN1.DER.parse(der), identifier: .sequence) {
            nodes in
            guard let info = nodes.next(), let algorithm = nodes.next() else {
                throw MalformedDER("not the three parts of a request")
            }
            return (info, algorithm.encodedBytes, try ASN1BitString(derEncoded: &nodes))
        }
        guard signature.paddingBits == 0 else { throw MalformedDER("a signature of odd bits") }
        info = infoNode.encodedBytes
        self.signature = signature.bytes
        signatureScheme = SignatureScheme(algorithmIdentifier: algorithm)
        let attributes: [CertificateSigningRequestAttribute]
        (key, attributes) = try SwiftASN1.DER.sequence(infoNode, identifier: .sequence) { nodes in
            guard try Int(derEncoded: &nodes) == 0 else { throw MalformedDER("not version 1") }
            guard let subject = nodes.next(), subject.identifier == .sequence else { throw MalformedDER("no subject") }
            // What it says is passed over, but it has to be a name.
            _ = try X509.DistinguishedName(derEncoded: subject)
            guard let spki = nodes.next() else { throw MalformedDER("no public key") }
            let key = try SubjectPublicKey(spki)
            // The attributes are mandatory, though some tools leave out an empty set.
            let attributes = try SwiftASN1.DER.optionalImplicitlyTagged(&nodes, tagNumber: 0, tagClass: .contextSpecific) {
                node in
                guard case .constructed(let children) = node.content else { throw MalformedDER("attributes that are no set") }
                return try children.map(CertificateSigningRequestAttribute.init)
            }
            return (key, attributes ?? [])
        }
        unknownAttribute = attributes.first { $0.type != .CSRAttributes.extensionRequest }?.type
        let requests = attributes.filter { $0.type == .CSRAttributes.extensionRequest }
        guard requests.count <= 1 else { throw MalformedDER("two extension requests") }
        extensions = try requests.first.map { try ParsedExtensions($0.value) } ?? ParsedExtensions()
    }
}
