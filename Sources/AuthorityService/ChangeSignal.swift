import Synchronization

/// Tells many listeners that something changed; each keeps at most one signal waiting, since the newest state is all that counts.
final class ChangeSignal: Sendable {
    private struct Listeners {
        var next: UInt64 = 0
        var continuations: [UInt64: AsyncStream<Void>.Continuation] = [:]
    }

    private let listeners = Mutex(Listeners())

    /// One element for each `send` from now on, the waiting ones merged into one.
    func listen() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = listeners.withLock { listeners in
            listeners.next += 1
            listeners.continuations[listeners.next] = continuation
            return listeners.next
        }
        continuation.onTermination = { [weak self] _ in
            self?.listeners.withLock { _ = $0.continuations.removeValue(forKey: id) }
        }
        return stream
    }

    func send() {
        for continuation in listeners.withLock({ Array($0.continuations.values) }) { continuation.yield() }
    }
}
