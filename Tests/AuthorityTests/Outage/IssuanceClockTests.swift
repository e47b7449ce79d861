import Authority
import PKI
import Testing

@Suite struct IssuanceClockTests {
    /// A wall clock that is looked at after some true time, so far off.
    private final class Looks {
        var clock = IssuanceClock()

        enum Verdict: Hashable {
            case behind(Duration)
            case jumped(Duration)
            case steady
        }

        func look(after elapsed: Duration, error: Duration = .zero) -> Verdict {
            let now = Timestamp(seconds: 1_800_000_000) + elapsed + error
            let leap = clock.look(at: now, steady: elapsed)
            if let gap = clock.issue(at: now) { return .behind(gap) }
            return leap.map { .jumped($0) } ?? .steady
        }
    }

    @Test func `a clock that goes on, or is slewed, is steady`() {
        let clock = Looks()
        for second in 0..<1000 {
            let error = Duration.milliseconds(Int64(second) * -500)
            #expect(clock.look(after: .seconds(Int64(second)), error: error) == .steady)
        }
    }

    @Test func `one that runs back an hour issues nothing until it has caught up`() {
        let clock = Looks()
        #expect(clock.look(after: .seconds(100)) == .steady)
        #expect(clock.look(after: .seconds(101), error: .seconds(-3600)) == .behind(.seconds(3599)))
        #expect(clock.look(after: .seconds(1000), error: .seconds(-3600)) == .behind(.seconds(2700)))
        // Within what a leaf is backdated by, nobody can tell.
        #expect(clock.look(after: .seconds(3691), error: .seconds(-3600)) == .steady)
        #expect(clock.look(after: .seconds(4000), error: .seconds(-3600)) == .steady)
    }

    @Test func `a few seconds back are nothing`() {
        let clock = Looks()
        #expect(clock.look(after: .seconds(100)) == .steady)
        #expect(clock.look(after: .seconds(101), error: .seconds(-9)) == .steady)
    }

    @Test func `one that ran back before this process began issues nothing either, and a look charges nothing`() {
        let start = Timestamp(seconds: 1_800_000_000)
        var clock = IssuanceClock(lastIssued: start)
        _ = clock.look(at: start - .seconds(3600), steady: .zero)
        #expect(clock.gap(at: start - .seconds(3600)) == .seconds(3600))
        #expect(clock.issue(at: start - .seconds(3600)) == .seconds(3600) && clock.lastIssued == start)
        #expect(clock.gap(at: start + .seconds(5)) == nil && clock.lastIssued == start)
        #expect(clock.issue(at: start + .seconds(5)) == nil && clock.lastIssued == start + .seconds(5))
    }

    @Test(arguments: [Duration.seconds(3600), .seconds(400 * 86_400)])
    func `a jump ahead is told once, and when it is taken back issuing goes on at once`(leap: Duration) {
        let clock = Looks()
        #expect(clock.look(after: .seconds(100)) == .steady)
        #expect(clock.look(after: .seconds(101), error: leap) == .jumped(leap))
        #expect(clock.look(after: .seconds(500), error: leap) == .steady && clock.clock.leaps == leap)
        #expect(clock.look(after: .seconds(600)) == .steady && clock.clock.leaps == nil)
        #expect(clock.look(after: .seconds(700)) == .steady)
        // Back behind what is right is behind again.
        #expect(clock.look(after: .seconds(701), error: .seconds(-3600)) == .behind(.seconds(3599)))
    }
}
