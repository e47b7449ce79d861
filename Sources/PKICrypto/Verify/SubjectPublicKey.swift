import SwiftASN1
import X509

/// A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) as it stands in a certificate or CSR, and what kind of key it holds.
struct SubjectPublicKey: Sendable {
    /// The whole SubjectPublicKeyInfo, in DER.
    let der: ArraySlice<UInt8>
    /// Nil for a key that is not accepted: another algorithm, curve, point form or size.
    let kind: SubjectKeyKind?
    /// The kind, or the algorithm's object identifier where the kind is not accepted.
    let algorithmText: String

    init(_ node: ASN1Node) throws {
        let (identifier, algorithm, key) = try SwiftASN1.DER.sequence(node, identifier: .sequence) { nodes in
            guard let algorithm = nodes.next() else {
                throw MalformedDER("a public key without an algorithm")
            }
            let identifier = try SwiftASN1.DER.sequence(algorithm, identifier: .sequence) { parts in
                let identifier = try ASN1ObjectIdentifier(derEncoded: &parts)
                _ = parts.next()
                return identifier
            }
            return (identifier, algorithm.encodedBytes, try ASN1BitString(derEncoded: &nodes))
        }
        der = node.encodedBytes
        let kind = try SubjectPublicKey.kind(algorithm: Array(algorithm), key: key)
        self.kind = kind
        algorithmText = kind?.description ?? identifier.dotted
    }

    /// Loads the key for verification; nil if it is none, such as a point that is not on the curve.
    func verificationKey() -> Certificate.PublicKey? {
        guard kind != nil else { return nil }
        return try? Certificate.PublicKey(derEncoded: Array(der))
    }

    private static func kind(algorithm: [UInt8], key: ASN1BitString) throws -> SubjectKeyKind? {
        guard key.paddingBits == 0 else { return nil }
        switch algorithm {
        case p256: return isUncompressedPoint(key.bytes, count: 65) ? .ecP256 : nil
        case p384: return isUncompressedPoint(key.bytes, count: 97) ? .ecP384 : nil
        case rsa:
            let bits = try modulusBits(key.bytes)
            return SubjectKeyKind.acceptedRSABits.contains(bits) ? .rsa(bits: bits) : nil
        default: return nil
        }
    }

    /// RFC 5480 §2.2: the octet 04 and both coordinates, which every implementation must support.
    private static func isUncompressedPoint(_ point: ArraySlice<UInt8>, count: Int) -> Bool {
        point.count == count && point.first == 0x04
    }

    /// RFC 8017 §A.1.1: RSAPublicKey is a sequence of modulus and exponent.
    private static func modulusBits(_ key: ArraySlice<UInt8>) throws -> Int {
        try SwiftASN1.DER.sequence(SwiftASN1.DER.parse(key), identifier: .sequence) { nodes in
            let modulus = try ArraySlice<UInt8>(derEncoded: &nodes)
            _ = try ArraySlice<UInt8>(derEncoded: &nodes)
            let significant = modulus.drop { $0 == 0 }
            guard let first = significant.first else { return 0 }
            return significant.count * 8 - first.leadingZeroBitCount
        }
    }

    /// The AlgorithmIdentifiers of RFC 5480 §2.1.1 and RFC 8017 §A.1, in their one DER encoding.
    private static let p256: [UInt8] = [
        0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01,
        0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07,
    ]
    private static let p384: [UInt8] = [
        0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22,
    ]
    private static let rsa: [UInt8] = [
        0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]
}

extension ASN1ObjectIdentifier {
    /// The dotted form, such as `2.5.29.19`.
    ///
    /// The first encoded number holds two arcs, of which the first is at most 2 (X.690 §8.19.4).
    var dotted: String {
        var arcs = oidComponents
        if arcs.count >= 2, arcs[0] > 2 {
            arcs[1] += (arcs[0] - 2) * 40
            arcs[0] = 2
        }
        return arcs.map(String.init).joined(separator: ".")
    }
}
