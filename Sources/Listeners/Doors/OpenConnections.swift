internal import NIOCore
import Synchronization

/// The connections of one door: counts them against the limit, and tells them when the door closes.
final class OpenConnections: Sendable {
    private let limit: Int
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether the connection may stay. If so, it is forgotten when it closes.
    func admits(_ channel: any Channel) -> Bool {
        let key = ObjectIdentifier(channel)
        let admitted = open.withLock { open in
            guard open.count < limit else { return false }
            open[key] = channel
            return true
        }
        if admitted {
            channel.closeFuture.whenComplete { [self] _ in open.withLock { $0[key] = nil } }
        }
        return admitted
    }

    /// Tells each connection to finish what it is doing, and closes those that have not within `grace`.
    func finish(within grace: Duration) {
        let channels = open.withLock { Array($0.values) }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            channel.eventLoop.scheduleTask(in: TimeAmount(grace)) { channel.close(promise: nil) }
        }
    }
}

/// A connection beyond the limit.
struct TooManyConnections: Error, CustomStringConvertible {
    var description: String { "the door has as many connections as it may have" }
}
