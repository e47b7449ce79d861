package import PKI

/// The key, kept outside the database, under which every secret in it is sealed: AES-256.
package final class KeyEncryptionKey: Sendable {
    private let key: SecretBytes
    /// 16 hexadecimal digits, derived from the key: tells keys apart and tells nothing of them.
    package let id: String

    /// Takes a key of 32 octets.
    package init(bytes: SecretBytes) throws(KeyEncryptionKeyFailure) {
        guard bytes.count == AESGCM.keyCount else { throw .length(octets: bytes.count) }
        self.key = bytes.locked()
        let digest = bytes.withUnsafeBytes { Digest.hmacSHA256(key: $0, message: "signet key-encryption key id".utf8) }
        self.id = Hex.encode(digest.prefix(8))
    }

    /// Reads the 32 octets of a regular file that nobody but its owner can read.
    package convenience init(file path: String) throws(KeyEncryptionKeyFailure) {
        try self.init(bytes: KeyFile.read(path))
    }

    /// Makes a file of mode 0400 with a fresh key, durable when this returns; an existing file is left alone and throws.
    package static func generate(file path: String) throws(KeyEncryptionKeyFailure) {
        try KeyFile.create(path, contents: SecretBytes.random(AESGCM.keyCount))
    }

    /// Makes, in a token or as a file of mode 0400, a fresh key; an existing file, or key of that name, is left alone and throws.
    ///
    /// `place` is a PKCS #11 URI or a path.
    package static func generate(at place: String) async throws(KeyEncryptionKeyFailure) {
        guard PKCS11URI.isMeant(by: place) else { return try generate(file: place) }
        do {
            try await PKCS11KeyEncryptionKey.generate(at: try PKCS11URI(place))
        } catch {
            throw .token(error)
        }
    }

    /// The key that a PKCS #11 URI or the path of a file names.
    package static func named(_ place: String) async throws(KeyEncryptionKeyFailure) -> any DataKeyWrapping {
        guard PKCS11URI.isMeant(by: place) else { return try KeyEncryptionKey(file: place) }
        do {
            return try await PKCS11KeyEncryptionKey(at: try PKCS11URI(place))
        } catch {
            throw .token(error)
        }
    }

    /// Seals `secret` under a fresh data key, and the data key under this key.
    package func seal(_ secret: SecretBytes, context: SealingContext) throws(KeyEncryptionKeyFailure) -> SealedKey {
        let dataKey = SecretBytes.random(AESGCM.keyCount)
        do {
            return SealedKey(
                keyEncryptionKeyID: id,
                wrappedDataKey: try AESGCM.seal(
                    dataKey, key: key, additionalData: context.additionalData("data key", keyEncryptionKeyID: id)),
                ciphertext: try AESGCM.seal(
                    secret, key: dataKey, additionalData: context.additionalData("secret", keyEncryptionKeyID: id)))
        } catch {
            throw .crypto(error)
        }
    }

    /// Opens what `seal` made for the same context under the same key; nothing else.
    package func open(_ sealed: SealedKey, context: SealingContext) throws(KeyEncryptionKeyFailure) -> SecretBytes {
        guard sealed.keyEncryptionKeyID == id else {
            throw .anotherKey(sealedWith: sealed.keyEncryptionKeyID, have: id)
        }
        let dataKey = try opened(sealed.wrappedDataKey, with: key, "data key", context)
        guard dataKey.count == AESGCM.keyCount else { throw .doesNotOpen(context) }
        return try opened(sealed.ciphertext, with: dataKey, "secret", context)
    }

    private func opened(
        _ ciphertext: [UInt8], with key: SecretBytes, _ purpose: String, _ context: SealingContext
    ) throws(KeyEncryptionKeyFailure) -> SecretBytes {
        let secret: SecretBytes?
        do {
            secret = try AESGCM.open(
                ciphertext, key: key, additionalData: context.additionalData(purpose, keyEncryptionKeyID: id))
        } catch {
            throw .crypto(error)
        }
        guard let secret else { throw .doesNotOpen(context) }
        return secret
    }
}

extension KeyEncryptionKey: DataKeyWrapping {
    package func wrap(_ dataKey: SecretBytes, additionalData: [UInt8]) async throws(KeyEncryptionKeyFailure) -> [UInt8] {
        do { return try AESGCM.seal(dataKey, key: key, additionalData: additionalData) } catch { throw .crypto(error) }
    }

    package func unwrap(
        _ wrapped: [UInt8], additionalData: [UInt8]
    ) async throws(KeyEncryptionKeyFailure) -> SecretBytes? {
        do { return try AESGCM.open(wrapped, key: key, additionalData: additionalData) } catch { throw .crypto(error) }
    }
}

extension KeyEncryptionKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "key-encryption key \(id) (redacted)" }
    package var debugDescription: String { description }
    /// Empty, so that `dump` shows no more than `print`.
    package var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }
}
