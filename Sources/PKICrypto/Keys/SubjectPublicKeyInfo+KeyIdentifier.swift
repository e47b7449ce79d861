package import PKI

extension SubjectPublicKeyInfo {
    /// The leftmost 160 bits of SHA-256 of the public key bits (RFC 7093 §2, method 1): 20 octets.
    ///
    /// Bytes that are no SubjectPublicKeyInfo, which no certificate is made of, are digested as a whole.
    package static func keyIdentifier(of info: [UInt8]) -> [UInt8] {
        Digest.sha256(keyBits(of: info) ?? info[...], prefix: CertificateTemplate.keyIdentifierCount)
    }
}
