internal import Authority
internal import PKI

/// A gate that nobody holds but holders of certificates, by the ledger: for as long as one of them is known to hold it still, the
/// ledger is not asked again, which may take hours and would read thousands of rows each time.
struct LedgerHold {
    private let revision: Int64
    private let blockers: [RotationBlocker]
    private let keys: [SubscriberKey?]
    private let facts: RotationRound.Facts
    private let since = ContinuousClock().now
    /// Nothing in the ledger ends a hold but what is known here; this is for whatever nobody has thought of.
    private static let longest = Duration.seconds(30)

    /// The verdict on `entry`, which was shut.
    init(_ gate: RotationGate, of entry: AuthorityState.RotationEntry, _ facts: RotationRound.Facts) {
        revision = entry.revision
        // A replica that was away may be back at any moment.
        blockers = gate.blockers.filter { $0.until != nil && $0.reason != .absent }
        keys = blockers.map { blocker in
            guard let mesh = blocker.mesh, let identity = blocker.identity, blocker.reason != .unsubscribed else { return nil }
            return SubscriberKey(mesh: mesh, identity: identity, proxy: blocker.proxy, node: blocker.node)
        }
        self.facts = facts
    }

    /// Whether the gate is shut still, as far as is known without the ledger: one of its holders has neither settled nor ended, and
    /// nothing was committed since.
    func lasts(
        of entry: AuthorityState.RotationEntry, in state: AuthorityState, _ reports: MeshAuthority.ReplicaReports,
        _ now: RotationRound.Facts, at time: Timestamp
    ) -> Bool {
        guard entry.revision == revision, now.state == facts.state, ContinuousClock().now < since + LedgerHold.longest else {
            return false
        }
        // Nobody who holds it had settled by these facts.
        let settled = now == facts ? [] : state.settled(entry, by: reports.living, departed: reports.departed)
        return state.stillHolding(blockers, keys: keys, settled: settled, at: time)
    }
}
