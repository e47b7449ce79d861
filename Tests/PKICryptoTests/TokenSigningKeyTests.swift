import CPKCS11
import CertificateProfiles
import Foundation
import PKI
import Testing
import TokenSupport

@testable import PKICrypto

/// Keys in a real PKCS #11 module, SoftHSM's.
@Suite(.timeLimit(.minutes(2))) struct TokenSigningKeyTests {
    private static func location(_ number: Int) async throws -> TokenLocation {
        let hsm = try await SoftHSM.inThisProcess()
        return hsm.location("unit-\(number)", pinFile: try hsm.writePIN(SoftHSM.unitPIN, named: "unit-\(number).pin"))
    }

    private static func freshID() -> String { Hex.encode(SecureRandom.bytes(8)) }

    @Test(arguments: KeyAlgorithm.allCases.filter { $0 != .rsa4096 })
    func `a root whose key was made in a token is signed by it, and openssl verifies both`(_ algorithm: KeyAlgorithm) async throws
    {
        let location = try await TokenSigningKeyTests.location(0)
        let id = IssuerID(random: SecureRandom.bytes(8))
        let key = try await PKCS11SigningKey.generate(algorithm, id: id.text, label: "a root", in: location)
        let profiles = try ProfileCatalog.embedded()
        let template = try CertificateTemplate(root: profiles.root, id: id, trustDomain: nil, keyAlgorithm: algorithm)
        let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let root = try await template.prepare(
            serial: .random(), notBefore: now, notAfter: now + .seconds(3600), publicKey: key.subjectPublicKeyInfo
        ).sign(by: key)
        // The key is found again by its id alone, and signs what stands below.
        let again = try PKCS11SigningKey(
            id: id.text, in: location, publicKey: CertificateFacts(der: root).subjectPublicKeyInfo)
        #expect(again.algorithm == algorithm)
        let leafKey = try PrivateKey.generate(.ecP256)
        let issuing = try await CertificateTemplate(
            issuing: profiles.issuing, id: "0123456789abcdef",
            under: SignerDescription(
                subject: template.subject, subjectKeyIdentifier: again.subjectKeyIdentifier, keyAlgorithm: algorithm),
            trustDomain: TrustDomain("payments"), nameConstraints: true
        ).prepare(
            serial: .random(), notBefore: now, notAfter: now + .seconds(60), publicKey: leafKey.subjectPublicKeyInfo
        ).sign(by: again)
        let scratch = try ScratchDirectory()
        let answer = try await ExternalTool.openssl([
            "verify", "-x509_strict", "-CAfile",
            try scratch.write("root.pem", PEM.encode(label: "CERTIFICATE", der: root)),
            try scratch.write("issuing.pem", PEM.encode(label: "CERTIFICATE", der: issuing)),
        ])
        #expect(answer.isSuccess, "\(answer.text)")
        let dump = try await ExternalTool.openssl(["verify", "-CAfile", scratch.path("root.pem"), scratch.path("root.pem")])
        #expect(dump.isSuccess, "\(dump.text)")
    }

    @Test func `the private key cannot be read, not even by whoever has the PIN`() async throws {
        let location = try await TokenSigningKeyTests.location(1)
        let id = TokenSigningKeyTests.freshID()
        for (algorithm, secret) in [(KeyAlgorithm.ecP256, CKA_VALUE), (.rsa2048, CKA_PRIVATE_EXPONENT)] {
            let key = try await PKCS11SigningKey.generate(
                algorithm, id: id + (algorithm == .ecP256 ? "01" : "02"), label: "a root", in: location)
            _ = key
            let octets = try #require(Hex.decode(id)) + [algorithm == .ecP256 ? 1 : 2]
            let failure = await #expect(throws: PKCS11Failure.self) {
                try await PKCS11Token.at(location).perform("read", pinFile: location.pinFile) {
                    session throws(PKCS11Session.Fault) in
                    let found = try session.objects(
                        PKCS11Attributes().adding(CKA_CLASS, number: CKO_PRIVATE_KEY).adding(CKA_ID, octets))
                    _ = try session.attribute(secret, of: found[0])
                }
            }
            guard case .returned(_, _, "CKR_ATTRIBUTE_SENSITIVE") = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
    }

    @Test func `a key that was put into the token extractable is not used`() async throws {
        let location = try await TokenSigningKeyTests.location(2)
        let id = SecureRandom.bytes(8)
        try await PKCS11Token.at(location).perform("make", pinFile: location.pinFile) {
            session throws(PKCS11Session.Fault) in
            var mechanism = CK_MECHANISM(mechanism: CKM_EC_KEY_PAIR_GEN, pParameter: nil, ulParameterLen: 0)
            var pair = (CK_OBJECT_HANDLE(0), CK_OBJECT_HANDLE(0))
            let common = PKCS11Attributes().adding(CKA_TOKEN, true).adding(CKA_ID, id)
            let code = KeyAlgorithm.ecP256.addingParameters(to: common).withAttributes { publicKey, publicCount in
                common.adding(CKA_EXTRACTABLE, true).adding(CKA_SENSITIVE, false).withAttributes { privateKey, count in
                    session.functions.pointee.C_GenerateKeyPair?(
                        session.handle, &mechanism, publicKey, publicCount, privateKey, count, &pair.0, &pair.1)
                }
            }
            try session.check(code, "make a key")
        }
        let key = try PKCS11SigningKey(
            id: Hex.encode(id), in: location, publicKey: PrivateKey.generate(.ecP256).subjectPublicKeyInfo)
        await #expect(
            throws: SigningFailure.token(.keyExtractable(token: "unit-2", key: "with the id \(Hex.encode(id))"))
        ) { try await key.signature(ofDigest: SecureRandom.bytes(32)) }
    }

    @Test func `a signature by another key than the certificate's is found out, and a key that is not there is named`()
        async throws
    {
        let location = try await TokenSigningKeyTests.location(2)
        let id = TokenSigningKeyTests.freshID()
        _ = try await PKCS11SigningKey.generate(.ecP256, id: id, label: "a root", in: location)
        let stranger = try PKCS11SigningKey(
            id: id, in: location, publicKey: PrivateKey.generate(.ecP256).subjectPublicKeyInfo)
        await #expect(throws: SigningFailure.token(.keyMismatch(token: "unit-2", key: "with the id \(id)"))) {
            try await stranger.signature(ofDigest: SecureRandom.bytes(32))
        }
        let missing = try PKCS11SigningKey(
            id: "00000000000000aa", in: location, publicKey: PrivateKey.generate(.ecP256).subjectPublicKeyInfo)
        await #expect(throws: PKCS11Failure.keyMissing(token: "unit-2", key: "with the id 00000000000000aa")) {
            try await missing.confirm()
        }
    }

    @Test func `a session that was lost with its login is opened anew`() async throws {
        let location = try await TokenSigningKeyTests.location(3)
        let key = try await PKCS11SigningKey.generate(.ecP256, id: TokenSigningKeyTests.freshID(), label: "a root", in: location)
        let module = try PKCS11Module.at(location.module)
        for _ in 0..<3 {
            let slot = try module.slot(ofToken: location.token)
            #expect(module.functions.pointee.C_CloseAllSessions?(slot) == CKR_OK)
            _ = try await key.signature(ofDigest: SecureRandom.bytes(32))
        }
    }

    @Test func `many at once are served one after the other`() async throws {
        let location = try await TokenSigningKeyTests.location(7)
        let key = try await PKCS11SigningKey.generate(.ecP384, id: TokenSigningKeyTests.freshID(), label: "a root", in: location)
        let signatures = try await withThrowingTaskGroup { group in
            for _ in 0..<100 { group.addTask { try await key.signature(ofDigest: SecureRandom.bytes(48)) } }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(signatures.count == 100)
    }

    @Test func `a wrong PIN is refused once, not tried again, and a corrected file is taken`() async throws {
        let hsm = try await SoftHSM.inThisProcess()
        let file = try hsm.writePIN("wrong", named: "unit-4.pin")
        let location = hsm.location("unit-4", pinFile: file)
        await #expect(throws: PKCS11Failure.pinRefused(token: "unit-4", pinFile: file, code: "CKR_PIN_INCORRECT")) {
            try await location.confirm()
        }
        for _ in 0..<5 {
            await #expect(throws: PKCS11Failure.pinKnownWrong(token: "unit-4", pinFile: file)) { try await location.confirm() }
        }
        _ = try hsm.writePIN(SoftHSM.unitPIN, named: "unit-4.pin")
        try await location.confirm()
        // Whoever is logged in already proves nothing for another file.
        let other = try hsm.writePIN("wrong again", named: "unit-4-other.pin")
        await #expect(throws: PKCS11Failure.pinRefused(token: "unit-4", pinFile: other, code: "CKR_PIN_INCORRECT")) {
            try await hsm.location("unit-4", pinFile: other).confirm()
        }
        try await location.confirm()
    }

    @Test func `a PIN file that others can read, that is empty or not there is refused, and the PIN stands in no message`()
        async throws
    {
        let hsm = try await SoftHSM.inThisProcess()
        for (name, pin, mode) in [("open.pin", "sesame 77", 0o644), ("empty.pin", "", 0o400)] {
            let file = try hsm.writePIN(pin, named: name, mode: mode)
            let failure = await #expect(throws: PKCS11Failure.self) {
                try await hsm.location("unit-5", pinFile: file).confirm()
            }
            #expect(failure?.description.contains(file) == true && failure?.description.contains("sesame") == false)
        }
        let failure = await #expect(throws: PKCS11Failure.self) {
            try await hsm.location("unit-5", pinFile: "/nowhere/pin").confirm()
        }
        #expect(failure?.description.contains("No such file") == true, "\(String(describing: failure))")
    }

    @Test func `a token that is not there is named with those that are`() async throws {
        let hsm = try await SoftHSM.inThisProcess()
        let location = hsm.location("nowhere", pinFile: try hsm.writePIN(SoftHSM.unitPIN, named: "nowhere.pin"))
        let failure = await #expect(throws: PKCS11Failure.self) { try await location.confirm() }
        guard case .tokenMissing("nowhere", _, let present) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(present.contains("unit-0"), "\(present)")
    }

    @Test(arguments: ["/nowhere/module.so", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "/etc/hostname"])
    func `a file that is no module is refused`(path: String) async throws {
        let hsm = try await SoftHSM.inThisProcess()
        let pin = try hsm.writePIN(SoftHSM.unitPIN, named: "module.pin")
        let failure = await #expect(throws: PKCS11Failure.self) {
            try await TokenLocation(module: path, token: "unit-0", pinFile: pin).confirm()
        }
        guard case .moduleUnusable = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test func `what was made for nothing is taken back`() async throws {
        let location = try await TokenSigningKeyTests.location(5)
        let id = TokenSigningKeyTests.freshID()
        let key = try await PKCS11SigningKey.generate(.ecP256, id: id, label: "a root", in: location)
        try await key.confirm()
        try await key.destroy()
        await #expect(throws: PKCS11Failure.keyMissing(token: "unit-5", key: "with the id \(id)")) { try await key.confirm() }
    }

    @Test func `an HSM that hangs is given up at the deadline, then left alone, and works again when it is back`() async throws {
        let scratch = try ScratchDirectory()
        let slow = try await SlowModule(in: scratch)
        let pin = scratch.path("pin")
        #expect(FileManager.default.createFile(atPath: pin, contents: Data("1".utf8), attributes: [.posixPermissions: 0o400]))
        let location = TokenLocation(module: slow.path, token: "slow", pinFile: pin)
        let token = PKCS11Token.at(location)
        try slow.hang()
        let isRun = ContinuousClock.now
        await #expect(throws: PKCS11Failure.deadline(token: "slow", operation: "sign")) {
            try await token.perform("sign", pinFile: pin, within: .milliseconds(300)) { _ throws(PKCS11Session.Fault) in }
        }
        #expect(ContinuousClock.now - isRun < .seconds(4))
        #expect(location.isPausing)
        // Whoever is in no hurry does not even ask.
        let failure = await #expect(throws: PKCS11Failure.self) {
            try await token.perform("sign", pinFile: pin) { _ throws(PKCS11Session.Fault) in }
        }
        guard case .pausing("slow", let cause) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(cause.contains("in time"))
        try slow.goOn()
        try await location.confirm()
        #expect(!location.isPausing)
        try await token.perform("sign", pinFile: pin) { _ throws(PKCS11Session.Fault) in }
    }
}
