import COpenSSL

/// What a public key is called that is not accepted, for a message that says so.
enum PublicKeyText {
    /// `RSA-1024`, `EC secp521r1`, `ED25519` …; the object identifier of the algorithm where OpenSSL does not know it.
    static func of(_ key: SubjectPublicKey) -> String {
        var position: UnsafePointer<UInt8>?
        let der = Array(key.der)
        let parsed = der.withUnsafeBufferPointer { bytes -> OpaquePointer? in
            position = bytes.baseAddress
            return d2i_PUBKEY(nil, &position, bytes.count)
        }
        guard let parsed, let name = EVP_PKEY_get0_type_name(parsed) else {
            _ = CryptoFailure.drained("read a public key")
            return key.algorithmText
        }
        defer { EVP_PKEY_free(parsed) }
        switch EVP_PKEY_get_base_id(parsed) {
        case EVP_PKEY_RSA:
            let bits = Int(EVP_PKEY_get_bits(parsed))
            // One of the accepted sizes, and still not accepted: the exponent is the only thing left.
            return [2048, 3072, 4096].contains(bits) ? "RSA-\(bits) with another exponent than 65537" : "RSA-\(bits)"
        case EVP_PKEY_EC:
            // 80 characters hold the name of every curve that OpenSSL knows.
            var curve = [CChar](repeating: 0, count: 80)
            guard EVP_PKEY_get_group_name(parsed, &curve, curve.count, nil) == 1 else {
                _ = CryptoFailure.drained("read the curve of a public key")
                return "EC on a curve without a name"
            }
            let text = String(decoding: curve.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return "EC \(text)"
        default:
            return String(cString: name)
        }
    }
}
