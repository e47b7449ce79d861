internal import CLibPQ
internal import Glibc

/// An eventfd that wakes a thread out of `poll(2)`. Any thread may signal; the owner closes it with its last reference.
final class WakeDescriptor: Sendable {
    let descriptor: CInt

    init() throws(PostgresError) {
        descriptor = signet_eventfd()
        guard descriptor >= 0 else {
            throw .connectionFailed(detail: "no eventfd: \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        close(descriptor)
    }

    /// Makes the next or current `poll` return. A full counter is a signal already, so failure needs no answer.
    func signal() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Takes all signals so far.
    func drain() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}
