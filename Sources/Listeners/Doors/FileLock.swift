import Glibc

/// An advisory lock on a file, held until the value goes or the process ends, in whatever way it ends.
package final class FileLock: Sendable {
    private let descriptor: CInt

    /// Takes the lock at `path` or throws at once; `subject` is what the lock protects, for the error.
    package init(path: String, of subject: String) throws(DoorFailure) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .file(path: path, detail: errorText(errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .locked(subject: subject, path: path)
        }
        self.descriptor = descriptor
    }

    deinit {
        // A child process between fork and exec has a copy of the descriptor: unlocking lets go for all of them.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
