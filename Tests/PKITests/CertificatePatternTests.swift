import Testing

@testable import PKI

/// The pattern is a short cut: whatever it fills in must be what the parts join to.
@Suite struct CertificatePatternTests {
    private static let identifier = [UInt8](repeating: 0xA5, count: 20)

    private static func profile(_ kind: CertificateRecord.Kind) throws -> CertificateProfile {
        try CertificateProfile(
            kind: kind, keys: [.ecP256, .ecP384],
            validity: CertificateProfile.Validity(backdate: .seconds(10), lifetime: .configured(otherwise: .seconds(3600))),
            subject: kind == .leaf ? .empty : kind == .cross ? .asNewRoot : .name(organization: "Signet", commonName: "ca {id}"),
            subjectAlternativeName: CertificateProfile.SubjectAlternativeName(
                uri: kind == .leaf ? .spiffeID : .trustDomain, isCritical: kind == .leaf),
            basicConstraints: kind == .leaf ? .endEntity : .authority(pathLength: 0),
            keyUsage: kind == .leaf ? [.digitalSignature] : [.keyCertSign],
            extendedKeyUsage: kind == .leaf ? [.serverAuth, .clientAuth] : [], nameConstraints: nil,
            hasAuthorityKeyIdentifier: kind != .root)
    }

    private static func templates() throws -> [CertificateTemplate] {
        let signers = try KeyAlgorithm.allCases.map { algorithm in
            SignerDescription(
                subject: try DistinguishedName(organization: "Signet", commonName: "signer"),
                subjectKeyIdentifier: [UInt8](repeating: 0xC3, count: 20), keyAlgorithm: algorithm)
        }
        let domain = try TrustDomain("payments")
        var templates: [CertificateTemplate] = []
        for signer in signers {
            // Short, and so long that the lengths take an octet more, inside and outside.
            for path in ["/a", "/" + String(repeating: "x", count: 60), "/" + String(repeating: "y", count: 2000)] {
                templates.append(
                    try CertificateTemplate(
                        leaf: profile(.leaf), under: signer, identity: SPIFFEID(trustDomain: domain, path: path)))
            }
            templates.append(
                try CertificateTemplate(
                    issuing: profile(.issuing), id: "01", under: signer, trustDomain: domain, nameConstraints: false))
        }
        let root = try #require(IssuerID("0123456789abcdef"))
        templates.append(try CertificateTemplate(root: profile(.root), id: root, trustDomain: domain, keyAlgorithm: .ecP256))
        // Its subject key identifier is the new root's own.
        templates.append(
            try CertificateTemplate(cross: profile(.cross), of: signers[0], trustDomain: domain, under: signers[1]))
        return templates
    }

    private static func key(_ random: inout SystemRandomNumberGenerator) -> [UInt8] {
        SubjectPublicKeyInfo.p256Prefix + [0x04] + (0..<64).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    @Test func `what is filled in is what the parts join to, whatever serial, times and key`() throws {
        var random = SystemRandomNumberGenerator()
        // Both ends of UTCTime, and beyond; leap days; midnight.
        let times: [Int64] = [
            -631_152_001, -631_152_000, -1, 0, 951_782_400, 1_800_000_000, 2_524_607_999, 2_524_608_000, 253_402_300_799,
        ]
        for template in try CertificatePatternTests.templates() {
            for notBefore in times {
                for notAfter in times where notBefore <= notAfter {
                    var octets = (0..<17).map { _ in UInt8.random(in: 0...255, using: &random) }
                    octets[0] = UInt8.random(in: 1...127, using: &random)
                    let serials = [SerialNumber(bytes: octets), SerialNumber(bytes: [0x80] + octets.dropFirst())]
                    for serial in serials + [SerialNumber(bytes: Array(octets.prefix(9)))] {
                        let key = CertificatePatternTests.key(&random)
                        let (begin, end) = (Timestamp(milliseconds: notBefore * 1000 + 999), Timestamp(seconds: notAfter))
                        guard begin <= end else { continue }
                        let filled = try template.tbsCertificate(
                            serial: serial, notBefore: begin, notAfter: end, publicKey: key,
                            subjectKeyIdentifier: CertificatePatternTests.identifier)
                        let joined = try template.joined(
                            serial: serial, notBefore: begin, notAfter: end, publicKey: key,
                            identifier: template.subjectKeyIdentifier ?? CertificatePatternTests.identifier)
                        #expect(filled == joined)
                    }
                }
            }
        }
    }

    @Test func `the pattern serves the commonest shape and no other`() throws {
        let parts = TBSCertificateParts(
            beforeValidity: [0x30, 0x00], subject: [0x30, 0x00], extensions: [UInt8](repeating: 0, count: 30),
            subjectKeyIdentifierOffset: 10)
        func isFilled(serial: [UInt8], notAfter: Int64, key: Int = SubjectPublicKeyInfo.p256Count) -> Bool {
            parts.pattern.filled(
                serial: SerialNumber(bytes: serial), notBefore: Timestamp(seconds: 0), notAfter: Timestamp(seconds: notAfter),
                publicKey: [UInt8](repeating: 7, count: key), identifier: CertificatePatternTests.identifier) != nil
        }
        let serial = [UInt8](repeating: 0x7F, count: 17)
        #expect(isFilled(serial: serial, notAfter: 1))
        #expect(!isFilled(serial: [0x80] + serial.dropFirst(), notAfter: 1))
        #expect(!isFilled(serial: [0x00] + serial.dropFirst(), notAfter: 1))
        #expect(!isFilled(serial: Array(serial.dropLast()), notAfter: 1))
        #expect(!isFilled(serial: [], notAfter: 1))
        #expect(!isFilled(serial: serial, notAfter: 2_524_608_000))
        #expect(!isFilled(serial: serial, notAfter: 1, key: 120))
    }

    @Test(arguments: [0, 60, 112, 113, 114, 115, 240, 241, 242, 500, 65_400, 65_420, 65_440, 65_500, 70_000])
    func `a certificate is the sequence of its three parts, however long`(tbs: Int) {
        let tbsCertificate = (0..<tbs).map { UInt8(truncatingIfNeeded: $0) }
        for algorithm in SignatureAlgorithm.allCases {
            for count in [8, 70, 71, 72, 126, 127, 128, 256, 384, 512] {
                let signature = [UInt8](repeating: 0x5A, count: count)
                let expected = DER.sequence(tbsCertificate, algorithm.identifier, DER.bitString(signature))
                let room = CertificateTemplate.certificateCount(
                    tbsCertificate: tbs, signatureAlgorithm: algorithm, signature: count)
                let written = [UInt8](unsafeUninitializedCapacity: room) { buffer, written in
                    written = tbsCertificate.withUnsafeBytes { tbs in
                        signature.withUnsafeBytes { signature in
                            CertificateTemplate.writeCertificate(
                                tbsCertificate: tbs, signatureAlgorithm: algorithm, signature: signature,
                                to: UnsafeMutableRawBufferPointer(buffer))
                        }
                    }
                }
                #expect(written == expected)
                #expect(room == expected.count)
            }
        }
    }
}
