import COpenSSL
internal import PKI

/// A private key of any other kind as OpenSSL's `EVP_PKEY`.
///
/// Owns the `EVP_PKEY`. Sendable because that is complete after `init` and only read from then on: OpenSSL 3 allows that
/// from any thread, each with a context of its own.
final class EVPKey: @unchecked Sendable {
    private let key: OpaquePointer
    let algorithm: KeyAlgorithm
    /// The DER of the SubjectPublicKeyInfo.
    let subjectPublicKeyInfo: [UInt8]

    /// Makes a fresh key of an algorithm other than P-256, which has a faster way.
    static func generate(_ algorithm: KeyAlgorithm) throws(CryptoFailure) -> EVPKey {
        let operation = "generate an \(algorithm.rawValue) key"
        let type: Int32
        switch algorithm {
        case .ecP256, .ecP384: type = EVP_PKEY_EC
        case .rsa2048, .rsa3072, .rsa4096: type = EVP_PKEY_RSA
        }
        guard let context = EVP_PKEY_CTX_new_id(type, nil) else { throw .drained(operation) }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_keygen_init(context) == 1 else { throw .drained(operation) }
        let isSet =
            switch algorithm {
            case .ecP256: EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1)
            case .ecP384: EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_secp384r1)
            case .rsa2048: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
            case .rsa3072: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 3072)
            case .rsa4096: EVP_PKEY_CTX_set_rsa_keygen_bits(context, 4096)
            }
        var key: OpaquePointer?
        guard isSet == 1, EVP_PKEY_keygen(context, &key) == 1, let key else { throw .drained(operation) }
        return try EVPKey(owning: key)
    }

    /// Parses a PKCS#8 PrivateKeyInfo, and checks that its private and public half belong together.
    static func parse(pkcs8: SecretBytes) throws(CryptoFailure) -> EVPKey {
        let operation = "read a PKCS#8 private key"
        let parsed = pkcs8.withUnsafeBytes { bytes -> OpaquePointer? in
            let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            var position = start
            guard let info = d2i_PKCS8_PRIV_KEY_INFO(nil, &position, bytes.count) else { return nil }
            defer { PKCS8_PRIV_KEY_INFO_free(info) }
            // What follows the structure would be stored and sealed without ever being looked at.
            guard let start, let position, position - start == bytes.count else { return nil }
            return EVP_PKCS82PKEY(info)
        }
        guard let parsed else { throw .drained(operation) }
        let key = try EVPKey(owning: parsed)
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, parsed, nil) else { throw .drained(operation) }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_pairwise_check(context) == 1 else { throw .drained(operation) }
        return key
    }

    private init(owning key: OpaquePointer) throws(CryptoFailure) {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = i2d_PUBKEY(key, &encoded)
        guard count > 0, let encoded else {
            EVP_PKEY_free(key)
            throw .drained("encode a public key")
        }
        let info = Array(UnsafeBufferPointer(start: encoded, count: Int(count)))
        CRYPTO_free(encoded, #file, #line)
        guard let algorithm = SubjectPublicKeyInfo.algorithm(of: info) else {
            EVP_PKEY_free(key)
            let known = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            throw CryptoFailure("use this private key", reasons: ["it is none of \(known) (RSA with the exponent 65537)"])
        }
        self.key = key
        self.algorithm = algorithm
        self.subjectPublicKeyInfo = info
    }

    deinit { EVP_PKEY_free(key) }

    /// The same key as an `EC_KEY`; nil unless it is a P-256 key.
    func p256() throws(CryptoFailure) -> P256Key? {
        guard algorithm == .ecP256 else { return nil }
        var scalar: OpaquePointer?
        guard EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1, let scalar else {
            throw .drained("read an EC-P256 private key")
        }
        defer { BN_clear_free(scalar) }
        return try P256Key(scalar: scalar)
    }

    /// Signs a digest: ECDSA, or PKCS #1 v1.5 with SHA-256's DigestInfo. Writes to the beginning of `target`, which must hold
    /// `maximumSignatureCount`; gives the signature's octets.
    func sign(digest: [UInt8], into target: UnsafeMutablePointer<UInt8>) throws(CryptoFailure) -> Int {
        let operation = "sign with \(algorithm.rawValue)"
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { throw .drained(operation) }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_sign_init(context) == 1 else { throw .drained(operation) }
        if algorithm.signatureAlgorithm == .sha256WithRSAEncryption {
            guard EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
                EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
            else { throw .drained(operation) }
        }
        var length = EVPKey.maximumSignatureCount
        guard EVP_PKEY_sign(context, target, &length, digest, digest.count) == 1 else { throw .drained(operation) }
        return length
    }

    /// The PKCS#8 PrivateKeyInfo.
    func pkcs8() throws(CryptoFailure) -> SecretBytes {
        let operation = "encode a private key of \(algorithm.rawValue)"
        guard let info = EVP_PKEY2PKCS8(key) else { throw .drained(operation) }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = i2d_PKCS8_PRIV_KEY_INFO(info, &encoded)
        guard count > 0, let encoded else { throw .drained(operation) }
        defer { CRYPTO_clear_free(encoded, Int(count), #file, #line) }
        return SecretBytes(UnsafeRawBufferPointer(start: encoded, count: Int(count)))
    }

    /// An RSA signature is as long as its modulus: 4096 bits.
    static let maximumSignatureCount = 512
}
