internal import Authority
internal import Logging
internal import Metrics
internal import PKI
import Synchronization

/// The replica's clock beside the database's, as each look at the ledger shows both. Which of the two is wrong nobody can tell here.
final class DatabaseClock: Sendable {
    /// Nil: not compared yet.
    private let difference = Mutex<ClockDifference?>(nil)
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// The database's clock said `time` to a question that was asked at `asked` by the replica's, and whose answer took so long.
    func compare(_ time: Timestamp, asked: Timestamp, took: Duration) {
        let found = ClockDifference(asked: asked, took: took, database: time)
        let before = difference.withLock { difference in
            defer { difference = found }
            return difference
        }
        let wasFar = before?.exceeds(ClockDifference.worthSaying) ?? false
        guard found.exceeds(ClockDifference.worthSaying) != wasFar else { return }
        if wasFar {
            logger.notice("the clock and the database's are together again")
        } else {
            logger.warning(
                "the clock differs from the database's: one of them is wrong",
                metadata: ["seconds": "\(found.value.components.seconds)"])
        }
    }

    /// By how much the clocks differ, where that is too much to tell by either what has ended; nil: it is not.
    var distance: Duration? {
        difference.withLock { $0.flatMap { $0.exceeds(ClockDifference.tooFar) ? $0.value : nil } }
    }

    func measure() {
        guard let difference = difference.withLock({ $0 }) else { return }
        Gauge(label: "signet_clock_database_difference_seconds").record(difference.value / .seconds(1))
    }
}
