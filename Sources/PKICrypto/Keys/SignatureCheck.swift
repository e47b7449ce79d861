import COpenSSL
package import PKI

/// Whether a signature of a digest was made with the private half of a public key: the check of what a device gave, or of what
/// was signed long ago.
package enum SignatureCheck {
    /// `signature` as in certificates, `publicKey` a SubjectPublicKeyInfo, DER. False too where the key cannot be read.
    package static func passes(_ signature: [UInt8], digest: [UInt8], publicKey: [UInt8], algorithm: KeyAlgorithm) -> Bool {
        defer { ERR_clear_error() }
        let parsed = publicKey.withUnsafeBufferPointer { bytes in
            var position = bytes.baseAddress
            return d2i_PUBKEY(nil, &position, bytes.count)
        }
        guard let key = parsed else { return false }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_verify_init(context) == 1 else { return false }
        if algorithm.signatureAlgorithm == .sha256WithRSAEncryption {
            guard EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
                EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
            else { return false }
        }
        return EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }
}
