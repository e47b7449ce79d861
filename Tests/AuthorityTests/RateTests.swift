import Authority
import PKI
import Testing

@Suite("Rates")
struct RateTests {
    private let start = Timestamp(seconds: 1_800_000_000)

    /// How many tokens are taken at once.
    private func taken(_ bucket: inout RateBucket, _ rate: Rate, at now: Timestamp) -> Int {
        var count = 0
        while count < 10_000, bucket.take(rate, at: now) == nil { count += 1 }
        return count
    }

    @Test(arguments: [
        Rate.fixed(1, perSecond: 1), .fixed(20, perSecond: 1), .fixed(7, perSecond: 1000), .fixed(400, perSecond: 20),
    ])
    func `the burst passes at once, the next one waits, and after exactly that wait it passes`(rate: Rate) throws {
        var bucket = RateBucket()
        #expect(taken(&bucket, rate, at: start) == rate.burst)
        let refused = bucket.take(rate, at: start)
        let wait = try #require(refused)
        #expect(wait == .nanoseconds(1_000_000_000 / Int64(rate.perSecond)))
        let shortOf = start + wait - .milliseconds(1)
        #expect(bucket.take(rate, at: shortOf) != nil)
        #expect(bucket.take(rate, at: start + wait) == nil)
        #expect(bucket.take(rate, at: start + wait) != nil)
    }

    @Test func `over a long time so many pass as the rate says, however they come`() {
        let rate = Rate.fixed(20, perSecond: 5)
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<20 {
            var bucket = RateBucket()
            var (now, passed) = (start, 0)
            while now < start + .seconds(100) {
                if bucket.take(rate, at: now) == nil { passed += 1 }
                now = now + .milliseconds(Int64.random(in: 0...60, using: &generator))
            }
            #expect((20 + 490...20 + 500).contains(passed), "\(passed)")
        }
    }

    @Test func `a bucket fills up to its burst and no further`() {
        let rate = Rate.fixed(3, perSecond: 1)
        var bucket = RateBucket()
        #expect(taken(&bucket, rate, at: start) == 3)
        #expect(taken(&bucket, rate, at: start + .seconds(2)) == 2)
        #expect(taken(&bucket, rate, at: start + .seconds(1_000_000)) == 3)
    }

    @Test func `a clock that is set back by a year costs one empty bucket, not a year`() {
        let rate = Rate.fixed(3, perSecond: 1)
        var bucket = RateBucket()
        _ = taken(&bucket, rate, at: start)
        let past = start - .seconds(365 * 86_400)
        #expect(bucket.take(rate, at: past) != nil)
        bucket.charge(rate, at: past)
        #expect(taken(&bucket, rate, at: past + .seconds(3)) == 3)
    }

    @Test func `what is charged beyond the bucket makes nobody wait longer than for one token`() {
        let rate = Rate.fixed(3, perSecond: 1)
        var bucket = RateBucket()
        for _ in 0..<100 { bucket.charge(rate, at: start) }
        #expect(bucket.wait(rate, at: start) == .seconds(1))
        #expect(bucket.take(rate, at: start + .seconds(1)) == nil)
    }

    @Test(arguments: [
        "", "20", "20+1", "+1/s", "20+/s", "0+1/s", "20+0/s", "1000001+1/s", "20+1000001/s", "-1+1/s", "2.5+1/s", "20+1/m",
        "1+2+3/s", " 20+1/s", "٢٠+1/s",
    ])
    func `a text that is no rate is refused`(text: String) {
        #expect(Rate(text) == nil)
    }

    @Test(arguments: ["1+1/s", "20+1/s", "1000000+1000000/s"])
    func `a rate is written as it is read`(text: String) throws {
        #expect(try #require(Rate(text)).description == text)
    }
}

@Suite("Tables of rates")
struct RateTableTests {
    private let start = Timestamp(seconds: 1_800_000_000)

    @Test func `each key has a bucket of its own`() {
        var table = RateTable<String>(.fixed(2, perSecond: 1), capacity: 100)
        for key in ["a", "b"] {
            #expect(table.take(key, at: start) == nil)
            #expect(table.take(key, at: start) == nil)
            #expect(table.take(key, at: start) == .seconds(1))
            #expect(table.wait(for: key, at: start) == .seconds(1))
        }
        #expect(table.wait(for: "c", at: start) == nil)
        #expect(table.take("a", at: start + .seconds(1)) == nil)
    }

    @Test func `a million keys take no more room than the capacity`() {
        let capacity = 1 << 12
        var table = RateTable<Int>(.fixed(5, perSecond: 1), capacity: capacity)
        var most = 0
        for key in 0..<1_000_000 {
            _ = table.take(key, at: start + .milliseconds(Int64(key / 1000)))
            most = max(most, table.count)
        }
        #expect(most <= capacity && most > capacity / 2)
    }

    @Test func `refusals take no room`() {
        var table = RateTable<Int>(.fixed(1, perSecond: 1), capacity: 100)
        _ = table.take(1, at: start)
        for _ in 0..<1000 { #expect(table.take(1, at: start) != nil) }
        #expect(table.count == 1)
    }

    @Test func `while the keys fit, none gains by the others, whenever they come`() {
        let rate = Rate.fixed(4, perSecond: 2)
        var generator = SeededGenerator(seed: 11)
        var table = RateTable<Int>(rate, capacity: 64)
        var alone: [Int: RateBucket] = [:]
        var now = start
        for _ in 0..<20_000 {
            let key = Int.random(in: 0..<30, using: &generator)
            var bucket = alone[key] ?? RateBucket()
            #expect(table.take(key, at: now) == bucket.take(rate, at: now))
            alone[key] = bucket
            now = now + .milliseconds(Int64.random(in: 0...40, using: &generator))
        }
    }

    @Test func `what was not used for long is let go`() {
        let rate = Rate.fixed(5, perSecond: 1)
        var table = RateTable<Int>(rate, capacity: 1000)
        for key in 0..<400 { _ = table.take(key, at: start) }
        _ = table.take(-1, at: start + .seconds(11))
        #expect(table.count == 1)
    }

    @Test func `of more keys than fit, those that were used last keep their buckets`() {
        var table = RateTable<Int>(.fixed(1, perSecond: 1), capacity: 100)
        for key in 0..<1000 { _ = table.take(key, at: start) }
        for key in 951..<1000 { #expect(table.take(key, at: start) != nil) }
    }
}

@Suite("Recent keys")
struct RecentKeysTests {
    @Test func `a million keys take no more room than the capacity, and the last are there`() {
        var keys = RecentKeys<Int>(capacity: 1000)
        for key in 0..<1_000_000 { keys.insert(key) }
        #expect(keys.count <= 1000)
        for key in 999_500..<1_000_000 { #expect(keys.contains(key)) }
        #expect(!keys.contains(0))
    }

    @Test func `what is used stays, what is removed is gone`() {
        var keys = RecentKeys<Int>(capacity: 10)
        for key in 0..<1000 {
            keys.insert(-1)
            keys.insert(key)
        }
        #expect(keys.contains(-1))
        keys.remove(-1)
        #expect(!keys.contains(-1))
    }
}
