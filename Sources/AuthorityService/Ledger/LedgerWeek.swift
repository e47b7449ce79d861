package import PKI

/// Seven days in which leaves end: they are kept together, and forgotten together.
///
/// Weeks are counted from the Unix epoch, a Thursday, so that every replica and every release cuts time at the same places.
package struct LedgerWeek: Hashable, Comparable, Sendable {
    /// Weeks since the epoch; negative before it.
    package let number: Int64

    package init(number: Int64) {
        self.number = number
    }

    package init(containing time: Timestamp) {
        let milliseconds = time.milliseconds
        let number = milliseconds / LedgerWeek.length.wholeMilliseconds
        let isBefore = milliseconds < number * LedgerWeek.length.wholeMilliseconds
        self.number = isBefore ? number - 1 : number
    }

    package static let length = Duration.seconds(7 * 86_400)

    package var start: Timestamp { Timestamp(milliseconds: number * LedgerWeek.length.wholeMilliseconds) }

    /// The first moment that is no longer in it.
    package var end: Timestamp { LedgerWeek(number: number + 1).start }

    /// Its first day in UTC, such as `20261119`.
    package var name: String { String(start.iso8601.prefix(10).filter { $0 != "-" }) }

    package static func < (left: LedgerWeek, right: LedgerWeek) -> Bool { left.number < right.number }
}
