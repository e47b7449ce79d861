import PKICrypto

extension KeyRing {
    /// The keys that files and PKCS #11 URIs name; `place` is that of the one which seals.
    init(_ place: String, additional: [String]) async throws(KeyEncryptionKeyFailure) {
        let current = try await KeyEncryptionKey.named(place)
        var others: [any DataKeyWrapping] = []
        for place in additional { others.append(try await KeyEncryptionKey.named(place)) }
        self.init(current, others: others)
    }
}
