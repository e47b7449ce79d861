/// A key-encryption key: wraps the data keys of sealed secrets. One from a file, or one in a token that it never leaves.
package protocol DataKeyWrapping: Sendable {
    /// 16 hexadecimal digits that only this key gives: tells keys apart and tells nothing of them.
    var id: String { get }

    /// `nonce (12) ‖ ciphertext ‖ tag (16)` by AES-256-GCM, with a random nonce.
    func wrap(_ dataKey: SecretBytes, additionalData: [UInt8]) async throws(KeyEncryptionKeyFailure) -> [UInt8]

    /// What `wrap` was given with the same additional data; nil for everything else.
    func unwrap(_ wrapped: [UInt8], additionalData: [UInt8]) async throws(KeyEncryptionKeyFailure) -> SecretBytes?
}
