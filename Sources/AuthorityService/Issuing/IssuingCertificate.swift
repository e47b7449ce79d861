internal import Authority
internal import Metrics
internal import PKI
internal import PKICrypto
import Synchronization

/// A mesh's issuing certificate with its key, which lives in this process's memory and nowhere else.
final class IssuingCertificate: Sendable {
    let mesh: MeshName
    let issuer: IssuerID
    let certificateAuthority: String
    let serial: SerialNumber
    let notBefore: Timestamp
    let notAfter: Timestamp
    /// Of the mesh when it was made: another setting needs another certificate.
    let hasNameConstraints: Bool
    let pem: [UInt8]
    private let key: PrivateKey
    private let signer: SignerDescription
    private let profile: CertificateProfile
    /// Compiled templates by identity. Emptied when it is full, since identities of a mesh are few compared to it.
    private let templates = Mutex<[SPIFFEID: CertificateTemplate]>([:])
    private let mostTemplates = 20_000
    /// Looked up once: by its labels it costs a tenth of a signature.
    private let issued: Counter

    init(
        mesh: MeshName, issuer: IssuerID, certificateAuthority: String, serial: SerialNumber, notBefore: Timestamp,
        notAfter: Timestamp, hasNameConstraints: Bool, certificate: [UInt8], subject: DistinguishedName, key: PrivateKey,
        leafProfile: CertificateProfile
    ) {
        self.mesh = mesh
        self.issuer = issuer
        self.certificateAuthority = certificateAuthority
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.hasNameConstraints = hasNameConstraints
        self.pem = PEM.encodeBytes(label: "CERTIFICATE", der: certificate)
        self.key = key
        self.signer = SignerDescription(
            subject: subject, subjectKeyIdentifier: key.subjectKeyIdentifier, keyAlgorithm: key.algorithm)
        self.profile = leafProfile
        self.issued = ServiceMetrics.issuedCounter(.leaf, mesh: mesh)
    }

    /// How far before its issue a leaf begins.
    var leafBackdate: Duration { profile.validity.backdate }

    /// Everything of a leaf but its signature; its digest is what the ledger records first.
    func prepare(_ grant: LeafGrant, serial: SerialNumber, publicKey: [UInt8]) throws -> PreparedCertificate {
        try template(for: grant.identity).prepare(
            serial: serial, notBefore: grant.notBefore, notAfter: grant.notAfter, publicKey: publicKey)
    }

    /// The leaf with its chain, PEM; consumes what was prepared, so that nothing is signed twice.
    func sign(_ prepared: consuming PreparedCertificate, cross: [UInt8]) throws(CryptoFailure) -> [UInt8] {
        let chain = try prepared.signChain(with: key, issuers: pem, cross)
        issued.increment()
        return chain
    }

    private func template(for identity: SPIFFEID) throws(CertificateTemplateError) -> CertificateTemplate {
        if let template = templates.withLock({ $0[identity] }) { return template }
        let template = try CertificateTemplate(leaf: profile, under: signer, identity: identity)
        templates.withLock { templates in
            if templates.count >= mostTemplates { templates.removeAll(keepingCapacity: true) }
            templates[identity] = template
        }
        return template
    }
}
