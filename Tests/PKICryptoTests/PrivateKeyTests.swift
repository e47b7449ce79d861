import Foundation
import PKI
import Testing
import X509

@testable import PKICrypto

@Suite(.timeLimit(.minutes(5))) struct PrivateKeyTests {
    @Test(arguments: KeyAlgorithm.allCases)
    func `openssl reads the PKCS#8 and finds the same public key`(algorithm: KeyAlgorithm) async throws {
        let key = try PrivateKey.generate(algorithm)
        let scratch = try ScratchDirectory()
        let file = try scratch.write("key.pem", key.pkcs8PEM().withUnsafeBytes { Array($0) })
        let checked = try await ExternalTool.openssl(["pkey", "-in", file, "-check", "-noout"])
        #expect(checked.isSuccess, "\(checked.text)")
        let answer = try await ExternalTool.openssl(["pkey", "-in", file, "-pubout"])
        #expect(answer.isSuccess, "\(answer.text)")
        #expect(try PEM.decode(answer.text, label: "PUBLIC KEY") == [key.subjectPublicKeyInfo])
        #expect(SubjectPublicKeyInfo.algorithm(of: key.subjectPublicKeyInfo) == algorithm)
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func `openssl verifies the signature`(algorithm: KeyAlgorithm) async throws {
        let key = try PrivateKey.generate(algorithm)
        let scratch = try ScratchDirectory()
        let message = SecureRandom.bytes(1000)
        let data = try scratch.write("message", message)
        let signature = try scratch.write("signature", key.signature(of: message))
        let publicKey = try scratch.write("key.pem", PEM.encode(label: "PUBLIC KEY", der: key.subjectPublicKeyInfo))
        let digest = algorithm == .ecP384 ? "-sha384" : "-sha256"
        let answer = try await ExternalTool.openssl(["dgst", digest, "-verify", publicKey, "-signature", signature, data])
        #expect(answer.isSuccess, "\(answer.text)")
    }

    @Test(arguments: KeyAlgorithm.allCases)
    func `a key is read back from its PKCS#8 and signs as before`(algorithm: KeyAlgorithm) throws {
        let key = try PrivateKey.generate(algorithm)
        let copy = try PrivateKey(pkcs8: key.pkcs8())
        #expect(copy.algorithm == algorithm)
        #expect(copy.subjectPublicKeyInfo == key.subjectPublicKeyInfo)
        #expect(copy.subjectKeyIdentifier == key.subjectKeyIdentifier)
        #expect(copy.fingerprint == key.fingerprint)
        #expect(try copy.pkcs8().isEqual(to: key.pkcs8()))
        let message: [UInt8] = [1, 2, 3]
        let publicKey = try Certificate.PublicKey(derEncoded: key.subjectPublicKeyInfo)
        #expect(PrivateKeyTests.isValid(try copy.signature(of: message), of: message, publicKey, algorithm))
    }

    @Test func `the PEM is the PKCS#8 in base64`() throws {
        for algorithm in [KeyAlgorithm.ecP256, .ecP384] {
            let key = try PrivateKey.generate(algorithm)
            let text = try key.pkcs8PEM().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            let der = try key.pkcs8().withUnsafeBytes { Array($0) }
            #expect(text == PEM.encode(label: "PRIVATE KEY", der: der))
        }
    }

    @Test func `no two keys are the same`() throws {
        let keys = try (0..<200).map { _ in try PrivateKey.generate(.ecP256).fingerprint }
        #expect(Set(keys).count == keys.count)
    }

    @Test func `the key identifier is the first 160 bits of the digest of the point`() throws {
        let key = try PrivateKey.generate(.ecP256)
        let point = Array(key.subjectPublicKeyInfo.suffix(65))
        #expect(point.first == 0x04)
        #expect(key.subjectKeyIdentifier == Array(Digest.sha256(point).prefix(20)))
    }

    @Test func `many tasks sign with one key at once`() async throws {
        for algorithm in [KeyAlgorithm.ecP256, .ecP384, .rsa2048] {
            let key = try PrivateKey.generate(algorithm)
            let publicKey = try Certificate.PublicKey(derEncoded: key.subjectPublicKeyInfo)
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        for round in 0..<(algorithm == .ecP256 ? 200 : 10) {
                            let message = Array("message \(number) \(round)".utf8)
                            let signature = try key.signature(of: message)
                            guard PrivateKeyTests.isValid(signature, of: message, publicKey, algorithm) else { return false }
                        }
                        return true
                    }
                }
                for try await isValid in group { #expect(isValid) }
            }
        }
    }

    @Test func `a digest of the wrong length is refused`() throws {
        let p256 = try PrivateKey.generate(.ecP256)
        let p384 = try PrivateKey.generate(.ecP384)
        #expect(throws: CryptoFailure.self) { try p256.sign(digest: [UInt8](repeating: 0, count: 48)) }
        #expect(throws: CryptoFailure.self) { try p384.sign(digest: [UInt8](repeating: 0, count: 32)) }
    }

    @Test func `bytes that are no PKCS#8, are cut off, or have more after them are refused`() throws {
        let whole = try PrivateKey.generate(.ecP256).pkcs8().withUnsafeBytes { Array($0) }
        for bytes in [[], [0x30], Array(whole.dropLast()), whole + [0], Array("-----BEGIN PRIVATE KEY-----".utf8)] {
            let failure = #expect(throws: CryptoFailure.self) { try PrivateKey(pkcs8: SecretBytes(bytes)) }
            #expect(failure?.operation == "read a PKCS#8 private key")
        }
    }

    @Test func `a private key with the public half of another is refused`() throws {
        var mixed = try PrivateKey.generate(.ecP256).pkcs8().withUnsafeBytes { Array($0) }
        let other = try PrivateKey.generate(.ecP256).subjectPublicKeyInfo.suffix(64)
        mixed.replaceSubrange((mixed.count - 64)..., with: other)
        #expect(throws: CryptoFailure.self) { try PrivateKey(pkcs8: SecretBytes(mixed)) }
    }

    @Test(arguments: ["ED25519", "RSA:1024", "EC:P-521"])
    func `a key of another algorithm is refused, and the known ones are named`(kind: String) async throws {
        let scratch = try ScratchDirectory()
        let pem = scratch.path("key.pem")
        let file = scratch.path("key.der")
        let parts = kind.split(separator: ":").map(String.init)
        var arguments = ["genpkey", "-algorithm", parts[0], "-out", pem]
        if parts[0] == "RSA" { arguments += ["-pkeyopt", "rsa_keygen_bits:\(parts[1])"] }
        if parts[0] == "EC" { arguments += ["-pkeyopt", "ec_paramgen_curve:\(parts[1])"] }
        let generated = try await ExternalTool.openssl(arguments)
        try #require(generated.isSuccess, "\(generated.text)")
        let converted = try await ExternalTool.openssl(
            ["pkcs8", "-topk8", "-nocrypt", "-in", pem, "-outform", "DER", "-out", file])
        try #require(converted.isSuccess, "\(converted.text)")
        let der = try Array(Data(contentsOf: URL(filePath: file)))
        let failure = #expect(throws: CryptoFailure.self) { try PrivateKey(pkcs8: SecretBytes(der)) }
        #expect(failure?.description.contains("EC-P256, EC-P384, RSA-2048, RSA-3072, RSA-4096") == true)
    }

    @Test func `a failure leaves nothing on the error queue for the next one`() throws {
        let first = #expect(throws: CryptoFailure.self) { try PrivateKey(pkcs8: SecretBytes([0x30, 0x03, 0x02, 0x01, 0x05])) }
        #expect(first?.reasons.isEmpty == false)
        #expect(CryptoFailure.drained("look").reasons.isEmpty)
    }

    private static func isValid(
        _ signature: [UInt8], of message: [UInt8], _ key: Certificate.PublicKey, _ algorithm: KeyAlgorithm
    ) -> Bool {
        switch algorithm.signatureAlgorithm {
        case .ecdsaWithSHA256: key.isValidSignature(signature, for: message, signatureAlgorithm: .ecdsaWithSHA256)
        case .ecdsaWithSHA384: key.isValidSignature(signature, for: message, signatureAlgorithm: .ecdsaWithSHA384)
        case .sha256WithRSAEncryption:
            key.isValidSignature(signature, for: message, signatureAlgorithm: .sha256WithRSAEncryption)
        }
    }
}
