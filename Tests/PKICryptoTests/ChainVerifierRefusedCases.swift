import Crypto
import PKI
import SwiftASN1
import X509

extension ChainVerifierCase {
    /// Chains with one defect each, in the order of the refusals.
    static let refused: [ChainVerifierCase] = [
        .hierarchy("an issuing certificate for code signing", .issuerExtendedKeyUsage(subject: issuingName), .refuses) {
            $0.issuing.purposes = [.codeSigning]
        },
        .hierarchy("an issuing certificate for servers alone", .issuerExtendedKeyUsage(subject: issuingName), .refuses) {
            $0.issuing.purposes = [.serverAuth]
        },
        .hierarchy("an issuing certificate that is no CA", .issuerNotCA(subject: issuingName), .refuses) {
            $0.issuing.basicConstraints = .notCertificateAuthority
        },
        .hierarchy("an issuing certificate without basic constraints", .issuerNotCA(subject: issuingName), .refuses) {
            $0.issuing.basicConstraints = nil
        },
        .hierarchy("a root that is no CA", .issuerNotCA(subject: rootName), .refuses) {
            $0.root.basicConstraints = .notCertificateAuthority
        },
        ChainVerifierCase("a leaf that signs a leaf", .issuerNotCA(subject: "CN=api,O=Signet"), .refuses) {
            let hierarchy = CertificateHierarchy()
            var signer = CertificateBlueprint.leaf()
            signer.subject = Forge.name("api")
            let below = try CertificateBlueprint.leaf("spiffe://payments/other").signed(by: signer)
            let chain = [below, try signer.signed(by: hierarchy.issuing)] + (try hierarchy.chain().dropFirst())
            return Scenario(chain: chain, roots: [try hierarchy.root.selfSigned()])
        },
        .hierarchy("an issuing certificate without keyCertSign", .issuerKeyUsage(subject: issuingName), .refuses) {
            $0.issuing.keyUsage = KeyUsage(cRLSign: true)
        },
        .hierarchy("an issuing certificate without key usage", .issuerKeyUsage(subject: issuingName), .refuses) {
            $0.issuing.keyUsage = nil
        },
        .hierarchy("a root without keyCertSign", .issuerKeyUsage(subject: rootName), .refuses) {
            $0.root.keyUsage = KeyUsage(digitalSignature: true)
        },
        .hierarchy("a CA as the leaf", .leafIsCA, .refuses) {
            $0.issuing.basicConstraints = .isCertificateAuthority(maxPathLength: 1)
            $0.leaf = .issuing("issuing 02")
        },
        .hierarchy("a leaf without digitalSignature", .leafKeyUsage, .refuses) {
            $0.leaf.keyUsage = KeyUsage(keyEncipherment: true)
        },
        .hierarchy("a leaf without key usage", .leafKeyUsage, .acceptsSince("RFC 5280 leaves it to the issuer")) {
            $0.leaf.keyUsage = nil
        },
        .hierarchy("a leaf with keyCertSign", .leafKeyUsage, .refuses) {
            $0.leaf.keyUsage = KeyUsage(digitalSignature: true, keyCertSign: true)
        },
        .hierarchy("a leaf with cRLSign", .leafKeyUsage, .refuses) {
            $0.leaf.keyUsage = KeyUsage(digitalSignature: true, cRLSign: true)
        },
        .hierarchy("a leaf whose key usage is not critical", .leafKeyUsage, .acceptsSince("RFC 5280 has it as SHOULD")) {
            $0.leaf.keyUsageIsCritical = false
        },
        .hierarchy("a leaf for servers alone", .leafExtendedKeyUsage, .refuses) { $0.leaf.purposes = [.serverAuth] },
        .hierarchy("a leaf for clients alone", .leafExtendedKeyUsage, .refuses) { $0.leaf.purposes = [.clientAuth] },
        .hierarchy("a leaf for code signing", .leafExtendedKeyUsage, .refuses) { $0.leaf.purposes = [.codeSigning] },
        .hierarchy(
            "a name of another trust domain than the issuing certificate's",
            .nameConstraint(subject: issuingName, name: leafName), .refuses
        ) { $0.issuing.nameConstraints = Forge.constraints(for: "orders") },
        .chain("no certificate", .noCertificate, .notAsked) { $0.chain = [] },
        .hierarchy("a leaf without names", .notOneURI(count: 0), .acceptsSince("it knows nothing of SPIFFE")) {
            $0.leaf.names = []
            $0.leaf.subject = Forge.name("api")
        },
        .hierarchy("a leaf with a DNS name alone", .notOneURI(count: 0), .acceptsSince("it knows nothing of SPIFFE")) {
            $0.leaf.names = [.dnsName("payments")]
        },
        .hierarchy("a leaf with two URIs", .notOneURI(count: 2), .acceptsSince("it knows nothing of SPIFFE")) {
            $0.leaf.names.append(.uniformResourceIdentifier("spiffe://payments/web"))
        },
        .hierarchy("a URI of another scheme", .notSPIFFEID(.wrongScheme), .acceptsSince("it knows nothing of SPIFFE")) {
            $0.leaf.names = [.uniformResourceIdentifier("https://payments/api")]
        },
        .hierarchy("a trust domain without a path", .notSPIFFEID(.missingPath), .acceptsSince("it knows nothing of SPIFFE")) {
            $0.leaf.names = [.uniformResourceIdentifier("spiffe://payments")]
        },
        .hierarchy(
            "a trust domain in upper case", .notSPIFFEID(.forbiddenByte(0x50, offset: 0)),
            .acceptsSince("it knows nothing of SPIFFE")
        ) { $0.leaf.names = [.uniformResourceIdentifier("spiffe://Payments/api")] },
        .hierarchy(
            "a NUL in the path", .notSPIFFEID(.forbiddenByte(0, offset: 4)), .acceptsSince("it knows nothing of SPIFFE")
        ) { $0.leaf.names = [.uniformResourceIdentifier("spiffe://payments/api\0.evil")] },
        .hierarchy("a CA below one of path length 0", .pathLength(subject: "CN=middle,O=Signet", limit: 0), .refuses) {
            $0.middle = .root("middle")
            $0.middle?.basicConstraints = .isCertificateAuthority(maxPathLength: 0)
        },
        .hierarchy("a CA too many below the root", .pathLength(subject: rootName, limit: 0), .refuses) {
            $0.root.basicConstraints = .isCertificateAuthority(maxPathLength: 0)
        },
        .chain("a leaf whose signature is broken", .signature(subject: leafName), .refuses) {
            $0.chain[0][$0.chain[0].count - 1] ^= 1
        },
        .chain("an issuing certificate whose signature is broken", .signature(subject: issuingName), .refuses) {
            $0.chain[1][$0.chain[1].count - 1] ^= 1
        },
        .chain("a root of the same name and another key", .signature(subject: issuingName), .refuses) {
            $0.roots = [try CertificateBlueprint.root().selfSigned()]
        },
        .chain(
            "eleven certificates", .tooLong(count: 11, limit: 10),
            .acceptsSince("it bounds the depth of the path, not what else is sent")
        ) { scenario in
            scenario.chain += try (0..<9).map { try CertificateBlueprint.root("junk \($0)").selfSigned() }
        },
        .hierarchy("an unknown critical extension of the leaf", .unknownCriticalExtension(oid: "1.3.6.1.4.1.99999.1"), .refuses) {
            $0.leaf.further = [.init(oid: [1, 3, 6, 1, 4, 1, 99_999, 1], critical: true, value: [0x05, 0x00])]
        },
        .hierarchy("an unknown critical extension above it", .unknownCriticalExtension(oid: "1.3.6.1.4.1.99999.1"), .refuses) {
            $0.issuing.further = [.init(oid: [1, 3, 6, 1, 4, 1, 99_999, 1], critical: true, value: [0x05, 0x00])]
        },
        .hierarchy(
            "an unknown trust domain", .unknownTrustDomain(try TrustDomain("orders")), .acceptsSince("it knows nothing of SPIFFE")
        ) {
            $0.leaf = .leaf("spiffe://orders/api")
        },
        .chain("a foreign root", .untrustedRoot(try TrustDomain("payments")), .refuses) {
            $0.roots = [try CertificateBlueprint.root("root 02").selfSigned()]
        },
        .chain("the issuing certificate left out", .untrustedRoot(try TrustDomain("payments")), .refuses) {
            $0.chain.removeLast()
        },
        .chain("a foreign root that is sent along", .untrustedRoot(try TrustDomain("payments")), .refuses) {
            $0.chain.append($0.roots[0])
            $0.roots = [try CertificateBlueprint.root("root 02").selfSigned()]
        },
        .chain("a self-signed leaf", .untrustedRoot(try TrustDomain("payments")), .refuses) {
            var leaf = CertificateBlueprint.leaf()
            leaf.subject = Forge.name("api")
            $0.chain = [try leaf.selfSigned()]
        },
        .hierarchy("an expired leaf", .expired(subject: leafName, notAfter: Forge.now - .seconds(1)), .refuses) {
            $0.leaf.notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("an expired issuing certificate", .expired(subject: issuingName, notAfter: Forge.now - .seconds(1)), .refuses)
        {
            $0.issuing.notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("an expired root", .expired(subject: rootName, notAfter: Forge.now - .seconds(1)), .refuses) {
            $0.root.notAfter = Forge.now - .seconds(1)
        },
        .hierarchy("a leaf before its time", .notYetValid(subject: leafName, notBefore: Forge.now + .seconds(1)), .refuses) {
            $0.leaf.notBefore = Forge.now + .seconds(1)
        },
        .hierarchy("a root before its time", .notYetValid(subject: rootName, notBefore: Forge.now + .seconds(1)), .refuses) {
            $0.root.notBefore = Forge.now + .seconds(1)
        },
        .hierarchy(
            "an RSA-1024 root", .weakAlgorithm(subject: rootName), .acceptsSince("at its security level 1; we ask for 2048 bits")
        ) {
            $0.root.key = try Forge.rsa(bits: 1024)
        },
        .hierarchy(
            "an RSA-1024 leaf key", .weakAlgorithm(subject: leafName),
            .acceptsSince("at its security level 1; we ask for 2048 bits")
        ) {
            $0.leaf.key = try Forge.rsa(bits: 1024)
        },
        .hierarchy(
            "a P-521 root", .weakAlgorithm(subject: issuingName), .acceptsSince("sound, but no proxy is bound to support it")
        ) {
            $0.root.key = Certificate.PrivateKey(P521.Signing.PrivateKey())
        },
        .hierarchy(
            "an Ed25519 leaf key", .weakAlgorithm(subject: leafName), .acceptsSince("sound, but Envoy does not support it")
        ) {
            $0.leaf.key = Certificate.PrivateKey(Curve25519.Signing.PrivateKey())
        },
        .hierarchy(
            "a signature with SHA-1", .weakAlgorithm(subject: issuingName),
            .acceptsSince("at its security level 1 for a CA's own")
        ) {
            $0.root.key = try Forge.rsa(bits: 2048)
            $0.issuing.signatureAlgorithm = .sha1WithRSAEncryption
        },
    ]

    /// Bytes that are no certificate that we read.
    static let undecodable: [ChainVerifierCase] = [
        .chain("a byte behind the certificate", .undecodable(detail: "invalidASN1Object"), .notAsked) { $0.chain[0].append(0) },
        .chain("a truncated certificate", .undecodable(detail: "truncatedASN1Field"), .refuses) { $0.chain[0].removeLast() },
        .chain("no byte", .undecodable(detail: "truncatedASN1Field"), .refuses) { $0.chain[0] = [] },
        .chain("junk behind a sound chain", .undecodable(detail: "invalidASN1Object"), .notAsked) {
            $0.chain.append([0x30, 0x00, 0x00])
        },
        .chain("over 64 KiB", .undecodable(detail: "65537 bytes are more than the 65536 accepted"), .refuses) {
            $0.chain[0] = [UInt8](repeating: 0x30, count: 65_537)
        },
        .hierarchy("a version 1", .undecodable(detail: "not version 3"), .refuses) { $0.issuing.version = .v1 },
        .chain("two different signature algorithms", .undecodable(detail: "two different signature algorithms"), .refuses) {
            $0.chain[0] = Forge.replacing([0xCE, 0x3D, 0x04, 0x03, 0x02], with: [0xCE, 0x3D, 0x04, 0x03, 0x03], in: $0.chain[0])
        },
        .chain("an extension that stands twice", .undecodable(detail: "the extension 2.5.29.14 stands twice"), .refuses) {
            $0.chain[0] = Forge.replacing([0x06, 0x03, 0x55, 0x1D, 0x23], with: [0x06, 0x03, 0x55, 0x1D, 0x0E], in: $0.chain[0])
        },
        .hierarchy(
            "257 names", .undecodable(detail: "257 names are more than the 256 accepted"), .acceptsSince("it has no such bound")
        ) {
            $0.leaf.names += (0..<256).map { .dnsName("n\($0)") }
        },
    ]
}
