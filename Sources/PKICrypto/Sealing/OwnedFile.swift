import Glibc

/// A small file with a secret, which is read only if nobody but its owner can.
enum OwnedFile {
    enum Problem: Error, Hashable, Sendable {
        case isMissing
        case isNotRegular
        case isOpenToOthers(mode: UInt32)
        case isTooLong(octets: Int)
        /// The operating system's reason.
        case unreadable(reason: String)

        /// For a person, without the path.
        var reason: String {
            switch self {
            case .isMissing: OwnedFile.reason(ENOENT)
            case .isNotRegular: "it is not a regular file"
            case .isOpenToOthers(let mode):
                "it has mode 0\(String(mode, radix: 8)), open to others than its owner: chmod 0400"
            case .isTooLong(let octets): "it has \(octets) octets, too many"
            case .unreadable(let reason): reason
            }
        }
    }

    /// Reads a regular file of at most so many octets, without access for group and others.
    ///
    /// The checks are made on the open file, so that nobody can exchange it between check and use. A symbolic link is
    /// followed: orchestrators mount secrets that way.
    static func read(_ path: String, atMost limit: Int) throws(Problem) -> SecretBytes {
        // Not blocking, since opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code = errno
            throw code == ENOENT ? .isMissing : .unreadable(reason: reason(code))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .unreadable(reason: reason(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .isNotRegular }
        guard status.st_mode & 0o077 == 0 else { throw .isOpenToOthers(mode: status.st_mode & 0o7777) }
        guard status.st_size <= limit else { throw .isTooLong(octets: Int(status.st_size)) }
        var code: Int32 = 0
        let contents = SecretBytes(capacity: Int(status.st_size)) { buffer in
            var count = 0
            while count < buffer.count {
                let result = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
                if result < 0, errno == EINTR { continue }
                if result < 0 { code = errno }
                guard result > 0 else { break }
                count += result
            }
            return count
        }
        guard code == 0 else { throw .unreadable(reason: reason(code)) }
        return contents
    }

    static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
