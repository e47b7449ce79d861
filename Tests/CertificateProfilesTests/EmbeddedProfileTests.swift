import PKI
import Testing

@testable import CertificateProfiles

@Suite struct EmbeddedProfileTests {
    private static let everyKey: [KeyAlgorithm] = [.ecP256, .ecP384, .rsa2048, .rsa3072, .rsa4096]
    private static let soleOwner = CertificateProfile.SubjectAlternativeName(uri: .trustDomainOfSoleOwner, isCritical: false)

    @Test func `the root's profile is a CA without a path length that signs itself`() throws {
        let root = try ProfileCatalog.embedded().root
        #expect(root.kind == .root)
        #expect(root.keys == EmbeddedProfileTests.everyKey)
        #expect(root.validity.backdate == .seconds(10))
        #expect(root.validity.lifetime == .configured(otherwise: .seconds(10 * 365 * 86_400)))
        #expect(root.subject == .name(organization: "Signet", commonName: "root {id}"))
        #expect(root.subjectAlternativeName == EmbeddedProfileTests.soleOwner)
        #expect(root.basicConstraints == .authority(pathLength: nil))
        #expect(root.keyUsage == [.keyCertSign, .cRLSign])
        #expect(root.extendedKeyUsage.isEmpty)
        #expect(root.nameConstraints == nil)
        #expect(!root.hasAuthorityKeyIdentifier)
    }

    @Test func `the issuing profile is a CA of path length zero held to one trust domain`() throws {
        let issuing = try ProfileCatalog.embedded().issuing
        #expect(issuing.kind == .issuing)
        #expect(issuing.keys == [.ecP256])
        #expect(issuing.validity.backdate == .seconds(10))
        #expect(issuing.validity.lifetime == .leaves(4, atLeast: .seconds(7 * 86_400)))
        #expect(issuing.subject == .name(organization: "Signet", commonName: "issuing {id}"))
        #expect(issuing.subjectAlternativeName.uri == .trustDomain)
        #expect(!issuing.subjectAlternativeName.isCritical)
        #expect(issuing.basicConstraints == .authority(pathLength: 0))
        #expect(issuing.keyUsage == [.keyCertSign, .cRLSign])
        #expect(issuing.extendedKeyUsage.isEmpty)
        #expect(issuing.nameConstraints?.excludedDNSNames == [""])
        #expect(issuing.nameConstraints?.excludedAddresses == [.everyIPv4, .everyIPv6])
        #expect(issuing.hasAuthorityKeyIdentifier)
    }

    @Test func `the leaf's profile is an X509-SVID`() throws {
        let leaf = try ProfileCatalog.embedded().leaf
        #expect(leaf.kind == .leaf)
        #expect(leaf.keys == [.ecP256])
        #expect(leaf.validity.backdate == .seconds(10))
        #expect(leaf.validity.lifetime == .configured(otherwise: .seconds(86_400)))
        #expect(leaf.subject == .empty)
        #expect(leaf.subjectAlternativeName.uri == .spiffeID)
        #expect(leaf.subjectAlternativeName.isCritical)
        #expect(leaf.basicConstraints == .endEntity)
        #expect(leaf.keyUsage == [.digitalSignature])
        #expect(leaf.extendedKeyUsage == [.serverAuth, .clientAuth])
        #expect(leaf.nameConstraints == nil)
        #expect(leaf.hasAuthorityKeyIdentifier)
    }

    @Test func `the cross certificate's profile takes the new root's name`() throws {
        let cross = try ProfileCatalog.embedded().cross
        #expect(cross.kind == .cross)
        #expect(cross.keys == EmbeddedProfileTests.everyKey)
        #expect(cross.validity.backdate == .seconds(10))
        #expect(cross.validity.lifetime == .untilLastLeaf)
        #expect(cross.subject == .asNewRoot)
        #expect(cross.subjectAlternativeName == EmbeddedProfileTests.soleOwner)
        #expect(cross.basicConstraints == .authority(pathLength: nil))
        #expect(cross.keyUsage == [.keyCertSign, .cRLSign])
        #expect(cross.nameConstraints == nil)
        #expect(cross.hasAuthorityKeyIdentifier)
    }
}
