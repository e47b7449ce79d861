import Crypto
import PKI
import SwiftASN1
import X509

extension ChainVerifierCase {
    /// Chains without a defect.
    static let accepted: [ChainVerifierCase] = [
        .hierarchy("leaf and issuing certificate", nil, .accepts) { _ in },
        .hierarchy("an issuing certificate with our name constraints", nil, .accepts) {
            $0.issuing.nameConstraints = Forge.constraints()
        },
        .hierarchy("a middle CA", nil, .accepts) { $0.middle = .root("middle") },
        .hierarchy("a P-384 root", nil, .accepts) { $0.root.key = Certificate.PrivateKey(P384.Signing.PrivateKey()) },
        .hierarchy("a P-384 leaf key", nil, .accepts) { $0.leaf.key = Certificate.PrivateKey(P384.Signing.PrivateKey()) },
        .hierarchy("a P-256 signature with SHA-384", nil, .accepts) { $0.leaf.signatureAlgorithm = .ecdsaWithSHA384 },
        .hierarchy("an RSA-2048 root", nil, .accepts) { $0.root.key = try Forge.rsa(bits: 2048) },
        .hierarchy("an RSA-3072 root with SHA-512", nil, .accepts) {
            $0.root.key = try Forge.rsa(bits: 3072)
            $0.issuing.signatureAlgorithm = .sha512WithRSAEncryption
        },
        .hierarchy("an RSA-2048 leaf key", nil, .accepts) { $0.leaf.key = try Forge.rsa(bits: 2048) },
        .hierarchy("a leaf without extended key usage", nil, .accepts) { $0.leaf.purposes = nil },
        .hierarchy("a leaf without basic constraints", nil, .accepts) { $0.leaf.basicConstraints = nil },
        .hierarchy("a DNS name beside the URI", nil, .accepts) { $0.leaf.names.append(.dnsName("api.example.org")) },
        .hierarchy("a leaf with a subject", nil, .accepts) { $0.leaf.subject = Forge.name("api") },
        .hierarchy("further key usages of the leaf", nil, .accepts) {
            $0.leaf.keyUsage = KeyUsage(digitalSignature: true, keyEncipherment: true)
        },
        .hierarchy(
            "a root without key usage", nil,
            .refusesSince("RFC 5280 wants it in every CA; the roots that tools make by default lack it, and are roots by fiat")
        ) { $0.root.keyUsage = nil },
        .hierarchy("an issuing certificate for TLS servers and clients", nil, .accepts) {
            $0.issuing.purposes = [.serverAuth, .clientAuth]
        },
        .hierarchy("an unknown extension that is not critical", nil, .accepts) {
            $0.leaf.further = [.init(oid: [1, 3, 6, 1, 4, 1, 99_999, 1], critical: false, value: [0x05, 0x00])]
        },
        .hierarchy("a validity beyond 2049, in the other form of time", nil, .accepts) {
            $0.root.notAfter = Timestamp(seconds: 4_000_000_000)
        },
        .hierarchy("valid to this very second", nil, .refusesSince("OpenSSL counts the last second as past")) {
            $0.leaf.notAfter = Forge.now
        },
        .hierarchy("valid from this very second", nil, .accepts) { $0.leaf.notBefore = Forge.now },
        .hierarchy("a path length that is just enough", nil, .accepts) {
            $0.middle = .root("middle")
            $0.middle?.basicConstraints = .isCertificateAuthority(maxPathLength: 1)
            $0.root.basicConstraints = .isCertificateAuthority(maxPathLength: 2)
        },
        .chain("the root sent along", nil, .accepts) { $0.chain.append($0.roots[0]) },
        .chain("the same certificate twice", nil, .accepts) { $0.chain.append($0.chain[1]) },
        ChainVerifierCase("a leaf signed by the root itself", nil, .accepts) {
            let root = CertificateBlueprint.root()
            return Scenario(chain: [try CertificateBlueprint.leaf().signed(by: root)], roots: [try root.selfSigned()])
        },
    ]
}
