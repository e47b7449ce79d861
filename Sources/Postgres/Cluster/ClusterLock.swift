internal import Glibc

/// The right to use a cluster's folder, held for as long as the process that has it lives: the kernel gives it back even
/// after `kill -9`.
final class ClusterLock: Sendable {
    private let descriptor: CInt

    /// Waits until `deadline` for a signet that is just ending.
    init(_ directory: ClusterDirectory, deadline: ContinuousClock.Instant) async throws(PrivateClusterError) {
        descriptor = open(directory.lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .notWritable(path: directory.lock, reason: String(cString: strerror(errno)))
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline, !Task.isCancelled else { throw .inUse(path: directory.path) }
            try? await Task.sleep(for: .milliseconds(50))
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
