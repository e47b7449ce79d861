package import PKI

/// How far a replica's clock is from the database's, as well as a question and its answer can tell.
package struct ClockDifference: Hashable, Sendable {
    /// The replica's time less the database's, in the middle of the round trip: below zero where the replica's clock is behind.
    package var value: Duration
    /// Half of the round trip: the answer may have been given at either end of it.
    package var uncertainty: Duration

    /// As far as a clock may be behind what was issued by it; two hosts that ask any time server are within a second.
    package static let worthSaying = IssuanceClock.tolerance
    /// As far as a clock jumps before it is not trusted with what has ended.
    package static let tooFar = IssuanceClock.leap

    /// `asked` is the replica's wall clock when it asked, and `took` how long the answer took by its steady one.
    package init(asked: Timestamp, took: Duration, database: Timestamp) {
        uncertainty = took / 2
        value = asked + uncertainty - database
    }

    /// Whether it is more than `limit` for certain, in either direction.
    package func exceeds(_ limit: Duration) -> Bool {
        (value < .zero ? .zero - value : value) - uncertainty > limit
    }
}
