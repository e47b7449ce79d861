package import PKI

/// What one look at the ledger shows.
package struct LedgerSight: Hashable, Sendable {
    package var position: LedgerPosition
    /// Which line of history the server writes: another one after each failover. Nil: it does not say.
    package var timeline: Int64?
    /// The time by the ledger's own clock; nil: it has none of its own.
    package var time: Timestamp?

    package init(position: LedgerPosition, timeline: Int64? = nil, time: Timestamp? = nil) {
        self.position = position
        self.timeline = timeline
        self.time = time
    }
}
