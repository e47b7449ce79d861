/// What a sealed secret belongs to. It opens for exactly this, so that two rows of a table cannot be swapped.
package struct SealingContext: Hashable, Sendable {
    /// A certificate authority's name, or `service`.
    package var owner: String
    /// The issuer's id, or a key's.
    package var name: String

    package init(owner: String, name: String) {
        self.owner = owner
        self.name = name
    }

    /// The additional data of one of the two ciphertexts: every part after its length, so that no two contexts agree.
    func additionalData(_ purpose: String, keyEncryptionKeyID: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in ["signet sealed key 1", purpose, owner, name, keyEncryptionKeyID] {
            let count = UInt32(part.utf8.count)
            bytes += [UInt8(count >> 24), UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255)]
            bytes += Array(part.utf8)
        }
        return bytes
    }
}
