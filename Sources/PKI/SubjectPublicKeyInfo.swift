/// The SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) of the keys that appear here: what its bytes say, and how P-256's are laid out.
package enum SubjectPublicKeyInfo {
    /// Everything of a P-256 key before its 65 octets of uncompressed point (RFC 5480 §2): 26 octets.
    package static let p256Prefix: [UInt8] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ]

    /// The octets of a whole P-256 SubjectPublicKeyInfo.
    package static let p256Count = 91

    /// The contents of the subjectPublicKey BIT STRING, which key identifiers are digests of (RFC 7093 §2).
    package static func keyBits(of info: [UInt8]) -> ArraySlice<UInt8>? {
        if isP256(info) { return info[p256Prefix.count...] }
        return parts(of: info)?.key
    }

    /// Which of the known algorithms the key is of; nil for every other key, and for bytes that are none.
    package static func algorithm(of info: [UInt8]) -> KeyAlgorithm? {
        if isP256(info) { return .ecP256 }
        guard let (identifier, key) = parts(of: info) else { return nil }
        if identifier.elementsEqual(p384Identifier) {
            return key.count == 97 && key.first == 0x04 ? .ecP384 : nil
        }
        guard identifier.elementsEqual(rsaIdentifier) else { return nil }
        var outer = DERReader(key)
        guard let numbers = outer.read(tag: 0x30), outer.isAtEnd else { return nil }
        var reader = DERReader(numbers)
        guard let modulus = reader.read(tag: 0x02), let exponent = reader.read(tag: 0x02), reader.isAtEnd,
            // 65537, the one exponent that every peer takes and that is not too small.
            exponent.elementsEqual([0x01, 0x00, 0x01]),
            // A sign octet, then a modulus whose highest bit is set.
            modulus.first == 0, let high = modulus.dropFirst().first, high >= 0x80
        else { return nil }
        switch modulus.count - 1 {
        case 256: return .rsa2048
        case 384: return .rsa3072
        case 512: return .rsa4096
        default: return nil
        }
    }

    private static func isP256(_ info: [UInt8]) -> Bool {
        info.count == p256Count && info.starts(with: p256Prefix) && info[p256Prefix.count] == 0x04
    }

    private static func parts(of info: [UInt8]) -> (identifier: ArraySlice<UInt8>, key: ArraySlice<UInt8>)? {
        var outer = DERReader(info[...])
        guard let contents = outer.read(tag: 0x30), outer.isAtEnd else { return nil }
        var reader = DERReader(contents)
        guard let identifier = reader.read(tag: 0x30), let bits = reader.read(tag: 0x03), reader.isAtEnd,
            bits.first == 0
        else { return nil }
        return (identifier, bits.dropFirst())
    }

    /// id-ecPublicKey with secp384r1 (RFC 5480 §2.1.1).
    private static let p384Identifier =
        DER.objectIdentifier(1, 2, 840, 10045, 2, 1) + DER.objectIdentifier(1, 3, 132, 0, 34)

    /// rsaEncryption with NULL parameters (RFC 3279 §2.3.1).
    private static let rsaIdentifier = DER.objectIdentifier(1, 2, 840, 113549, 1, 1, 1) + DER.null
}
