import COpenSSL

/// The forms of a private key from before PKCS#8, each for one kind of key.
enum TraditionalKey {
    enum Form {
        /// RSAPrivateKey (RFC 8017 §A.1.2).
        case pkcs1
        /// ECPrivateKey (RFC 5915) with the name of its curve.
        case sec1
    }

    /// The same key as PKCS#8. The whole of `der` must be the one structure.
    static func pkcs8(_ der: SecretBytes, form: Form) throws(CryptoFailure) -> SecretBytes {
        let operation: String
        let type: Int32
        switch form {
        case .pkcs1: (operation, type) = ("read an RSA private key of PKCS #1", EVP_PKEY_RSA)
        case .sec1: (operation, type) = ("read an EC private key of SEC 1", EVP_PKEY_EC)
        }
        let parsed = der.withUnsafeBytes { bytes -> OpaquePointer? in
            let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var position = start
            guard let key = d2i_PrivateKey(type, nil, &position, bytes.count) else { return nil }
            guard let start, let position, position - start == bytes.count else {
                EVP_PKEY_free(key)
                return nil
            }
            return key
        }
        guard let parsed else { throw .drained(operation) }
        defer { EVP_PKEY_free(parsed) }
        guard let info = EVP_PKEY2PKCS8(parsed) else { throw .drained(operation) }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = i2d_PKCS8_PRIV_KEY_INFO(info, &encoded)
        guard count > 0, let encoded else { throw .drained(operation) }
        defer { CRYPTO_clear_free(encoded, Int(count), #file, #line) }
        return SecretBytes(UnsafeRawBufferPointer(start: encoded, count: Int(count)))
    }
}
