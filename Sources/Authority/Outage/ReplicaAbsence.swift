package import PKI

/// A replica that went without a goodbye while it had a permit: until when it may go on, whatever became of it.
///
/// Times are the database's. It is forgotten as soon as the replica, or the next process with its journal, has told all that it did.
package struct ReplicaAbsence: Hashable, Sendable {
    /// When it stops signing, at the latest.
    package var signsUntil: Timestamp
    /// When the last of its leaves ends, at the latest.
    package var leavesUntil: Timestamp
    /// Whether it may still sign.
    package var maySign: Bool

    package init(signsUntil: Timestamp, leavesUntil: Timestamp, maySign: Bool) {
        self.signsUntil = signsUntil
        self.leavesUntil = leavesUntil
        self.maySign = maySign
    }

    /// Of a row that was last written at `seenAt`; nil once nothing of the permit is left.
    package init?(permit: OfflinePermit, seenAt: Timestamp, now: Timestamp) {
        self.init(
            signsUntil: seenAt + permit.signing, leavesUntil: seenAt + permit.reach, maySign: now < seenAt + permit.signing)
        guard permit != .none, now < leavesUntil else { return nil }
    }
}
