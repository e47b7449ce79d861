/// A private key (or another secret) at rest: AES-256-GCM under a fresh data key, itself wrapped under a key-encryption key.
///
/// Both ciphertexts are `nonce (12) ‖ ciphertext ‖ tag (16)`. The additional data binds them to what they belong to and
/// to the key-encryption key, so that two swapped rows do not open.
package struct SealedKey: Hashable, Sendable {
    /// The key-encryption key's id: 16 hexadecimal digits derived from the key.
    package var keyEncryptionKeyID: String
    package var wrappedDataKey: [UInt8]
    package var ciphertext: [UInt8]

    package init(keyEncryptionKeyID: String, wrappedDataKey: [UInt8], ciphertext: [UInt8]) {
        self.keyEncryptionKeyID = keyEncryptionKeyID
        self.wrappedDataKey = wrappedDataKey
        self.ciphertext = ciphertext
    }
}
