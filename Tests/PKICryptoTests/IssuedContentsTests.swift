import CertificateProfiles
import PKI
import PKICrypto
import SwiftASN1
import Testing
import X509

/// Reads every kind of certificate back with swift-certificates, field by field.
@Suite struct IssuedContentsTests {
    /// Identifier and criticality of each extension, sorted: the whole list, so that nothing else is there either.
    private static func extensions(_ certificate: Certificate) -> [String] {
        certificate.extensions.map { "\($0.oid)\($0.critical ? " critical" : "")" }.sorted()
    }

    private static func parse(_ der: [UInt8]) throws -> Certificate { try Certificate(derEncoded: der) }

    private static func keyIdentifier(_ certificate: Certificate) throws -> [UInt8] {
        Array(try #require(try certificate.extensions.subjectKeyIdentifier).keyIdentifier)
    }

    private static func authorityKeyIdentifier(_ certificate: Certificate) throws -> [UInt8]? {
        try certificate.extensions.authorityKeyIdentifier?.keyIdentifier.map(Array.init)
    }

    private static func names(_ certificate: Certificate) throws -> [GeneralName] {
        try certificate.extensions.subjectAlternativeNames.map(Array.init) ?? []
    }

    private static let basicConstraints = "2.5.29.19 critical"
    private static let keyUsage = "2.5.29.15 critical"
    private static let extendedKeyUsage = "2.5.29.37"
    private static let nameConstraints = "2.5.29.30 critical"
    private static let subjectKeyIdentifier = "2.5.29.14"
    private static let authorityKeyIdentifier = "2.5.29.35"
    private static let subjectAlternativeName = "2.5.29.17"

    @Test(arguments: KeyAlgorithm.allCases)
    func `a root is a self-signed CA`(algorithm: KeyAlgorithm) throws {
        let hierarchy = try IssuedHierarchy(rootKey: algorithm)
        let root = try IssuedContentsTests.parse(hierarchy.root.certificate)
        #expect(root.version == .v3)
        #expect(root.subject == root.issuer)
        #expect(root.subject.description.contains("CN=root "))
        #expect(root.subject.description.contains("O=Signet"))
        #expect(root.publicKey.isValidSignature(root.signature, for: root))
        #expect(try root.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
        #expect(try root.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
        #expect(try IssuedContentsTests.names(root) == [.uniformResourceIdentifier("spiffe://payments")])
        #expect(try IssuedContentsTests.keyIdentifier(root) == hierarchy.root.key.subjectKeyIdentifier)
        #expect(
            IssuedContentsTests.extensions(root)
                == [
                    IssuedContentsTests.basicConstraints, IssuedContentsTests.keyUsage,
                    IssuedContentsTests.subjectKeyIdentifier, IssuedContentsTests.subjectAlternativeName,
                ].sorted())
        let expected: Certificate.SignatureAlgorithm =
            switch algorithm.signatureAlgorithm {
            case .ecdsaWithSHA256: .ecdsaWithSHA256
            case .ecdsaWithSHA384: .ecdsaWithSHA384
            case .sha256WithRSAEncryption: .sha256WithRSAEncryption
            }
        #expect(root.signatureAlgorithm == expected)
    }

