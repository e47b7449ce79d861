internal import NIOCore
import Synchronization

/// The connections of one door: counts them against the limits, and tells them when the door closes.
final class OpenConnections: Sendable {
    private struct State {
        var open: [ObjectIdentifier: any Channel] = [:]
        /// Of those that have an address.
        var perAddress: [ClientAddress: Int] = [:]
    }

    private let limit: Int
    private let limitPerAddress: Int
    private let state = Mutex(State())
    private let closing = Atomic(false)

    init(limit: Int, perAddress: Int) {
        self.limit = limit
        limitPerAddress = perAddress
    }

    /// Why a connection may not stay.
    enum Surplus: String, Error, CustomStringConvertible {
        case connections
        case connectionsPerAddress = "connections-per-address"

        var description: String { "the door has as many connections as it may have (\(rawValue))" }
    }

    var isClosing: Bool { closing.load(ordering: .relaxed) }

    /// Throws if the connection may not stay. If it may, it is forgotten when it closes.
    func admit(_ channel: any Channel) throws(Surplus) {
        let key = ObjectIdentifier(channel)
        let address = ClientAddress(channel.remoteAddress)
        let surplus = state.withLock { state -> Surplus? in
            guard state.open.count < limit, !isClosing else { return .connections }
            if let address {
                guard state.perAddress[address, default: 0] < limitPerAddress else { return .connectionsPerAddress }
                state.perAddress[address, default: 0] += 1
            }
            state.open[key] = channel
            return nil
        }
        if let surplus { throw surplus }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.open[key] = nil
                guard let address, let count = state.perAddress[address] else { return }
                state.perAddress[address] = count > 1 ? count - 1 : nil
            }
        }
    }

    /// Tells each connection to finish what it is doing, and closes those that have not within `grace`. No more are admitted.
    func finish(within grace: Duration) {
        let channels = state.withLock { state in
            closing.store(true, ordering: .relaxed)
            return Array(state.open.values)
        }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            channel.eventLoop.scheduleTask(in: TimeAmount(grace)) { channel.close(promise: nil) }
        }
    }

    /// Returns when every connection that is open now has closed.
    func end() async {
        for channel in state.withLock({ Array($0.open.values) }) { try? await channel.closeFuture.get() }
    }
}
