import CertificateProfiles
import PKI
import PKICrypto

/// Leaf and issuing certificate below a root, made as the service makes them.
struct ProvidedChain {
    /// The leaf first.
    let certificates: [[UInt8]]

    /// The trust domain of the issuing certificate and that of `identity` may differ: that is a stolen key at work.
    init(
        under authority: ProvidedAuthority, trustDomain: String, nameConstraints: Bool = true, identity: String, now: Timestamp
    ) throws {
        let profiles = try ProfileCatalog.embedded()
        let begin = now - .seconds(10)
        let issuingTemplate = try CertificateTemplate(
            issuing: profiles.issuing, id: Hex.encode(SecureRandom.bytes(8)), under: authority.signer,
            trustDomain: TrustDomain(trustDomain), nameConstraints: nameConstraints)
        let issuingKey = try PrivateKey.generate(.ecP256)
        let issuing = try issuingTemplate.prepare(
            serial: .random(), notBefore: begin, notAfter: now + .seconds(7 * 86_400), publicKey: issuingKey.subjectPublicKeyInfo
        ).sign(with: authority.key)
        let leafTemplate = try CertificateTemplate(
            leaf: profiles.leaf, under: SignerDescription(template: issuingTemplate, key: issuingKey),
            identity: SPIFFEID(identity))
        let leaf = try leafTemplate.prepare(
            serial: .random(), notBefore: begin, notAfter: now + .seconds(86_400),
            publicKey: PrivateKey.generate(.ecP256).subjectPublicKeyInfo
        ).sign(with: issuingKey)
        certificates = [leaf, issuing]
    }
}