    @Test func `a shared root has no subject alternative name`() throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256, isSoleOwner: false)
        for certificate in [hierarchy.root.certificate, hierarchy.cross] {
            let parsed = try IssuedContentsTests.parse(certificate)
            #expect(!IssuedContentsTests.extensions(parsed).contains(IssuedContentsTests.subjectAlternativeName))
        }
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func `an issuing certificate is held to its trust domain`(algorithm: KeyAlgorithm) throws {
        let hierarchy = try IssuedHierarchy(rootKey: algorithm)
        let root = try IssuedContentsTests.parse(hierarchy.root.certificate)
        let issuing = try IssuedContentsTests.parse(hierarchy.issuing.certificate)
        #expect(issuing.issuer == root.subject)
        #expect(issuing.subject.description.contains("CN=issuing "))
        #expect(root.publicKey.isValidSignature(issuing.signature, for: issuing))
        #expect(try issuing.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: 0))
        #expect(try issuing.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
        #expect(try IssuedContentsTests.names(issuing) == [.uniformResourceIdentifier("spiffe://payments")])
        #expect(try IssuedContentsTests.keyIdentifier(issuing) == hierarchy.issuing.key.subjectKeyIdentifier)
        #expect(try IssuedContentsTests.authorityKeyIdentifier(issuing) == IssuedContentsTests.keyIdentifier(root))
        let constraints = try #require(try issuing.extensions.nameConstraints)
        #expect(Array(constraints.permittedURIDomains) == ["payments"])
        #expect(constraints.permittedSubtrees.count == 1)
        #expect(Array(constraints.excludedDNSDomains) == [""])
        #expect(
            constraints.excludedIPRanges.map { [UInt8]($0.bytes) } == [
                .init(repeating: 0, count: 8), .init(repeating: 0, count: 32),
            ])
        #expect(constraints.excludedSubtrees.count == 3)
        #expect(
            IssuedContentsTests.extensions(issuing)
                == [
                    IssuedContentsTests.basicConstraints, IssuedContentsTests.keyUsage, IssuedContentsTests.nameConstraints,
                    IssuedContentsTests.subjectKeyIdentifier, IssuedContentsTests.authorityKeyIdentifier,
                    IssuedContentsTests.subjectAlternativeName,
                ].sorted())
    }

    @Test func `name constraints are left out where the mesh asks for that`() throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256, nameConstraints: false)
        let issuing = try IssuedContentsTests.parse(hierarchy.issuing.certificate)
        #expect(!IssuedContentsTests.extensions(issuing).contains(IssuedContentsTests.nameConstraints))
    }

    @Test func `a leaf has one name, its SPIFFE ID, and nothing of a CA`() throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256)
        let issuing = try IssuedContentsTests.parse(hierarchy.issuing.certificate)
        let leaf = try IssuedContentsTests.parse(hierarchy.leaf)
        #expect(leaf.subject.isEmpty)
        #expect(leaf.issuer == issuing.subject)
        #expect(issuing.publicKey.isValidSignature(leaf.signature, for: leaf))
        #expect(Array(leaf.publicKey.subjectPublicKeyInfoBytes) == Array(hierarchy.leafKey.subjectPublicKeyInfo.suffix(65)))
        #expect(try leaf.extensions.basicConstraints == .notCertificateAuthority)
        #expect(try leaf.extensions.keyUsage == KeyUsage(digitalSignature: true))
        #expect(try leaf.extensions.extendedKeyUsage == ExtendedKeyUsage([.serverAuth, .clientAuth]))
        #expect(try IssuedContentsTests.names(leaf) == [.uniformResourceIdentifier("spiffe://payments/api")])
        #expect(try IssuedContentsTests.keyIdentifier(leaf) == hierarchy.leafKey.subjectKeyIdentifier)
        #expect(try IssuedContentsTests.authorityKeyIdentifier(leaf) == IssuedContentsTests.keyIdentifier(issuing))
        #expect(Int64(leaf.notValidBefore.timeIntervalSince1970) == hierarchy.now.seconds - 10)
        #expect(Int64(leaf.notValidAfter.timeIntervalSince1970) == hierarchy.now.seconds + 86_400)
        #expect(leaf.serialNumber.bytes.count == 17)
        #expect((1...127).contains(try #require(leaf.serialNumber.bytes.first)))
        #expect(
            IssuedContentsTests.extensions(leaf)
                == [
                    IssuedContentsTests.basicConstraints, IssuedContentsTests.keyUsage,
                    IssuedContentsTests.extendedKeyUsage, IssuedContentsTests.subjectKeyIdentifier,
                    IssuedContentsTests.authorityKeyIdentifier, IssuedContentsTests.subjectAlternativeName + " critical",
                ].sorted())
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func `a cross certificate is the new root under the old one`(algorithm: KeyAlgorithm) throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256, nextRootKey: algorithm)
        let old = try IssuedContentsTests.parse(hierarchy.root.certificate)
        let new = try IssuedContentsTests.parse(hierarchy.nextRoot.certificate)
        let cross = try IssuedContentsTests.parse(hierarchy.cross)
        #expect(cross.subject == new.subject)
        #expect(cross.issuer == old.subject)
        #expect(cross.publicKey == new.publicKey)
        #expect(old.publicKey.isValidSignature(cross.signature, for: cross))
        #expect(try cross.extensions.basicConstraints == .isCertificateAuthority(maxPathLength: nil))
        #expect(try cross.extensions.keyUsage == KeyUsage(keyCertSign: true, cRLSign: true))
        #expect(try IssuedContentsTests.names(cross) == IssuedContentsTests.names(new))
        #expect(try IssuedContentsTests.keyIdentifier(cross) == IssuedContentsTests.keyIdentifier(new))
        #expect(try IssuedContentsTests.authorityKeyIdentifier(cross) == IssuedContentsTests.keyIdentifier(old))
        #expect(
            IssuedContentsTests.extensions(cross)
                == [
                    IssuedContentsTests.basicConstraints, IssuedContentsTests.keyUsage,
                    IssuedContentsTests.subjectKeyIdentifier, IssuedContentsTests.authorityKeyIdentifier,
                    IssuedContentsTests.subjectAlternativeName,
                ].sorted())
    }

    @Test func `the digest recorded before signing is that of the signed bytes`() throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256)
        let template = try CertificateTemplate(
            leaf: ProfileCatalog.embedded().leaf, under: hierarchy.issuing.description, identity: hierarchy.identity)
        let serial = SerialNumber.random()
        let prepared = try template.prepare(
            serial: serial, notBefore: hierarchy.now, notAfter: hierarchy.now + .seconds(60),
            publicKey: hierarchy.leafKey.subjectPublicKeyInfo)
        let digest = prepared.digest
        #expect(prepared.serial == serial)
        let certificate = try IssuedContentsTests.parse(prepared.sign(with: hierarchy.issuing.key))
        #expect(Digest.sha256(certificate.tbsCertificateBytes) == digest.bytes)
        #expect(Array(certificate.serialNumber.bytes) == serial.bytes)
    }

    @Test func `a key of another algorithm than the template's signer is refused`() throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP384)
        let template = try CertificateTemplate(
            leaf: ProfileCatalog.embedded().leaf, under: hierarchy.issuing.description, identity: hierarchy.identity)
        #expect(throws: CryptoFailure.self) {
            try template.prepare(
                serial: SerialNumber.random(), notBefore: hierarchy.now,
                notAfter: hierarchy.now, publicKey: hierarchy.leafKey.subjectPublicKeyInfo
            ).sign(with: hierarchy.root.key)
        }
    }
}
