package import PKI

/// A private key that signs certificates, wherever it is: in memory, or in a token that it never leaves.
package protocol SigningKey: Sendable {
    var algorithm: KeyAlgorithm { get }
    /// The public key as SubjectPublicKeyInfo, DER.
    var subjectPublicKeyInfo: [UInt8] { get }

    /// The signature of a message by its digest (SHA-384 for P-384, SHA-256 for every other key); ECDSA's is DER (RFC 3279 §2.2.3).
    /// May wait for a device, never on a cooperative thread, and never without a deadline.
    func signature(ofDigest digest: [UInt8]) async throws(SigningFailure) -> [UInt8]
}

/// Why there is no signature.
package enum SigningFailure: Error, Hashable, Sendable {
    case crypto(CryptoFailure)
    case token(PKCS11Failure)
}

extension SigningFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .crypto(let failure): failure.description
        case .token(let failure): failure.description
        }
    }
}

extension SigningKey {
    /// The identifier of the public key in certificates, 20 octets.
    package var subjectKeyIdentifier: [UInt8] { SubjectPublicKeyInfo.keyIdentifier(of: subjectPublicKeyInfo) }
}

extension PrivateKey: SigningKey {
    package func signature(ofDigest digest: [UInt8]) async throws(SigningFailure) -> [UInt8] {
        do { return try sign(digest: digest) } catch { throw .crypto(error) }
    }
}
