import CertificateProfiles
import PKI
import PKICrypto
import Testing

/// What programs from outside say of the certificates: OpenSSL's strict verification and its text, and pkilint.
@Suite(.timeLimit(.minutes(10))) struct IssuedVerdictTests {
    private static func verify(
        _ scratch: ScratchDirectory, root: [UInt8], untrusted: [[UInt8]], leaf: [UInt8]
    ) async throws -> ExternalTool.Answer {
        let anchors = try scratch.write("root.pem", root.pem)
        let between = try scratch.write("untrusted.pem", untrusted.map(\.pem).joined())
        let end = try scratch.write("leaf.pem", leaf.pem)
        return try await ExternalTool.openssl(
            ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", anchors, "-untrusted", between, end])
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func `openssl verifies every chain strictly`(algorithm: KeyAlgorithm) async throws {
        let hierarchy = try IssuedHierarchy(rootKey: algorithm, nextRootKey: algorithm)
        let scratch = try ScratchDirectory()
        let own = try await IssuedVerdictTests.verify(
            scratch, root: hierarchy.root.certificate, untrusted: [hierarchy.issuing.certificate], leaf: hierarchy.leaf)
        #expect(own.isSuccess, "\(own.text)")
        let next = try await IssuedVerdictTests.verify(
            scratch, root: hierarchy.nextRoot.certificate, untrusted: [hierarchy.nextIssuing.certificate, hierarchy.cross],
            leaf: hierarchy.nextLeaf)
        #expect(next.isSuccess, "\(next.text)")
        let crossed = try await IssuedVerdictTests.verify(
            scratch, root: hierarchy.root.certificate, untrusted: [hierarchy.nextIssuing.certificate, hierarchy.cross],
            leaf: hierarchy.nextLeaf)
        #expect(crossed.isSuccess, "\(crossed.text)")
        let uncrossed = try await IssuedVerdictTests.verify(
            scratch, root: hierarchy.root.certificate, untrusted: [hierarchy.nextIssuing.certificate],
            leaf: hierarchy.nextLeaf)
        #expect(!uncrossed.isSuccess)
    }

    @Test func `openssl refuses a leaf of another trust domain under a constrained issuing certificate`() async throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256)
        let template = try CertificateTemplate(
            leaf: ProfileCatalog.embedded().leaf, under: hierarchy.issuing.description,
            identity: SPIFFEID("spiffe://orders/web"))
        let foreign = try template.prepare(
            serial: SerialNumber.random(), notBefore: hierarchy.now - .seconds(10),
            notAfter: hierarchy.now + .seconds(3600), publicKey: hierarchy.leafKey.subjectPublicKeyInfo
        ).sign(with: hierarchy.issuing.key)
        let answer = try await IssuedVerdictTests.verify(
            ScratchDirectory(), root: hierarchy.root.certificate, untrusted: [hierarchy.issuing.certificate], leaf: foreign)
        #expect(!answer.isSuccess)
        #expect(answer.text.contains("permitted subtree violation"), "\(answer.text)")
    }

    @Test(arguments: [Int64(2_524_607_990), 2_524_608_000])
    func `openssl reads validities on both sides of the end of 2049`(now: Int64) async throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256, now: Timestamp(seconds: now))
        let scratch = try ScratchDirectory()
        let file = try scratch.write("leaf.pem", hierarchy.leaf.pem)
        let answer = try await ExternalTool.openssl(["x509", "-in", file, "-noout", "-startdate", "-dateopt", "iso_8601"])
        #expect(answer.text == "notBefore=\((Timestamp(seconds: now - 10)).iso8601.replacing("T", with: " "))\n")
    }

    @Test func `openssl's text shows what each kind is`() async throws {
        let hierarchy = try IssuedHierarchy(rootKey: .rsa2048)
        let scratch = try ScratchDirectory()
        func text(_ certificate: [UInt8]) async throws -> String {
            let file = try scratch.write("certificate.pem", certificate.pem)
            let answer = try await ExternalTool.openssl(["x509", "-in", file, "-noout", "-text"])
            // One space between words, so that the layout does not matter.
            return answer.text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        let root = try await text(hierarchy.root.certificate)
        #expect(root.contains("Subject: O = Signet, CN = root "))
        #expect(root.contains("Signature Algorithm: sha256WithRSAEncryption"))
        #expect(root.contains("X509v3 Basic Constraints: critical CA:TRUE X509v3"))
        #expect(root.contains("X509v3 Key Usage: critical Certificate Sign, CRL Sign X509v3"))
        let issuing = try await text(hierarchy.issuing.certificate)
        #expect(issuing.contains("Subject: O = Signet, CN = issuing "))
        #expect(issuing.contains("X509v3 Basic Constraints: critical CA:TRUE, pathlen:0"))
        #expect(
            issuing.contains(
                "X509v3 Name Constraints: critical Permitted: URI:payments Excluded: DNS: IP:0.0.0.0/0.0.0.0 IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0"
            ),
            "\(issuing)")
        let leaf = try await text(hierarchy.leaf)
        #expect(leaf.contains("Subject: Subject Public Key Info"), "\(leaf)")
        #expect(leaf.contains("X509v3 Basic Constraints: critical CA:FALSE"))
        #expect(leaf.contains("X509v3 Key Usage: critical Digital Signature X509v3"))
        #expect(leaf.contains("X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication"))
        #expect(leaf.contains("X509v3 Subject Alternative Name: critical URI:spiffe://payments/api"))
    }

    /// Below NOTICE pkilint only says what it recognized. One finding is waived: pkilint wants a host with a dot in every URI, which `spiffe://payments` has not.
    @Test(arguments: KeyAlgorithm.allCases)
    func `pkilint finds nothing in any kind of certificate`(algorithm: KeyAlgorithm) async throws {
        let hierarchy = try IssuedHierarchy(rootKey: algorithm, nextRootKey: algorithm)
        let scratch = try ScratchDirectory()
        var certificates = [
            "root": hierarchy.root.certificate, "issuing": hierarchy.issuing.certificate, "cross": hierarchy.cross,
        ]
        // What is below the issuing certificate does not depend on the root's key.
        if algorithm == .ecP256 {
            let shared = try IssuedHierarchy(rootKey: algorithm, isSoleOwner: false, nameConstraints: false)
            certificates["leaf"] = hierarchy.leaf
            certificates["shared root"] = shared.root.certificate
            certificates["issuing without name constraints"] = shared.issuing.certificate
        }
        for (name, certificate) in certificates {
            let file = try scratch.write("\(name).pem", certificate.pem)
            let answer = try await ExternalTool.pkilint(["lint", "-s", "NOTICE", "-f", "CSV", file])
            // Node, validator, severity, code, message; the first line says so.
            let lines = answer.text.split(whereSeparator: \.isNewline)
            #expect(lines.first?.hasPrefix("node_path,") == true, "\(answer.text)")
            let findings = lines.dropFirst().filter { !$0.contains(",pkix.invalid_uri_syntax,") }
            #expect(findings.isEmpty, "\(name) under \(algorithm.rawValue)")
        }
    }

    @Test func `pkilint does find what is wrong`() async throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256)
        // A boolean that is neither true nor false in DER.
        let flag = DER.boolean(true)
        let start = try #require(
            hierarchy.root.certificate.indices.first {
                hierarchy.root.certificate[$0...].starts(with: DER.octetString(DER.sequence(flag)))
            })
        var broken = hierarchy.root.certificate
        broken[start + 6] = 1
        let file = try ScratchDirectory().write("broken.pem", broken.pem)
        let answer = try await ExternalTool.pkilint(["lint", "-s", "NOTICE", "-f", "CSV", file])
        #expect(answer.text.split(whereSeparator: \.isNewline).count > 1, "\(answer.text)")
    }
}
