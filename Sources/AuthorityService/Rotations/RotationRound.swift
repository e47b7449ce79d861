internal import Authority
internal import PKI

/// What one replica keeps between two rounds of its rotations: nothing that another could not take over.
struct RotationRound {
    /// By what a gate was judged: while it is the same, so is the verdict.
    struct Facts: Hashable {
        /// The state's revision.
        var state: Int64
        /// Of this replica's own tally.
        var own: UInt64
        /// Of what the other replicas reported.
        var others: UInt64
    }

    var pacer: RotationPacer
    /// Of the tally, as last written into this replica's row; nil: that is not known.
    var toldEdition: UInt64?
    var toldAt: ContinuousClock.Instant?
    /// When it last said anything, by the service's clock.
    var reportedAt: Timestamp?
    /// The other replicas, as this one knows them while it drives.
    var replicas = KnownReplicas()
    /// Gates that the ledger was found to hold.
    var holds: [String: LedgerHold] = [:]
    /// While this replica drives.
    var lease: DriverLease?
    /// When it was last asked for.
    var leaseAskedAt: Timestamp?
    /// When a replica that does not drive last counted the others.
    var countedAt: Timestamp?
    /// Whether the last round failed.
    var isTroubled = false

    init(pacer: RotationPacer) { self.pacer = pacer }

    /// Forgets rotations that run no longer.
    mutating func keep(only running: [String: AuthorityState.RotationEntry]) {
        pacer.keep(only: running.keys)
        holds = holds.filter { running[$0.key] != nil }
    }
}
