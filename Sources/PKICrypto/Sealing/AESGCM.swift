import COpenSSL

/// AES-256-GCM (NIST SP 800-38D) over `nonce (12) ‖ ciphertext ‖ tag (16)`, with a random nonce for each message.
enum AESGCM {
    static let keyCount = 32
    static let nonceCount = 12
    static let tagCount = 16

    static func seal(
        _ plaintext: SecretBytes, key: SecretBytes, additionalData: [UInt8]
    ) throws(CryptoFailure) -> [UInt8] {
        let operation = "encrypt with AES-256-GCM"
        guard key.count == keyCount else { throw CryptoFailure(operation, reasons: ["the key has not 32 octets"]) }
        guard let context = EVP_CIPHER_CTX_new() else { throw .drained(operation) }
        defer { EVP_CIPHER_CTX_free(context) }
        let nonce = SecureRandom.bytes(nonceCount)
        var isSealed = false
        let capacity = nonceCount + plaintext.count + tagCount
        let sealed = [UInt8](unsafeUninitializedCapacity: capacity) { output, written in
            _ = output.update(fromContentsOf: nonce)
            guard let body = output.baseAddress?.advanced(by: nonceCount) else { return }
            isSealed = key.withUnsafeBytes { key in
                plaintext.withUnsafeBytes { plaintext in
                    var count: Int32 = 0
                    return EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, octets(key), nonce) == 1
                        && EVP_EncryptUpdate(context, nil, &count, additionalData, Int32(additionalData.count)) == 1
                        && EVP_EncryptUpdate(context, body, &count, octets(plaintext), Int32(plaintext.count)) == 1
                        && EVP_EncryptFinal_ex(context, body + plaintext.count, &count) == 1
                        && EVP_CIPHER_CTX_ctrl(
                            context, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), body + plaintext.count) == 1
                }
            }
            written = isSealed ? capacity : 0
        }
        guard isSealed else { throw .drained(operation) }
        return sealed
    }

    /// Nil if the tag does not fit: another key, another context, or a changed octet.
    static func open(
        _ sealed: [UInt8], key: SecretBytes, additionalData: [UInt8]
    ) throws(CryptoFailure) -> SecretBytes? {
        let operation = "decrypt with AES-256-GCM"
        guard key.count == keyCount else { throw CryptoFailure(operation, reasons: ["the key has not 32 octets"]) }
        guard sealed.count >= nonceCount + tagCount else { return nil }
        guard let context = EVP_CIPHER_CTX_new() else { throw .drained(operation) }
        defer { EVP_CIPHER_CTX_free(context) }
        let nonce = Array(sealed[..<nonceCount])
        let ciphertext = Array(sealed[nonceCount..<sealed.count - tagCount])
        var tag = Array(sealed[(sealed.count - tagCount)...])
        var isReady = false
        var isAuthentic = false
        let plaintext = SecretBytes(capacity: ciphertext.count) { output in
            key.withUnsafeBytes { key in
                var count: Int32 = 0
                let body = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
                isReady =
                    EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, octets(key), nonce) == 1
                    && EVP_DecryptUpdate(context, nil, &count, additionalData, Int32(additionalData.count)) == 1
                    && EVP_DecryptUpdate(context, body, &count, ciphertext, Int32(ciphertext.count)) == 1
                    && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagCount), &tag) == 1
                guard isReady else { return 0 }
                var rest: UInt8 = 0
                isAuthentic = EVP_DecryptFinal_ex(context, &rest, &count) == 1
                return isAuthentic ? ciphertext.count : 0
            }
        }
        guard isReady else { throw .drained(operation) }
        guard isAuthentic else {
            // A tag that does not fit may leave an error on the queue, and is none of the next call's.
            ERR_clear_error()
            return nil
        }
        return plaintext
    }

    private static func octets(_ buffer: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}
