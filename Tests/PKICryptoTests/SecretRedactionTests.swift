import PKI
import PKICrypto
import Testing

@Suite struct SecretRedactionTests {
    /// Every way in which a careless line could print a value.
    private static func printed(_ value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        var wrapped = ""
        dump(["a": [value]], to: &wrapped)
        return ["\(value)", String(describing: value), String(reflecting: value), "\([value])", dumped, wrapped]
    }

    @Test func `secret octets are not printed`() {
        let text = "the-secret-text!"
        let secret = SecretBytes(text.utf8)
        for line in SecretRedactionTests.printed(secret) {
            #expect(line.contains("redacted"))
            #expect(!line.contains(text))
            #expect(!line.contains(Hex.encode(text.utf8)))
            #expect(!line.contains("memory"))
        }
    }

    @Test func `keys are not printed`() throws {
        let key = try PrivateKey.generate(.ecP256)
        for line in SecretRedactionTests.printed(key) {
            #expect(line.contains("private key (EC-P256, redacted)"))
            #expect(!line.contains("kind"))
        }
        let sealing = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        for line in SecretRedactionTests.printed(sealing) {
            #expect(line.contains("key-encryption key \(sealing.id) (redacted)"))
            #expect(!line.contains("octets"))
        }
    }

    @Test func `a secret takes the octets out of the array it is made of`() {
        var bytes: [UInt8] = [1, 2, 3, 4]
        let secret = SecretBytes(wiping: &bytes)
        #expect(bytes == [0, 0, 0, 0])
        #expect(secret.withUnsafeBytes { Array($0) } == [1, 2, 3, 4])
        #expect(secret.isEqual(to: SecretBytes([1, 2, 3, 4])))
        #expect(!secret.isEqual(to: SecretBytes([1, 2, 3, 5])))
        #expect(!secret.isEqual(to: SecretBytes([1, 2, 3])))
        #expect(SecretBytes([]).isEqual(to: SecretBytes([])))
    }
}
