package import PKI

/// A bucket of one `Rate` for each key, in bounded memory, each step O(1).
///
/// Two generations: what is used goes into the younger one, and when that is half of the capacity, or has been the younger one
/// for as long as an empty bucket takes to fill, it becomes the older one and the older one is dropped whole. By time, only
/// full buckets are dropped, which are as good as none; by number, those that were used least recently. Whoever comes with more
/// keys than fit gains no more than a bucket for each of them is anyway: against many keys stands a rate that they share.
package struct RateTable<Key: Hashable & Sendable>: Sendable {
    package let rate: Rate
    /// The most keys that are kept.
    package let capacity: Int

    private var younger: [Key: Int64] = [:]
    private var older: [Key: Int64] = [:]
    /// Since when the younger generation is it, in nanoseconds.
    private var turnedAt: Int64 = .min

    package init(_ rate: Rate, capacity: Int) {
        self.rate = rate
        self.capacity = max(2, capacity)
    }

    /// Keys that are kept now.
    package var count: Int { younger.count + older.count }

    /// Takes one token of `key`; nil, or how long it has none, and then nothing was taken.
    package mutating func take(_ key: Key, at now: Timestamp) -> Duration? {
        var bucket = bucket(of: key)
        if let wait = bucket.take(rate, at: now) { return wait }
        keep(bucket, of: key, at: now)
        return nil
    }

    /// How long `key` has no token; nil: it has one.
    package func wait(for key: Key, at now: Timestamp) -> Duration? {
        count == 0 ? nil : bucket(of: key).wait(rate, at: now)
    }

    /// Takes one token of `key` if it has one.
    package mutating func charge(_ key: Key, at now: Timestamp) {
        var bucket = bucket(of: key)
        bucket.charge(rate, at: now)
        keep(bucket, of: key, at: now)
    }

    private func bucket(of key: Key) -> RateBucket {
        (younger[key] ?? older[key]).map { RateBucket(fullAt: $0) } ?? RateBucket()
    }

    private mutating func keep(_ bucket: RateBucket, of key: Key, at now: Timestamp) {
        let now = RateBucket.nanoseconds(now)
        if turnedAt > now { turnedAt = now }
        if younger.count >= capacity / 2, younger[key] == nil {
            turn(at: now)
        } else if turnedAt < now - rate.refill {
            // Twice as long without a use: the younger ones are full, too.
            if turnedAt < now - 2 * rate.refill { younger = [:] }
            turn(at: now)
        }
        younger[key] = bucket.kept
        older[key] = nil
    }

    private mutating func turn(at now: Int64) {
        older = younger
        younger = [:]
        turnedAt = now
    }
}
