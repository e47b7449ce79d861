package import PKI

/// Holds the wall clock against what was issued by it, and against a steady one: a value without I/O.
///
/// A clock that runs back behind the last issuance would sign certificates that begin before those that they replace, and would
/// take ended ones for good. It is not believed until it has caught up, or is where it was before it jumped ahead: then the jump was
/// the error.
package struct IssuanceClock: Sendable {
    /// As far back as a leaf begins before its issue: within it, nobody can tell.
    package static let tolerance = Duration.seconds(10)
    /// More than any slewing moves a clock between two looks.
    package static let leap = Duration.seconds(60)

    /// By the wall clock; nil before the first.
    package private(set) var lastIssued: Timestamp?
    /// Whether the last issuance was an earlier process's: where the clock was then is not known.
    private var isInherited: Bool
    /// The wall clock less the steady one, as it was last.
    private var offset: Duration?
    /// As it was before anything jumped; what slews moves it.
    private var origin: Duration?

    /// `lastIssued` is what a process before this one issued last, by the wall clock.
    package init(lastIssued: Timestamp? = nil) {
        self.lastIssued = lastIssued
        isInherited = lastIssued != nil
    }

    /// Looks at both clocks. Gives by how much the wall clock has jumped ahead since the last look; nil: it has not.
    package mutating func look(at now: Timestamp, steady: Duration) -> Duration? {
        let found = Duration.milliseconds(now.milliseconds) - steady
        let change = offset.map { found - $0 } ?? .zero
        offset = found
        let isSlew = IssuanceClock.size(of: change) <= IssuanceClock.tolerance
        origin = origin.map { isSlew ? $0 + change : $0 } ?? found
        return change > IssuanceClock.leap ? change : nil
    }

    /// Something is about to be issued, after a look. Gives by how much the clock is behind what was issued before; nil: it may be.
    package mutating func issue(at now: Timestamp) -> Duration? {
        guard let lastIssued, now + IssuanceClock.tolerance < lastIssued else {
            lastIssued = lastIssued.map { max($0, now) } ?? now
            isInherited = false
            return nil
        }
        guard leaps == nil, !isInherited else { return lastIssued - now }
        // Back where it was before it jumped ahead: what was issued meanwhile bore a wrong time.
        self.lastIssued = now
        return nil
    }

    /// By how much the clock is behind what was issued, for whoever only looks; nil: something may be issued.
    package func gap(at now: Timestamp) -> Duration? {
        var copy = self
        return copy.issue(at: now)
    }

    /// By how much the clock is off from where it was before it jumped; nil: it is not. What ends by it may not have ended.
    package var leaps: Duration? {
        guard let offset, let origin, IssuanceClock.size(of: offset - origin) > IssuanceClock.tolerance else { return nil }
        return offset - origin
    }

    private static func size(of duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }
}
