import PKI
import PKICrypto
import Testing

@Suite struct DigestTests {
    /// FIPS 180-4's examples.
    @Test func `SHA-256 and SHA-384 agree with the published vectors`() {
        #expect(Hex.encode(Digest.sha256("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            Hex.encode(Digest.sha256([UInt8]())) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hex.encode(Digest.sha384(Array("abc".utf8)))
                == "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7")
    }

    @Test func `a sequence without contiguous storage has the same digest`() {
        let bytes = Array(UInt8.min...UInt8.max)
        #expect(Digest.sha256(bytes.lazy.map { $0 }) == Digest.sha256(bytes))
        #expect(Digest.sha256(bytes[10...]) == Digest.sha256(Array(bytes[10...])))
    }

    /// RFC 4231 §4.2, §4.3 and §4.7, whose key is longer than a block.
    @Test func `HMAC-SHA256 agrees with the published vectors`() {
        #expect(
            Hex.encode(Digest.hmacSHA256(key: [UInt8](repeating: 0x0B, count: 20), message: "Hi There".utf8))
                == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        #expect(
            Hex.encode(Digest.hmacSHA256(key: "Jefe".utf8, message: "what do ya want for nothing?".utf8))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Hex.encode(
                Digest.hmacSHA256(
                    key: [UInt8](repeating: 0xAA, count: 131),
                    message: "Test Using Larger Than Block-Size Key - Hash Key First".utf8))
                == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
    }

    @Test func `comparison sees every difference`() {
        let bytes = SecureRandom.bytes(32)
        #expect(Digest.constantTimeEqual(bytes, bytes))
        #expect(Digest.constantTimeEqual([], []))
        #expect(!Digest.constantTimeEqual(bytes, Array(bytes.dropLast())))
        for index in bytes.indices {
            var other = bytes
            other[index] ^= 1
            #expect(!Digest.constantTimeEqual(bytes, other))
        }
    }

    @Test func `random octets do not repeat`() {
        #expect(Set((0..<1000).map { _ in SecureRandom.bytes(16) }).count == 1000)
        #expect(SecureRandom.bytes(0).isEmpty)
    }
}
