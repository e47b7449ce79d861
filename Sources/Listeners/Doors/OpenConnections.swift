internal import NIOCore
import Synchronization

/// The connections of one door: counts them against the limit, and tells them when the door closes.
final class OpenConnections: Sendable {
    private let limit: Int
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let isClosing = Atomic(false)

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether the connection may stay. If so, it is forgotten when it closes.
    func admits(_ channel: any Channel) -> Bool {
        let key = ObjectIdentifier(channel)
        let admitted = open.withLock { open in
            guard open.count < limit, !isClosing.load(ordering: .relaxed) else { return false }
            open[key] = channel
            return true
        }
        if admitted {
            channel.closeFuture.whenComplete { [self] _ in open.withLock { $0[key] = nil } }
        }
        return admitted
    }

    /// Tells each connection to finish what it is doing, and closes those that have not within `grace`. No more are admitted.
    func finish(within grace: Duration) {
        let channels = open.withLock { open in
            isClosing.store(true, ordering: .relaxed)
            return Array(open.values)
        }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            channel.eventLoop.scheduleTask(in: TimeAmount(grace)) { channel.close(promise: nil) }
        }
    }

    /// Returns when every connection that is open now has closed.
    func end() async {
        for channel in open.withLock({ Array($0.values) }) { try? await channel.closeFuture.get() }
    }
}

/// A connection beyond the limit.
struct TooManyConnections: Error, CustomStringConvertible {
    var description: String { "the door has as many connections as it may have" }
}
