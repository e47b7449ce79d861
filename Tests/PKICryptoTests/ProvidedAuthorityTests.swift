import CertificateProfiles
import Foundation
import PKI
import PKICrypto
import Testing

/// Roots and keys that `openssl` made, as an operator would bring them.
@Suite(.timeLimit(.minutes(5))) struct `A root that is brought` {
    static let accepted: [String: KeyAlgorithm] = [
        "ec-p256": .ecP256, "ec-p384": .ecP384, "rsa-2048": .rsa2048, "rsa-3072": .rsa3072, "rsa-4096": .rsa4096,
        "path-length-1": .ecP256, "serial-1": .ecP256, "serial-20-octets": .ecP256, "with-uri": .ecP256, "constrained": .ecP256,
        "both-purposes": .ecP256, "own-authority-identifier": .ecP256, "key-sec1": .ecP256,
        "key-sec1-parameters": .ecP256, "key-pkcs1": .rsa2048, "key-with-text": .ecP256,
    ]

    /// The one problem of each: its field, and words of its reason.
    static let refused: [String: (field: ProvidedAuthorityProblem.Field, words: [String])] = [
        "leaf": (.certificate, ["'CN=api.example.org'", "not of a CA", "give the self-signed root"]),
        "self-signed-leaf": (.certificate, ["not of a CA", "give the self-signed root"]),
        "not-self-signed": (.certificate, ["not self-signed", "'CN=another root,O=Throw-away'", "end of its chain"]),
        "foreign-signature": (.certificate, ["not made with its own key"]),
        "foreign-authority-identifier": (.certificate, ["authority key identifier is not its own"]),
        "empty-subject": (.certificate, ["subject is empty"]),
        "no-ca-flag": (.certificate, ["no CA flag", "CA:TRUE"]),
        "path-length-0": (.certificate, ["path length is 0", "1 or more"]),
        "no-key-usage": (.certificate, ["lacks keyCertSign"]),
        "no-cert-sign": (.certificate, ["lacks keyCertSign"]),
        "key-agreement": (.certificate, ["has keyAgreement"]),
        "unknown-critical": (.certificate, ["critical extension 1.2.3.4"]),
        "expired": (.certificate, ["expired at 2021-01-01T00:00:00Z"]),
        "not-yet-valid": (.certificate, ["not valid before 2090-01-01T00:00:00Z"]),
        "no-subject-key-identifier": (.certificate, ["no subject key identifier"]),
        "md5": (.certificate, ["RSA with MD5", "SHA-256"]),
        "sha1": (.certificate, ["RSA with SHA-1", "SHA-256"]),
        "ecdsa-sha1": (.certificate, ["ECDSA with SHA-1", "SHA-256"]),
        "workload-uri": (.certificate, ["'spiffe://payments/api'", "SPIFFE ID of a workload"]),
        "shut-out": (.certificate, ["shut out the trust domain 'payments'"]),
        "excluded": (.certificate, ["shut out the trust domain 'payments'"]),
        "constrained-directory": (.certificate, ["directory names"]),
        "any-purpose": (.certificate, ["lacks serverAuth or clientAuth"]),
        "one-purpose": (.certificate, ["lacks serverAuth or clientAuth"]),
        "key-encrypted": (.key, ["is encrypted", "openssl pkey -in"]),
        "key-encrypted-traditional": (.key, ["is encrypted", "openssl pkey -in"]),
        "key-of-another": (.key, ["does not belong to the certificate", "EC-P256"]),
        "key-public": (.key, ["a block 'PUBLIC KEY'", "BEGIN PRIVATE KEY"]),
        "key-certificate": (.key, ["a block 'CERTIFICATE'", "BEGIN PRIVATE KEY"]),
        "key-empty": (.key, ["there is no private key: give"]),
        "key-twice": (.key, ["2 private keys where one is taken"]),
        "key-openssh": (.key, ["'OPENSSH PRIVATE KEY'", "convert it to PKCS#8"]),
    ]

    /// Those whose key is of a kind that neither the certificate nor the key may have.
    static let weak = [
        "ec-p521": "EC secp521r1", "ed25519": "ED25519", "rsa-1024": "RSA-1024",
        "rsa-exponent-3": "RSA-2048 with another exponent than 65537",
    ]

    @Test(arguments: accepted.sorted { $0.key < $1.key })
    func `is accepted, and told what it is`(name: String, algorithm: KeyAlgorithm) async throws {
        let root = try await ThrowAwayRoot(name)
        let authority = try root.authority(for: "payments", "orders")
        let facts = try CertificateFacts(der: root.der)
        #expect(authority.keyAlgorithm == algorithm)
        #expect(authority.certificate == root.der)
        #expect(authority.serial == facts.serial)
        #expect(authority.notBefore == facts.notBefore)
        #expect(authority.notAfter == facts.notAfter)
        #expect(authority.fingerprint == facts.fingerprint)
        #expect(authority.digest == facts.digest)
        #expect(authority.subject == facts.subjectName)
        #expect(authority.subjectKeyIdentifier == facts.subjectKeyIdentifier)
        #expect(authority.keyFingerprint == ProvidedAuthority.keyFingerprint(certificate: root.der))
        #expect(authority.keyFingerprint.bytes == Digest.sha256(authority.key.subjectPublicKeyInfo))
        #expect(ProvidedAuthority.problems(certificate: root.der, trustDomains: [], now: ThrowAwayRoot.now).isEmpty)
    }

    @Test(arguments: accepted.keys.sorted())
    func `signs issuing certificates whose leaves we and openssl accept`(name: String) async throws {
        let authority = try await ThrowAwayRoot(name).authority(for: "payments")
        let now = ThrowAwayRoot.now
        let chain = try ProvidedChain(under: authority, trustDomain: "payments", identity: "spiffe://payments/api", now: now)
        let trustDomain = try TrustDomain("payments")
        let verifier = try ChainVerifier(roots: [trustDomain: [authority.certificate]])
        #expect(try verifier.verify(chain: chain.certificates, at: now).identity.uri == "spiffe://payments/api")
        let verdict = try await OpenSSLVerifier().verdict(on: chain.certificates, roots: [authority.certificate], at: now)
        #expect(verdict.accepted, "openssl said: \(verdict.text)")
    }

    @Test(arguments: refused.keys.sorted())
    func `is refused for its one defect, and told what to do`(name: String) async throws {
        let problems = try await ThrowAwayRoot(name).problems()
        let expected = try #require(`A root that is brought`.refused[name])
        let problem = try #require(problems.first)
        #expect(problems.count == 1, "\(problems)")
        #expect(problem.field == expected.field)
        for words in expected.words { #expect(problem.reason.contains(words)) }
    }

    @Test(arguments: weak.sorted { $0.key < $1.key })
    func `is refused for the kind of its key, twice, since the key is refused too`(name: String, text: String) async throws {
        let problems = try await ThrowAwayRoot(name).problems()
        let certificate = problems.filter { $0.field == .certificate }.map(\.reason)
        #expect(certificate.contains { $0.hasPrefix("its key is \(text): give a root with a key of EC-P256, EC-P384, RSA-2048") })
        let key = problems.filter { $0.field == .key }.map(\.reason)
        #expect(key.count == 1)
        #expect(key.first?.contains("EC-P256, EC-P384, RSA-2048, RSA-3072, RSA-4096") == true)
    }

    @Test func `everything that is wrong is said at once`() async throws {
        let problems = try await ThrowAwayRoot("everything").problems()
        let words = [
            "path length is 0", "lacks keyCertSign", "has keyAgreement", "critical extension 1.2.3.4",
            "expired at 2021-01-01T00:00:00Z", "its key is RSA-1024", "RSA with SHA-1", "no subject key identifier",
            "lacks serverAuth or clientAuth", "SPIFFE ID of a workload", "shut out the trust domain 'payments'",
            "use this private key",
        ]
        for word in words { #expect(problems.contains { $0.reason.contains(word) }, "\(word)") }
        #expect(problems.count == words.count, "\(problems.map(\.reason))")
        #expect(problems.last?.field == .key)
        #expect(problems.dropLast().allSatisfy { $0.field == .certificate })
    }

    @Test func `every root that the script makes is expected here`() async throws {
        func names(_ kind: String) async throws -> Set<String> {
            let answer = try await ExternalTool.makeRoots(["--list", kind])
            try #require(answer.isSuccess, "\(answer.text)")
            return Set(answer.text.split(separator: "\n").map(String.init))
        }
        #expect(try await names("good") == Set(`A root that is brought`.accepted.keys))
        let known = Array(`A root that is brought`.refused.keys) + Array(`A root that is brought`.weak.keys) + ["everything"]
        #expect(try await names("bad") == Set(known))
    }

    @Test func `the script makes a root that can be brought when no name is given`() async throws {
        let scratch = try ScratchDirectory()
        let answer = try await ExternalTool.makeRoots([scratch.url.path])
        try #require(answer.isSuccess, "\(answer.text)")
        let files = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).sorted()
        #expect(files == ["ec-p256.key", "ec-p256.pem"])
        let mode = try FileManager.default.attributesOfItem(atPath: scratch.path("ec-p256.key"))[.posixPermissions]
        #expect(mode as? Int == 0o600)
    }

    @Test func `the command that the page on hierarchies prints makes one that is accepted`() async throws {
        let page = try String(contentsOf: ExternalTool.packageRoot.appending(path: "pki/hierarchies.md"), encoding: .utf8)
        let start = try #require(page.range(of: "openssl req -x509"))
        let end = try #require(page.range(of: "\n    signet ca import", range: start.lowerBound..<page.endIndex))
        let scratch = try ScratchDirectory()
        let answer = try await ExternalTool.typed(String(page[start.lowerBound..<end.lowerBound]), in: scratch.url)
        try #require(answer.isSuccess, "\(answer.text)")
        let pem = try String(contentsOf: scratch.url.appending(path: "root.pem"), encoding: .utf8)
        let key = try String(contentsOf: scratch.url.appending(path: "root.key"), encoding: .utf8)
        let authority = try ProvidedAuthority(
            certificate: ProvidedAuthority.certificate(pem: pem), key: key, trustDomains: [TrustDomain("payments")],
            now: ThrowAwayRoot.now)
        #expect(authority.keyAlgorithm == .ecP256)
    }

    @Test func `the end of its validity counts as valid, the second after does not`() async throws {
        let root = try await ThrowAwayRoot("ec-p256")
        let facts = try CertificateFacts(der: root.der)
        #expect(try root.problems(at: facts.notBefore).isEmpty)
        #expect(try root.problems(at: facts.notAfter).isEmpty)
        #expect(try root.problems(at: facts.notBefore - .seconds(1)).map(\.field) == [.certificate])
        let late = try root.problems(at: facts.notAfter + .seconds(1))
        #expect(late.map(\.reason) == ["it expired at \(facts.notAfter.iso8601): give a root that is valid now"])
    }

    @Test func `its name constraints are held against every trust domain that is to issue under it`() async throws {
        let root = try await ThrowAwayRoot("constrained")
        let refusal = #expect(throws: ProvidedAuthorityRefusal.self) {
            try root.authority(for: "payments", "billing", "accounts")
        }
        let reasons = refusal?.problems.map(\.reason) ?? []
        #expect(reasons.count == 2)
        #expect(reasons.first?.contains("'accounts'") == true)
        #expect(reasons.last?.contains("'billing'") == true)
        #expect(try root.authority().notAfter > ThrowAwayRoot.now)
        let others = try [TrustDomain("billing")]
        #expect(ProvidedAuthority.problems(certificate: root.der, trustDomains: others, now: ThrowAwayRoot.now).count == 1)
    }

    @Test func `is one certificate and not a chain, DER and nothing else`() async throws {
        let root = try await ThrowAwayRoot("ec-p256")
        #expect(throws: ProvidedAuthorityProblem.self) { try ProvidedAuthority.certificate(pem: root.key) }
        #expect(throws: ProvidedAuthorityProblem.self) { try ProvidedAuthority.certificate(pem: "") }
        let chain = #expect(throws: ProvidedAuthorityProblem.self) { try ProvidedAuthority.certificate(pem: root.pem + root.pem) }
        #expect(chain?.reason.contains("2 certificates where one is taken") == true)
        for bytes in [[], root.der + [0], root.der + root.der, Array(root.der.dropLast()), Array(root.pem.utf8)] {
            let refusal = #expect(throws: ProvidedAuthorityRefusal.self) {
                try ProvidedAuthority(certificate: bytes, key: root.key, trustDomains: [], now: ThrowAwayRoot.now)
            }
            #expect(refusal?.problems.map(\.field) == [.certificate])
            #expect(ProvidedAuthority.keyFingerprint(certificate: bytes) == nil)
        }
        let both = #expect(throws: ProvidedAuthorityRefusal.self) {
            try ProvidedAuthority(certificate: [0x30], key: "", trustDomains: [], now: ThrowAwayRoot.now)
        }
        #expect(both?.problems.map(\.field) == [.certificate, .key])
    }
}
