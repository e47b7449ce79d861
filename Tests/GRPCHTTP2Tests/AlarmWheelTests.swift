import GRPCHTTP2
import NIOCore
import NIOEmbedded
import Testing

@Suite struct AlarmWheelTests {
    private final class Napper: Sleeper {
        var alarm = Alarm()
        var wokenAt: [NIODeadline] = []
        var onWake: (Napper, NIODeadline) -> Void = { _, _ in }

        func woke(at now: NIODeadline) {
            wokenAt.append(now)
            onWake(self, now)
        }
    }

    private func late(_ woken: NIODeadline, for due: NIODeadline) -> TimeAmount { woken - due }

    @Test func `Alarms near and far ring once, in time and at most an interval late`() {
        let loop = EmbeddedEventLoop()
        let wheel = AlarmWheel(eventLoop: loop)
        let delays: [TimeAmount] = [
            .nanoseconds(1), .milliseconds(49), .milliseconds(50), .milliseconds(51), .seconds(1), .milliseconds(6399),
            .milliseconds(6400), .seconds(7), .seconds(13), .seconds(100),
        ]
        let start = loop.now
        let nappers = delays.map { delay in
            let napper = Napper()
            wheel.set(napper, at: start + delay)
            return napper
        }
        for _ in 0..<20_100 { loop.advanceTime(by: .milliseconds(5)) }
        for (napper, delay) in zip(nappers, delays) {
            #expect(napper.wokenAt.count == 1, "\(delay)")
            guard let woken = napper.wokenAt.first else { continue }
            #expect(woken >= start + delay && woken - (start + delay) <= AlarmWheel.interval, "\(delay)")
        }
    }

    @Test func `An alarm that is set anew rings at the new time alone, be it earlier or later`() {
        let loop = EmbeddedEventLoop()
        let wheel = AlarmWheel(eventLoop: loop)
        let start = loop.now
        let (earlier, later, cleared) = (Napper(), Napper(), Napper())
        wheel.set(earlier, at: start + .seconds(5))
        wheel.set(earlier, at: start + .seconds(1))
        wheel.set(later, at: start + .seconds(1))
        wheel.set(later, at: start + .seconds(5))
        wheel.set(cleared, at: start + .seconds(1))
        wheel.clear(cleared)
        for _ in 0..<2000 { loop.advanceTime(by: .milliseconds(5)) }
        #expect(earlier.wokenAt.map { ($0 - start).nanoseconds / 1_000_000_000 } == [1])
        #expect(later.wokenAt.map { ($0 - start).nanoseconds / 1_000_000_000 } == [5])
        #expect(cleared.wokenAt.isEmpty)
    }

    @Test func `A sleeper that sets its alarm when it wakes wakes again`() {
        let loop = EmbeddedEventLoop()
        let wheel = AlarmWheel(eventLoop: loop)
        let napper = Napper()
        napper.onWake = { napper, now in wheel.set(napper, at: now + .milliseconds(200)) }
        wheel.set(napper, at: loop.now)
        for _ in 0..<1000 { loop.advanceTime(by: .milliseconds(10)) }
        // 200 ms, and up to an interval more.
        #expect((40...50).contains(napper.wokenAt.count))
        napper.onWake = { _, _ in }
    }

    @Test func `A wheel that stood still rings in time again`() {
        let loop = EmbeddedEventLoop()
        let wheel = AlarmWheel(eventLoop: loop)
        loop.advanceTime(by: .hours(1000))
        let napper = Napper()
        let due = loop.now + .milliseconds(300)
        wheel.set(napper, at: due)
        for _ in 0..<100 { loop.advanceTime(by: .milliseconds(5)) }
        #expect(napper.wokenAt.count == 1)
        #expect(napper.wokenAt.allSatisfy { $0 >= due && $0 - due <= AlarmWheel.interval })
    }
}
