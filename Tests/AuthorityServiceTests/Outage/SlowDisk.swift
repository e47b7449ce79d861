import Foundation
import Glibc
import Synchronization

/// A disk of which every sync hangs, or fails, for as long as a test wants it to.
final class SlowDisk: Sendable {
    private let state = Mutex<(isHanging: Bool, failsDirectories: Bool)>((false, false))
    private let condition = NSCondition()

    /// Lets go of whoever hangs.
    func setHanging(_ isHanging: Bool) {
        condition.lock()
        state.withLock { $0.isHanging = isHanging }
        condition.broadcast()
        condition.unlock()
    }

    func setFailingDirectories(_ fails: Bool) { state.withLock { $0.failsDirectories = fails } }

    /// As `fsync`, on the journal's own thread.
    func sync(_ descriptor: CInt) -> CInt {
        condition.lock()
        while state.withLock({ $0.isHanging }) { condition.wait() }
        condition.unlock()
        var status = stat()
        if state.withLock({ $0.failsDirectories }), fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            errno = EIO
            return -1
        }
        return fsync(descriptor)
    }
}
