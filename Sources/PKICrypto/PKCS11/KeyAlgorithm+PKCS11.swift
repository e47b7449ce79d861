import CPKCS11
internal import PKI

/// How keys of an algorithm are made and used in a token (PKCS #11 Current Mechanisms 2.40, §2.1 and §2.3).
extension KeyAlgorithm {
    var generation: CK_MECHANISM_TYPE {
        switch self {
        case .ecP256, .ecP384: CKM_EC_KEY_PAIR_GEN
        case .rsa2048, .rsa3072, .rsa4096: CKM_RSA_PKCS_KEY_PAIR_GEN
        }
    }

    var mechanism: CK_MECHANISM_TYPE {
        switch self {
        case .ecP256, .ecP384: CKM_ECDSA
        case .rsa2048, .rsa3072, .rsa4096: CKM_RSA_PKCS
        }
    }

    /// The template of a public key with its curve, or its size and exponent.
    func addingParameters(to template: PKCS11Attributes) -> PKCS11Attributes {
        switch self {
        case .ecP256: template.adding(CKA_EC_PARAMS, KeyAlgorithm.p256)
        case .ecP384: template.adding(CKA_EC_PARAMS, KeyAlgorithm.p384)
        case .rsa2048: template.adding(CKA_MODULUS_BITS, number: 2048).adding(CKA_PUBLIC_EXPONENT, [1, 0, 1])
        case .rsa3072: template.adding(CKA_MODULUS_BITS, number: 3072).adding(CKA_PUBLIC_EXPONENT, [1, 0, 1])
        case .rsa4096: template.adding(CKA_MODULUS_BITS, number: 4096).adding(CKA_PUBLIC_EXPONENT, [1, 0, 1])
        }
    }

    /// What the mechanism takes for a digest: CKM_ECDSA the digest, CKM_RSA_PKCS its DigestInfo (RFC 8017 §9.2).
    func signedData(of digest: [UInt8]) -> [UInt8] {
        switch self {
        case .ecP256, .ecP384: digest
        case .rsa2048, .rsa3072, .rsa4096:
            DER.sequence(
                DER.sequence(DER.objectIdentifier(2, 16, 840, 1, 101, 3, 4, 2, 1), DER.null), DER.octetString(digest))
        }
    }

    /// What the mechanism gives as certificates have it: CKM_ECDSA gives r and s, each as long as the order.
    func encoded(_ signature: [UInt8]) -> [UInt8] {
        switch self {
        case .ecP256, .ecP384:
            let half = signature.count / 2
            return DER.sequence(DER.integer(Array(signature[..<half])), DER.integer(Array(signature[half...])))
        case .rsa2048, .rsa3072, .rsa4096: return signature
        }
    }

    /// The SubjectPublicKeyInfo of a public key in the token; throws where it is none of this algorithm.
    func subjectPublicKeyInfo(
        of key: CK_OBJECT_HANDLE, in session: PKCS11Session
    ) throws(PKCS11Session.Fault) -> [UInt8] {
        let info: [UInt8]
        switch self {
        case .ecP256, .ecP384:
            let curve = self == .ecP256 ? KeyAlgorithm.p256 : KeyAlgorithm.p384
            // An OCTET STRING (§2.3.3); some modules give the bare point.
            let value = try session.attribute(CKA_EC_POINT, of: key)
            let count = self == .ecP256 ? 65 : 97
            let point = value.count == count ? value : Array(value.dropFirst(2))
            info = DER.sequence(DER.sequence(DER.objectIdentifier(1, 2, 840, 10045, 2, 1), curve), DER.bitString(point))
        case .rsa2048, .rsa3072, .rsa4096:
            let modulus = try session.attribute(CKA_MODULUS, of: key)
            let exponent = try session.attribute(CKA_PUBLIC_EXPONENT, of: key)
            info = DER.sequence(
                DER.sequence(DER.objectIdentifier(1, 2, 840, 113549, 1, 1, 1), DER.null),
                DER.bitString(DER.sequence(DER.integer(modulus), DER.integer(exponent))))
        }
        guard SubjectPublicKeyInfo.algorithm(of: info) == self else {
            throw PKCS11Session.Fault(
                failure: .returned(
                    token: session.token, operation: "generate a key pair", code: "a public key that is no \(rawValue)"))
        }
        return info
    }

    /// The curves' names (RFC 5480 §2.1.1.1), as CKA_EC_PARAMS and as parameters of the algorithm.
    private static let p256 = DER.objectIdentifier(1, 2, 840, 10045, 3, 1, 7)
    private static let p384 = DER.objectIdentifier(1, 3, 132, 0, 34)
}
