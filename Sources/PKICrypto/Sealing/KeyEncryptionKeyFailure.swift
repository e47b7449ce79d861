/// Why a key-encryption key cannot be had, or does not open a sealed secret.
package enum KeyEncryptionKeyFailure: Error, Hashable, Sendable {
    /// The secret was sealed under another key; both by their ids.
    case anotherKey(sealedWith: String, have: String)
    case crypto(CryptoFailure)
    /// The right key by its id, but the secret was changed, cut off, or belongs to something else.
    case doesNotOpen(SealingContext)
    /// A file that must be made anew is there already.
    case fileExists(path: String)
    /// Others than the owner may read or change the file; its permission bits.
    case fileIsOpenToOthers(path: String, mode: UInt32)
    /// A directory, device, socket or pipe.
    case fileIsNotRegular(path: String)
    case fileLength(path: String, octets: Int)
    case fileMissing(path: String)
    /// The reason is the operating system's.
    case fileUnreadable(path: String, reason: String)
    /// The reason is the operating system's.
    case fileUnwritable(path: String, reason: String)
    /// A key of this many octets, and not 32.
    case length(octets: Int)
    /// A key in a PKCS #11 token could not be used.
    case token(PKCS11Failure)
}

extension KeyEncryptionKeyFailure {
    /// Whether the file that was named is none of a key: another try finds the same, until somebody changes it.
    package var isWrongFile: Bool {
        switch self {
        case .fileIsNotRegular, .fileIsOpenToOthers, .fileLength: true
        default: false
        }
    }
}

extension KeyEncryptionKeyFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .anotherKey(let sealedWith, let have):
            "the secret is sealed under the key-encryption key \(sealedWith), and this one is \(have): "
                + "start with the key-encryption key that the database was made with"
        case .crypto(let failure): failure.description
        case .doesNotOpen(let context):
            "the sealed key '\(context.name)' of '\(context.owner)' does not open: it was changed, or belongs to another row"
        case .fileExists(let path): "\(path) exists already: a key-encryption key is never overwritten"
        case .fileIsOpenToOthers(let path, let mode):
            "\(path) has mode 0\(String(mode, radix: 8)), open to others than its owner: chmod 0400 \(path)"
        case .fileIsNotRegular(let path): "\(path) is not a regular file: name a file of 32 random octets, mode 0400"
        case .fileLength(let path, let octets):
            "\(path) has \(octets) octets: a key-encryption key is exactly 32 random octets, not text"
        case .fileMissing(let path):
            "there is no key-encryption key \(path): put it there; only before the first start 'signet keys create' makes one"
        case .fileUnreadable(let path, let reason):
            "cannot read the key-encryption key \(path): \(reason): make it readable for this user, chmod 0400 \(path)"
        case .fileUnwritable(let path, let reason): "cannot write the key-encryption key \(path): \(reason)"
        case .length(let octets): "a key-encryption key has 32 octets, and not \(octets)"
        case .token(let failure): "the key-encryption key cannot be used: \(failure)"
        }
    }
}
