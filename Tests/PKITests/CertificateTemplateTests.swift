import Testing

@testable import PKI

@Suite struct CertificateTemplateTests {
    private static let key = SubjectPublicKeyInfo.p256Prefix + [0x04] + [UInt8](repeating: 7, count: 64)
    private static let identifier = [UInt8](repeating: 0xA5, count: 20)

    private static func profile(
        kind: CertificateRecord.Kind = .leaf, subject: CertificateProfile.Subject = .empty,
        uri: CertificateProfile.SubjectAlternativeName.URI = .spiffeID, isCritical: Bool = true,
        constraints: CertificateProfile.BasicConstraints = .endEntity,
        usage: Set<CertificateProfile.KeyUsage> = [.digitalSignature], nameConstraints: CertificateProfile.NameConstraints? = nil,
        hasAuthorityKeyIdentifier: Bool = true
    ) throws -> CertificateProfile {
        try CertificateProfile(
            kind: kind, keys: [.ecP256],
            validity: CertificateProfile.Validity(backdate: .seconds(10), lifetime: .configured(otherwise: .seconds(3600))),
            subject: subject,
            subjectAlternativeName: CertificateProfile.SubjectAlternativeName(uri: uri, isCritical: isCritical),
            basicConstraints: constraints, keyUsage: usage, extendedKeyUsage: [.serverAuth, .clientAuth],
            nameConstraints: nameConstraints, hasAuthorityKeyIdentifier: hasAuthorityKeyIdentifier)
    }

    private static func signer(_ algorithm: KeyAlgorithm = .ecP256) throws -> SignerDescription {
        SignerDescription(
            subject: try DistinguishedName(organization: "Signet", commonName: "issuing 1"),
            subjectKeyIdentifier: [UInt8](repeating: 0xC3, count: 20), keyAlgorithm: algorithm)
    }

    private static func leaf() throws -> CertificateTemplate {
        try CertificateTemplate(leaf: profile(), under: signer(), identity: SPIFFEID("spiffe://payments/api"))
    }

