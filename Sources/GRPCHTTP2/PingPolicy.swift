internal import NIOCore

/// Judges a client's pings: keepalive is welcome, a flood is not.
///
/// As gRPC's servers do it: a ping that comes too soon after the one before is a strike, three strikes end the connection,
/// and whatever the server sends clears them, since a client may measure the path when something came.
struct PingPolicy {
    private let interval: TimeAmount
    private var last: NIODeadline?
    private var strikes = 0

    init(interval: TimeAmount) {
        self.interval = interval
    }

    /// Whether this ping is one too many.
    mutating func received(at now: NIODeadline) -> Bool {
        // Clients keep their interval by a clock and a network of their own: a tenth early is no offence.
        if let last, now - last < interval - interval.tenth { strikes += 1 }
        last = now
        return strikes > PingPolicy.mostStrikes
    }

    mutating func sentSomething() {
        strikes = 0
        last = nil
    }

    private static let mostStrikes = 2
}

extension TimeAmount {
    fileprivate var tenth: TimeAmount { .nanoseconds(nanoseconds / 10) }
}
