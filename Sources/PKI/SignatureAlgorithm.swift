/// How a certificate is signed; follows from the signer's key.
package enum SignatureAlgorithm: Hashable, Sendable, CaseIterable {
    /// RFC 5758 §3.2.
    case ecdsaWithSHA256
    /// RFC 5758 §3.2.
    case ecdsaWithSHA384
    /// PKCS #1 v1.5 (RFC 4055 §5).
    case sha256WithRSAEncryption

    /// The AlgorithmIdentifier: ECDSA's without parameters (RFC 5758 §3.2), RSA's with NULL (RFC 4055 §5).
    package var identifier: [UInt8] {
        switch self {
        case .ecdsaWithSHA256: SignatureAlgorithm.ecdsaWithSHA256Identifier
        case .ecdsaWithSHA384: SignatureAlgorithm.ecdsaWithSHA384Identifier
        case .sha256WithRSAEncryption: SignatureAlgorithm.sha256WithRSAEncryptionIdentifier
        }
    }

    // Encoded once: every certificate has its signer's.
    private static let ecdsaWithSHA256Identifier = DER.sequence(DER.objectIdentifier(1, 2, 840, 10045, 4, 3, 2))
    private static let ecdsaWithSHA384Identifier = DER.sequence(DER.objectIdentifier(1, 2, 840, 10045, 4, 3, 3))
    private static let sha256WithRSAEncryptionIdentifier = DER.sequence(
        DER.objectIdentifier(1, 2, 840, 113549, 1, 1, 11), DER.null)
}

extension KeyAlgorithm {
    /// The algorithm that keys of this kind sign with: a digest as strong as the curve, SHA-256 with RSA.
    package var signatureAlgorithm: SignatureAlgorithm {
        switch self {
        case .ecP256: .ecdsaWithSHA256
        case .ecP384: .ecdsaWithSHA384
        case .rsa2048, .rsa3072, .rsa4096: .sha256WithRSAEncryption
        }
    }
}
