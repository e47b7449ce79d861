internal import Logging
internal import NIOCore
import Synchronization

/// Logs how many connections beyond a door's limit were closed: one line for each interval in which there were any, so that
/// whoever fills the door cannot fill the log as well.
final class SurplusConnections: Sendable {
    private let door: String
    private let interval: Duration
    private let logger: Logger
    private let closed = Mutex(0)

    /// A second: soon enough for whoever watches the log, and at most 3,600 lines an hour.
    init(door: String, interval: Duration = .seconds(1), logger: Logger) {
        self.door = door
        self.interval = interval
        self.logger = logger
    }

    /// Counts one; the first of an interval has the line logged at the interval's end.
    func count(_ surplus: OpenConnections.Surplus, on eventLoop: any EventLoop) {
        DoorMetrics.limited(surplus.rawValue)
        let isFirst = closed.withLock { closed in
            closed += 1
            return closed == 1
        }
        guard isFirst else { return }
        eventLoop.scheduleTask(in: TimeAmount(interval)) { [self] in
            let count = closed.withLock { closed in
                defer { closed = 0 }
                return closed
            }
            logger.warning("connections beyond the limit were closed", metadata: ["door": "\(door)", "count": "\(count)"])
        }
    }
}
