package import NIOCore

/// What an `AlarmWheel` wakes.
package protocol Sleeper: AnyObject {
    /// Belongs to the wheel; begins as `Alarm()`.
    var alarm: Alarm { get set }
    /// The time that was set has come.
    func woke(at now: NIODeadline)
}

/// When a sleeper is to be woken, and where the wheel has it.
package struct Alarm: Sendable {
    fileprivate var due: NIODeadline?
    /// The round in which the one valid entry is looked at.
    fileprivate var round: Int?

    package init() {}
}

/// The alarms of thousands of connections and streams of one event loop.
///
/// The loop's own timers cost half a kilobyte each and are cancelled by a search through all of them; here setting an
/// alarm anew is an assignment. An alarm rings up to one interval late. Bound to its event loop.
package final class AlarmWheel {
    private let eventLoop: any EventLoop
    /// The sleepers of the rounds to come; an alarm further away is filed in the last of them, and filed again then.
    private var slots: [[any Sleeper]]
    private let start: NIODeadline
    /// The last round that was looked at.
    private var round = 0
    /// Entries in all slots, those that are no longer valid included.
    private var entries = 0
    private var isTurning = false
    private var isRinging = false

    /// 50 ms: a fifth of the shortest time that anything here waits for.
    package static let interval: TimeAmount = .milliseconds(50)
    /// 6.4 s in all: longer than the tick of a stream, so that most alarms are filed once.
    private static let slotCount = 128

    package init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        slots = Array(repeating: [], count: AlarmWheel.slotCount)
        start = eventLoop.now
    }

    package var now: NIODeadline { eventLoop.now }

    /// Wakes `sleeper` at `due`, and no longer at the time set before.
    package func set(_ sleeper: any Sleeper, at due: NIODeadline) {
        sleeper.alarm.due = due
        if !isTurning, !isRinging { round = max(round, whole(eventLoop.now)) }
        let wanted = min(max(whole(due) + 1, round + 1), round + slots.count - 1)
        // An entry that is looked at earlier files itself again.
        if let filed = sleeper.alarm.round, filed <= wanted { return }
        sleeper.alarm.round = wanted
        slots[wanted % slots.count].append(sleeper)
        entries += 1
        turn()
    }

    /// Wakes `sleeper` no more.
    package func clear(_ sleeper: any Sleeper) {
        sleeper.alarm.due = nil
    }

    /// The number of whole intervals from the start to `time`.
    private func whole(_ time: NIODeadline) -> Int {
        max(0, Int((time - start).nanoseconds / AlarmWheel.interval.nanoseconds))
    }

    private func turn() {
        guard !isTurning else { return }
        isTurning = true
        eventLoop.assumeIsolated().scheduleTask(in: AlarmWheel.interval) { self.ring() }
    }

    private func ring() {
        isTurning = false
        isRinging = true
        let now = eventLoop.now
        let last = whole(now)
        while round < last {
            round += 1
            look(at: now)
        }
        isRinging = false
        if entries > 0 { turn() }
    }

    private func look(at now: NIODeadline) {
        let index = round % slots.count
        guard !slots[index].isEmpty else { return }
        let current = round
        var sleepers: [any Sleeper] = []
        swap(&sleepers, &slots[index])
        entries -= sleepers.count
        for sleeper in sleepers where sleeper.alarm.round == current {
            sleeper.alarm.round = nil
            guard let due = sleeper.alarm.due else { continue }
            if due <= now {
                sleeper.alarm.due = nil
                sleeper.woke(at: now)
            } else {
                set(sleeper, at: due)
            }
        }
        // The slot is filled again every few seconds: its memory stays.
        if slots[index].isEmpty {
            sleepers.removeAll(keepingCapacity: true)
            swap(&sleepers, &slots[index])
        }
    }
}
