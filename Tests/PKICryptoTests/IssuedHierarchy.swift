import CertificateProfiles
import Foundation
import PKI
import PKICrypto

/// Two roots, one after the other, and everything below them, made the way that the service makes them.
struct IssuedHierarchy {
    struct Signer {
        var certificate: [UInt8]
        var key: PrivateKey
        var description: SignerDescription
    }

    let now: Timestamp
    let identity: SPIFFEID
    let root: Signer
    let issuing: Signer
    let leaf: [UInt8]
    let leafKey: PrivateKey
    /// The root after `root`, and what stands below it.
    let nextRoot: Signer
    let nextIssuing: Signer
    let nextLeaf: [UInt8]
    /// The next root's name and key, signed by `root`.
    let cross: [UInt8]

    /// `isSoleOwner`: one mesh owns the certificate authority, so its trust domain stands in the roots.
    init(
        rootKey algorithm: KeyAlgorithm, nextRootKey: KeyAlgorithm = .ecP256, isSoleOwner: Bool = true,
        nameConstraints: Bool = true, now: Timestamp = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
    ) throws {
        let profiles = try ProfileCatalog.embedded()
        let trustDomain = try TrustDomain("payments")
        let identity = try SPIFFEID("spiffe://payments/api")
        let makeRoot = { (algorithm: KeyAlgorithm) throws -> Signer in
            let key = try PrivateKey.generate(algorithm)
            let template = try CertificateTemplate(
                root: profiles.root, id: IssuerID(random: SecureRandom.bytes(8)),
                trustDomain: isSoleOwner ? trustDomain : nil, keyAlgorithm: algorithm)
            return try IssuedHierarchy.signer(template, key: key, signedWith: key, now: now, days: 3650)
        }
        let makeIssuing = { (root: Signer) throws -> Signer in
            let template = try CertificateTemplate(
                issuing: profiles.issuing, id: Hex.encode(SecureRandom.bytes(8)), under: root.description,
                trustDomain: trustDomain, nameConstraints: nameConstraints)
            return try IssuedHierarchy.signer(template, key: .generate(.ecP256), signedWith: root.key, now: now, days: 7)
        }
        let makeLeaf = { (issuing: Signer, key: PrivateKey) throws -> [UInt8] in
            let template = try CertificateTemplate(leaf: profiles.leaf, under: issuing.description, identity: identity)
            return try IssuedHierarchy.signer(template, key: key, signedWith: issuing.key, now: now, days: 1).certificate
        }
        self.now = now
        self.identity = identity
        root = try makeRoot(algorithm)
        issuing = try makeIssuing(root)
        leafKey = try PrivateKey.generate(.ecP256)
        leaf = try makeLeaf(issuing, leafKey)
        nextRoot = try makeRoot(nextRootKey)
        nextIssuing = try makeIssuing(nextRoot)
        nextLeaf = try makeLeaf(nextIssuing, PrivateKey.generate(.ecP256))
        let crossTemplate = try CertificateTemplate(
            cross: profiles.cross, of: nextRoot.description, trustDomain: isSoleOwner ? trustDomain : nil,
            under: root.description)
        cross = try IssuedHierarchy.signer(crossTemplate, key: nextRoot.key, signedWith: root.key, now: now, days: 1)
            .certificate
    }

    /// For further leaves under the issuing certificate.
    func leafTemplate() throws -> CertificateTemplate {
        try CertificateTemplate(leaf: ProfileCatalog.embedded().leaf, under: issuing.description, identity: identity)
    }

    private static func signer(
        _ template: CertificateTemplate, key: PrivateKey, signedWith signer: PrivateKey, now: Timestamp, days: Int64
    ) throws -> Signer {
        let prepared = try template.prepare(
            serial: SerialNumber.random(), notBefore: now - .seconds(10),
            notAfter: now + .seconds(days * 86_400), publicKey: key.subjectPublicKeyInfo)
        return Signer(
            certificate: try prepared.sign(with: signer), key: key,
            description: SignerDescription(template: template, key: key))
    }
}

extension [UInt8] {
    /// The certificate in PEM.
    var pem: String { PEM.encode(label: "CERTIFICATE", der: self) }
}
