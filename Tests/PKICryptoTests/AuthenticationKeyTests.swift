import PKI
import PKICrypto
import Testing

@Suite struct AuthenticationKeyTests {
    private static func code(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
        let key = AuthenticationKey(SecretBytes(key))
        return [UInt8](unsafeUninitializedCapacity: AuthenticationKey.codeCount) { buffer, count in
            message.withUnsafeBytes { key.writeCode(of: $0, to: UnsafeMutableRawBufferPointer(buffer)) }
            count = AuthenticationKey.codeCount
        }
    }

    /// Whose own vectors are RFC 4231's.
    @Test(arguments: [0, 1, 20, 32, 63, 64, 65, 131])
    func `its codes are HMAC-SHA256's`(keyCount: Int) {
        let key = (0..<keyCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        for count in [0, 1, 54, 55, 56, 63, 64, 65, 200] {
            let message = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 17) }
            #expect(AuthenticationKeyTests.code(key, message) == Digest.hmacSHA256(key: key, message: message))
        }
    }

    @Test func `one key makes many codes`() {
        let key = AuthenticationKey(SecretBytes([1, 2, 3]))
        var codes: [[UInt8]] = []
        for message in ["a", "b", "a"] {
            codes.append(
                [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
                    Array(message.utf8).withUnsafeBytes {
                        key.writeCode(of: $0, to: UnsafeMutableRawBufferPointer(buffer))
                    }
                    count = 32
                })
        }
        #expect(codes[0] == codes[2] && codes[0] != codes[1])
    }

    @Test func `it is not printed`() {
        let key = AuthenticationKey(SecretBytes("the-secret-text!".utf8))
        var dumped = ""
        dump(["a": [key]], to: &dumped)
        for line in ["\(key)", String(reflecting: key), dumped] {
            #expect(line.contains("redacted") && !line.contains("states"))
        }
    }
}
