import Testing

@testable import PKI

@Suite struct SubjectPublicKeyInfoTests {
    private static let point = [0x04] + [UInt8](repeating: 7, count: 64)
    private static let p256 = SubjectPublicKeyInfo.p256Prefix + point

    private static func rsa(bits: Int, exponent: UInt32 = 65_537, high: UInt8 = 0x80) -> [UInt8] {
        let modulus = [high] + [UInt8](repeating: 1, count: bits / 8 - 1)
        return DER.sequence(
            DER.sequence(DER.objectIdentifier(1, 2, 840, 113549, 1, 1, 1), DER.null),
            DER.bitString(DER.sequence(DER.integer(modulus), DER.integer(exponent))))
    }

    @Test func `every known algorithm is recognized`() {
        #expect(SubjectPublicKeyInfo.algorithm(of: SubjectPublicKeyInfoTests.p256) == .ecP256)
        let p384 = DER.sequence(
            DER.sequence(DER.objectIdentifier(1, 2, 840, 10045, 2, 1), DER.objectIdentifier(1, 3, 132, 0, 34)),
            DER.bitString([0x04] + [UInt8](repeating: 7, count: 96)))
        #expect(SubjectPublicKeyInfo.algorithm(of: p384) == .ecP384)
        #expect(SubjectPublicKeyInfo.algorithm(of: SubjectPublicKeyInfoTests.rsa(bits: 2048)) == .rsa2048)
        #expect(SubjectPublicKeyInfo.algorithm(of: SubjectPublicKeyInfoTests.rsa(bits: 3072)) == .rsa3072)
        #expect(SubjectPublicKeyInfo.algorithm(of: SubjectPublicKeyInfoTests.rsa(bits: 4096)) == .rsa4096)
    }

    @Test func `the P-256 prefix is what the encoder would write`() {
        let encoded = DER.sequence(
            DER.sequence(
                DER.objectIdentifier(1, 2, 840, 10045, 2, 1), DER.objectIdentifier(1, 2, 840, 10045, 3, 1, 7)),
            DER.bitString(SubjectPublicKeyInfoTests.point))
        #expect(encoded == SubjectPublicKeyInfoTests.p256)
        #expect(encoded.count == SubjectPublicKeyInfo.p256Count)
    }

    @Test func `weak, odd and foreign keys are not recognized`() {
        let rsa = SubjectPublicKeyInfoTests.rsa
        #expect(SubjectPublicKeyInfo.algorithm(of: rsa(1024, 65_537, 0x80)) == nil)
        #expect(SubjectPublicKeyInfo.algorithm(of: rsa(2048, 3, 0x80)) == nil)
        #expect(SubjectPublicKeyInfo.algorithm(of: rsa(2048, 65_537, 0x40)) == nil)
        var compressed = SubjectPublicKeyInfoTests.p256
        compressed[26] = 0x02
        #expect(SubjectPublicKeyInfo.algorithm(of: compressed) == nil)
        #expect(SubjectPublicKeyInfo.algorithm(of: []) == nil)
        #expect(SubjectPublicKeyInfo.algorithm(of: SubjectPublicKeyInfoTests.p256 + [0]) == nil)
        #expect(SubjectPublicKeyInfo.algorithm(of: Array(SubjectPublicKeyInfoTests.p256.dropLast())) == nil)
    }

    @Test func `the key bits are the contents of the bit string`() {
        #expect(
            SubjectPublicKeyInfo.keyBits(of: SubjectPublicKeyInfoTests.p256).map(Array.init) == SubjectPublicKeyInfoTests.point)
        let rsa = SubjectPublicKeyInfoTests.rsa(bits: 2048)
        #expect(SubjectPublicKeyInfo.keyBits(of: rsa)?.count == 270)
        #expect(SubjectPublicKeyInfo.keyBits(of: [0x30, 0x00]) == nil)
    }
}
