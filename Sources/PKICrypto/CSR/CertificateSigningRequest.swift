package import PKI
import SwiftASN1
import X509

/// A certificate signing request (RFC 2986) that has proved possession of its key and asks for nothing beyond a leaf.
///
/// Its public key is all that is used. The subject is passed over: a name lives in the SAN alone, the certificate's own
/// subject is empty, and most tools cannot make a request without one. Requested extensions are never copied; one that goes
/// beyond a leaf's is refused here, a SAN beyond what is granted by `check(granted:)`.
package struct CertificateSigningRequest: Hashable, Sendable {
    /// DER, exactly as it was sent.
    package let subjectPublicKeyInfo: [UInt8]
    package let keyKind: SubjectKeyKind
    /// The requested SAN, each name as text; nil if none is asked for.
    private let requestedNames: [RequestedName]?

    /// Reads the one block `CERTIFICATE REQUEST` of a PEM text.
    package init(pem text: String) throws(CSRRefusal) {
        guard text.utf8.count <= CertificateSigningRequest.maximumBytes else {
            throw .tooLarge(bytes: text.utf8.count, limit: CertificateSigningRequest.maximumBytes)
        }
        let blocks: [[UInt8]]
        do {
            blocks = try PEM.decode(text, label: "CERTIFICATE REQUEST")
        } catch {
            throw .undecodable(detail: "\(error)")
        }
        guard blocks.count == 1 else { throw .undecodable(detail: "\(blocks.count) requests where one is expected") }
        try self.init(der: blocks[0])
    }

    /// Reads exactly one request, with no byte behind it, and checks its signature with its own key.
    package init(der: [UInt8]) throws(CSRRefusal) {
        guard der.count <= CertificateSigningRequest.maximumBytes else {
            throw .tooLarge(bytes: der.count, limit: CertificateSigningRequest.maximumBytes)
        }
        let request: ParsedRequest
        do {
            request = try ParsedRequest(der: der)
        } catch {
            throw .undecodable(detail: MalformedDER.detail(of: error))
        }
        guard let kind = request.key.kind, let key = request.key.verificationKey() else {
            throw .keyNotAccepted(algorithm: request.key.algorithmText)
        }
        guard let scheme = request.signatureScheme else { throw .weakAlgorithm }
        guard scheme.verifies(request.signature, over: request.info, with: key) else { throw .proofOfPossession }
        try CertificateSigningRequest.refuseMoreThanALeafHas(request)
        subjectPublicKeyInfo = Array(request.key.der)
        keyKind = kind
        requestedNames = request.extensions.subjectAltNames.map { $0.map(RequestedName.init) }
    }

    /// Refuses a requested SAN that is anything but the granted SPIFFE ID, once and alone; no SAN is no objection.
    package func check(granted identity: SPIFFEID) throws(CSRRefusal) {
        guard let requestedNames else { return }
        guard requestedNames == [RequestedName(uri: identity.uri)] else {
            let text = PrintableText.of(requestedNames.map(\.text).joined(separator: ", "))
            throw .subjectAltNameNotGranted(requested: text, granted: identity)
        }
    }

    /// What a leaf has: CA false, digitalSignature, serverAuth and clientAuth. A request may say as much, or less.
    private static func refuseMoreThanALeafHas(_ request: ParsedRequest) throws(CSRRefusal) {
        if let attribute = request.unknownAttribute { throw .attributeNotAllowed(oid: attribute.dotted) }
        let extensions = request.extensions
        guard !extensions.isCA else { throw .caRequested }
        if var usage = extensions.keyUsage {
            usage.digitalSignature = false
            guard usage == KeyUsage() else { throw .keyUsageRequested }
        }
        if let purposes = extensions.extendedKeyUsage {
            guard purposes.allSatisfy({ $0 == .serverAuth || $0 == .clientAuth }) else { throw .extendedKeyUsageRequested }
        }
        let allowed: [ASN1ObjectIdentifier] = [
            .X509ExtensionID.basicConstraints, .X509ExtensionID.keyUsage, .X509ExtensionID.extendedKeyUsage,
            .X509ExtensionID.subjectAlternativeName,
        ]
        if let beyond = extensions.identifiers.first(where: { !allowed.contains($0) }) {
            throw .extensionNotAllowed(oid: beyond.dotted)
        }
    }

    /// 64 KiB is sixty times the size of a request with an RSA-4096 key, and bounds what parsing may cost.
    package static let maximumBytes = 65_536
}