    private static func tbs(
        _ template: CertificateTemplate, serial: SerialNumber = SerialNumber(random: Array(1...17)),
        from notBefore: Int64 = 1_700_000_000, to notAfter: Int64 = 1_700_003_600, key: [UInt8] = key
    ) throws -> [UInt8] {
        try template.tbsCertificate(
            serial: serial, notBefore: Timestamp(seconds: notBefore), notAfter: Timestamp(seconds: notAfter),
            publicKey: key, subjectKeyIdentifier: identifier)
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: part) }
    }

    @Test func `serial, validity, key and key identifier stand where they belong and nothing else changes`() throws {
        let template = try CertificateTemplateTests.leaf()
        let first = try CertificateTemplateTests.tbs(template)
        let serial = SerialNumber(random: [UInt8](repeating: 0x55, count: 17))
        let second = try CertificateTemplateTests.tbs(template, serial: serial)
        #expect(first.count == second.count)
        let differing = first.indices.filter { first[$0] != second[$0] }
        let start = try #require(differing.first)
        #expect(Array(second[start..<start + 17]) == serial.bytes)
        #expect(differing.allSatisfy { (start..<start + 17).contains($0) })
        #expect(CertificateTemplateTests.contains(first, CertificateTemplateTests.key))
        #expect(CertificateTemplateTests.contains(first, [0x04, 0x14] + CertificateTemplateTests.identifier))
        #expect(!CertificateTemplateTests.contains(first, [UInt8](repeating: 0, count: 20)))
    }

    @Test(
        arguments: [
            (2_524_607_000, 2_524_607_999, 2 * 15), (2_524_607_999, 2_524_608_000, 15 + 17),
            (2_524_608_000, 2_524_608_001, 2 * 17),
        ] as [(Int64, Int64, UInt8)])
    func `one template serves both forms of time`(notBefore: Int64, notAfter: Int64, count: UInt8) throws {
        let bytes = try CertificateTemplateTests.tbs(CertificateTemplateTests.leaf(), from: notBefore, to: notAfter)
        let times = try #require(DER.time(Timestamp(seconds: notBefore))) + #require(DER.time(Timestamp(seconds: notAfter)))
        #expect(CertificateTemplateTests.contains(bytes, [0x30, count] + times))
        var reader = DERReader(bytes[...])
        let contents = reader.read(tag: 0x30)
        #expect(contents?.count == bytes.count - 4)
        #expect(reader.isAtEnd)
    }

    @Test func `a serial of another length or with a high bit is encoded as a positive integer`() throws {
        let template = try CertificateTemplateTests.leaf()
        let bytes = try CertificateTemplateTests.tbs(template, serial: SerialNumber(bytes: [0x00, 0xFF]))
        #expect(CertificateTemplateTests.contains(bytes, [0x02, 0x02, 0x00, 0xFF]))
        let zero = try CertificateTemplateTests.tbs(template, serial: SerialNumber(bytes: []))
        #expect(CertificateTemplateTests.contains(zero, [0x02, 0x01, 0x00]))
    }

    @Test func `the signature algorithm is the signer's`() throws {
        for algorithm in KeyAlgorithm.allCases {
            let template = try CertificateTemplate(
                leaf: CertificateTemplateTests.profile(), under: CertificateTemplateTests.signer(algorithm),
                identity: SPIFFEID("spiffe://payments/api"))
            #expect(template.signatureAlgorithm == algorithm.signatureAlgorithm)
            let bytes = try CertificateTemplateTests.tbs(template)
            #expect(CertificateTemplateTests.contains(bytes, algorithm.signatureAlgorithm.identifier))
        }
    }

    @Test func `a key that the profile does not allow is refused`() throws {
        let template = try CertificateTemplateTests.leaf()
        let p384 = DER.sequence(
            DER.sequence(DER.objectIdentifier(1, 2, 840, 10045, 2, 1), DER.objectIdentifier(1, 3, 132, 0, 34)),
            DER.bitString([0x04] + [UInt8](repeating: 7, count: 96)))
        for key in [p384, [], [0x30, 0x00]] {
            #expect(throws: CertificateTemplateError.subjectKey(allowed: [.ecP256])) {
                try CertificateTemplateTests.tbs(template, key: key)
            }
        }
    }

    @Test func `a validity that ends before it begins, or beyond the year 9999, is refused`() throws {
        let template = try CertificateTemplateTests.leaf()
        #expect(
            throws: CertificateTemplateError.validity(notBefore: Timestamp(seconds: 2), notAfter: Timestamp(seconds: 1))
        ) { try CertificateTemplateTests.tbs(template, from: 2, to: 1) }
        #expect(
            throws: CertificateTemplateError.validity(
                notBefore: Timestamp(seconds: 2), notAfter: Timestamp(seconds: 253_402_300_800))
        ) { try CertificateTemplateTests.tbs(template, from: 2, to: 253_402_300_800) }
    }

    @Test func `a profile of another kind is refused`() throws {
        #expect(throws: CertificateTemplateError.profile(needed: .root, given: .leaf)) {
            try CertificateTemplate(
                root: CertificateTemplateTests.profile(), id: IssuerID(random: Array(0..<8)), trustDomain: nil,
                keyAlgorithm: .ecP256)
        }
    }

    @Test func `an id that makes the common name too long is refused`() throws {
        let profile = try CertificateTemplateTests.profile(
            kind: .issuing, subject: .name(organization: "Signet", commonName: "issuing {id}"), uri: .trustDomain,
            isCritical: false, constraints: .authority(pathLength: 0), usage: [.keyCertSign, .cRLSign])
        func template(_ id: String) throws -> CertificateTemplate {
            try CertificateTemplate(
                issuing: profile, id: id, under: CertificateTemplateTests.signer(), trustDomain: TrustDomain("payments"),
                nameConstraints: true)
        }
        #expect(throws: CertificateTemplateError.self) { try template(String(repeating: "a", count: 57)) }
        let longest = try template(String(repeating: "a", count: 56))
        #expect(
            CertificateTemplateTests.contains(longest.subject.der, Array("issuing \(String(repeating: "a", count: 56))".utf8)))
    }

    @Test func `profiles that contradict RFC 5280 or X509-SVID cannot be made`() {
        let make = CertificateTemplateTests.profile
        // A leaf that is a CA; that may sign certificates; whose only name is not critical; without a SPIFFE ID.
        #expect(throws: InvalidName.self) {
            try make(.leaf, .empty, .spiffeID, true, .authority(pathLength: nil), [.digitalSignature], nil, true)
        }
        #expect(throws: InvalidName.self) {
            try make(.leaf, .empty, .spiffeID, true, .endEntity, [.digitalSignature, .keyCertSign], nil, true)
        }
        #expect(throws: InvalidName.self) {
            try make(.leaf, .empty, .spiffeID, false, .endEntity, [.digitalSignature], nil, true)
        }
        #expect(throws: InvalidName.self) {
            try make(.leaf, .empty, .trustDomain, true, .endEntity, [.digitalSignature], nil, true)
        }
        // An issuing certificate that is no CA; a root with an authority key identifier; name constraints on a root.
        let name = CertificateProfile.Subject.name(organization: nil, commonName: "{id}")
        #expect(throws: InvalidName.self) { try make(.issuing, name, .trustDomain, false, .endEntity, [.keyCertSign], nil, true) }
        #expect(throws: InvalidName.self) {
            try make(.root, name, .trustDomain, false, .authority(pathLength: nil), [.keyCertSign], nil, true)
        }
        let constraints = CertificateProfile.NameConstraints(excludedDNSNames: [""], excludedAddresses: [])
        #expect(throws: InvalidName.self) {
            try make(.root, name, .trustDomain, false, .authority(pathLength: nil), [.keyCertSign], constraints, false)
        }
    }

    @Test func `lifetimes follow the profile's rule`() {
        let day = Duration.seconds(86_400)
        let configured = CertificateProfile.Lifetime.configured(otherwise: day)
        #expect(configured.duration(configured: nil, leaf: .seconds(1)) == day)
        #expect(configured.duration(configured: .seconds(20), leaf: .seconds(1)) == .seconds(20))
        let leaves = CertificateProfile.Lifetime.leaves(4, atLeast: day * 7)
        #expect(leaves.duration(configured: nil, leaf: day) == day * 7)
        #expect(leaves.duration(configured: nil, leaf: day * 2) == day * 8)
        #expect(CertificateProfile.Lifetime.untilLastLeaf.duration(configured: nil, leaf: day) == nil)
    }
}
