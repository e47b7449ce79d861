package import PKI

/// The key-encryption keys of a process: one seals, and that one and all others open.
///
/// There are others only while the key is exchanged for another one: until every row is sealed under the new one.
package struct KeyRing: Sendable {
    /// Under which everything new is sealed.
    package let current: any DataKeyWrapping
    private let keys: [String: any DataKeyWrapping]

    package init(_ current: any DataKeyWrapping, others: [any DataKeyWrapping] = []) {
        self.current = current
        keys = Dictionary((others + [current]).map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    /// The ids of all of them, the sealing one's first.
    package var ids: [String] { [current.id] + keys.keys.filter { $0 != current.id }.sorted() }

    package func contains(_ id: String) -> Bool { keys[id] != nil }

    /// The same keys, of which this one seals.
    package func sealing(with key: any DataKeyWrapping) -> KeyRing { KeyRing(key, others: Array(keys.values)) }

    /// Seals `secret` under a fresh data key, and the data key under the current key.
    package func seal(_ secret: SecretBytes, context: SealingContext) async throws(KeyEncryptionKeyFailure) -> SealedKey {
        let id = current.id
        let dataKey = SecretBytes.random(AESGCM.keyCount)
        let ciphertext: [UInt8]
        do {
            ciphertext = try AESGCM.seal(
                secret, key: dataKey, additionalData: context.additionalData("secret", keyEncryptionKeyID: id))
        } catch {
            throw .crypto(error)
        }
        let wrapped = try await current.wrap(
            dataKey, additionalData: context.additionalData("data key", keyEncryptionKeyID: id))
        return SealedKey(keyEncryptionKeyID: id, wrappedDataKey: wrapped, ciphertext: ciphertext)
    }

    /// Opens what was sealed for the same context under one of the keys; nothing else.
    package func open(_ sealed: SealedKey, context: SealingContext) async throws(KeyEncryptionKeyFailure) -> SecretBytes {
        let id = sealed.keyEncryptionKeyID
        guard let key = keys[id] else {
            throw .anotherKey(sealedWith: id, have: ids.joined(separator: ", "))
        }
        let dataKey = try await key.unwrap(
            sealed.wrappedDataKey, additionalData: context.additionalData("data key", keyEncryptionKeyID: id))
        guard let dataKey, dataKey.count == AESGCM.keyCount else { throw .doesNotOpen(context) }
        let secret: SecretBytes?
        do {
            secret = try AESGCM.open(
                sealed.ciphertext, key: dataKey, additionalData: context.additionalData("secret", keyEncryptionKeyID: id))
        } catch {
            throw .crypto(error)
        }
        guard let secret else { throw .doesNotOpen(context) }
        return secret
    }
}
