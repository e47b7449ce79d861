package import PKI

/// One bucket of a `Rate`, for what all callers share.
package struct RateBucket: Hashable, Sendable {
    /// When the bucket is full again, in nanoseconds since the epoch; a past time: it is full.
    private var fullAt: Int64

    /// A full one.
    package init() {
        fullAt = .min
    }

    init(fullAt: Int64) {
        self.fullAt = fullAt
    }

    /// Takes one token; nil, or how long there is none, and then nothing was taken.
    package mutating func take(_ rate: Rate, at now: Timestamp) -> Duration? {
        if let wait = wait(rate, at: now) { return wait }
        charge(rate, at: now)
        return nil
    }

    /// How long there is no token; nil: there is one.
    package func wait(_ rate: Rate, at now: Timestamp) -> Duration? {
        let now = RateBucket.nanoseconds(now)
        let missing = start(rate, now) + rate.interval - (now + rate.refill)
        return missing > 0 ? .nanoseconds(missing) : nil
    }

    /// Takes one token if there is one; for what is counted when it has happened already.
    package mutating func charge(_ rate: Rate, at now: Timestamp) {
        let now = RateBucket.nanoseconds(now)
        fullAt = min(start(rate, now) + rate.interval, now + rate.refill)
    }

    /// Before it the bucket counts as full; and a clock that was set back leaves it empty at worst, not for as long as it was
    /// set back.
    private func start(_ rate: Rate, _ now: Int64) -> Int64 {
        min(max(fullAt, now), now + rate.refill)
    }

    /// What `RateTable` keeps of it.
    var kept: Int64 { fullAt }

    static func nanoseconds(_ time: Timestamp) -> Int64 { time.milliseconds * 1_000_000 }
}
