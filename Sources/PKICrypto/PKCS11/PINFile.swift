internal import PKI

/// The file of a token's user PIN: one line that nobody but its owner can read.
enum PINFile {
    /// The PIN, without the end of its line.
    static func read(_ path: String) throws(PKCS11Failure) -> SecretBytes {
        let contents: SecretBytes
        do {
            contents = try OwnedFile.read(path, atMost: PINFile.maximumCount)
        } catch {
            throw .pinFileUnusable(path: path, reason: error.reason)
        }
        let count = contents.withUnsafeBytes { bytes in bytes.lastIndex { $0 != 0x0A && $0 != 0x0D }.map { $0 + 1 } ?? 0 }
        guard count > 0 else { throw .pinFileUnusable(path: path, reason: "it is empty: write the user PIN into it") }
        let pin = contents.withUnsafeBytes { SecretBytes($0[..<count]) }
        return pin.locked()
    }

    /// Tokens take PINs of up to 255 octets; the rest is room for the end of the line.
    private static let maximumCount = 257
}
