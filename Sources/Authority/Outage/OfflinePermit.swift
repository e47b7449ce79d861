/// What a replica may do for as long as it does not reach the ledger. It says so in its row beforehand, so that whoever drives
/// rotations can wait until it is over.
///
/// Law: what a replica does without the ledger is bounded by the permit that the ledger had of it when the ledger last heard it.
/// Both sides count from the same heartbeat: the replica from before it was sent, the ledger from when it came, which is later.
package struct OfflinePermit: Hashable, Sendable {
    /// How long after it was last heard it may sign.
    package var signing: Duration
    /// How long after it was last heard a leaf may be valid that it signed so.
    package var reach: Duration

    /// Of a replica without a journal: what it cannot record it does not sign.
    package static let none = OfflinePermit(signing: .zero, reach: .zero)

    /// An hour: long enough for a database to be brought back by a person, and short enough for whoever waits.
    package static let longest = Duration.seconds(3600)

    /// The minute that the clocks of replica and database may differ by when the end of a leaf is compared.
    private static let clockDifference = Duration.seconds(60)

    package init(signing: Duration, reach: Duration) {
        self.signing = signing
        self.reach = reach
    }

    /// Enough for meshes whose leaves live so long.
    package init(leafLifetimes: some Sequence<Duration>) {
        self = .none
        for life in leafLifetimes {
            let window = OfflinePermit.window(ofLeafLiving: life)
            signing = max(signing, window)
            reach = max(reach, window + life + OfflinePermit.clockDifference)
        }
    }

    /// Half of a leaf's life, and an hour at most: whoever renewed last before the outage is served once more in it, and a revoked
    /// credential is worth no more than that.
    package static func window(ofLeafLiving life: Duration) -> Duration { min(longest, life / 2) }
}
