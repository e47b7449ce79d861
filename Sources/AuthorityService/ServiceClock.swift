import Foundation
package import PKI

/// Where the shell reads the time; the tests hand in their own.
package struct ServiceClock: Sendable {
    private let read: @Sendable () -> Timestamp
    private let readSteady: @Sendable () -> Duration

    /// Without a steady clock of its own, `read` is taken for one.
    package init(_ read: @escaping @Sendable () -> Timestamp, steady: (@Sendable () -> Duration)? = nil) {
        self.read = read
        readSteady = steady ?? { .milliseconds(read().milliseconds) }
    }

    package var now: Timestamp { read() }

    /// Time that passed since some beginning of its own: nobody sets it, and it goes on while the machine sleeps.
    package var steady: Duration { readSteady() }

    /// The system's wall clock, and the time since this process first asked.
    package static let system: ServiceClock = {
        let start = ContinuousClock.now
        return ServiceClock(
            { Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) },
            steady: { ContinuousClock.now - start })
    }()
}
