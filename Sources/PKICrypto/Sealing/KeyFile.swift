import Glibc
internal import PKI

/// The file of a key-encryption key: read only if nobody else can, made so that it is whole or not there.
enum KeyFile {
    /// Reads a regular file of 32 octets without access for group and others.
    static func read(_ path: String) throws(KeyEncryptionKeyFailure) -> SecretBytes {
        let contents: SecretBytes
        do {
            contents = try OwnedFile.read(path, atMost: AESGCM.keyCount)
        } catch {
            switch error {
            case .isMissing: throw .fileMissing(path: path)
            case .isNotRegular: throw .fileIsNotRegular(path: path)
            case .isOpenToOthers(let mode): throw .fileIsOpenToOthers(path: path, mode: mode)
            case .isTooLong(let octets): throw .fileLength(path: path, octets: octets)
            case .unreadable(let reason): throw .fileUnreadable(path: path, reason: reason)
            }
        }
        guard contents.count == AESGCM.keyCount else { throw .fileLength(path: path, octets: contents.count) }
        return contents
    }

    /// Writes a new file of mode 0400 and makes it and its name durable.
    ///
    /// The contents are written under a temporary name and linked to the real one, which fails if that exists. A crash
    /// leaves at worst the temporary file; never half a key under the real name.
    static func create(_ path: String, contents: SecretBytes) throws(KeyEncryptionKeyFailure) {
        let temporary = "\(path).\(Hex.encode(SecureRandom.bytes(8))).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
        guard descriptor >= 0 else { throw .fileUnwritable(path: path, reason: reason(errno)) }
        defer { unlink(temporary) }
        // Zero, or the error of the first call that failed; the mode does not depend on the umask.
        var code: Int32 = fchmod(descriptor, 0o400) == 0 ? 0 : errno
        contents.withUnsafeBytes { buffer in
            var count = 0
            while code == 0, count < buffer.count {
                let result = write(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                if result >= 0 { count += result } else if errno != EINTR { code = errno }
            }
        }
        if code == 0, fsync(descriptor) != 0 { code = errno }
        if close(descriptor) != 0, code == 0 { code = errno }
        guard code == 0 else { throw .fileUnwritable(path: path, reason: reason(code)) }
        guard link(temporary, path) == 0 else {
            let code = errno
            throw code == EEXIST ? .fileExists(path: path) : .fileUnwritable(path: path, reason: reason(code))
        }
        let directory = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw .fileUnwritable(path: path, reason: reason(errno)) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw .fileUnwritable(path: path, reason: reason(errno)) }
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func reason(_ code: Int32) -> String { OwnedFile.reason(code) }
}
