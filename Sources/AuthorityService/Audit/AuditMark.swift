/// The last entry of the audit trail that a replica followed and signed, or found signed: what it remembers across restarts.
///
/// A trail that has lost it, or has another one in its place, was cut off or written anew, whatever its head says. An operator who
/// confirms the ledger as it is begins another epoch, in which the mark is worth nothing. Digests in hexadecimal, as in a file.
package struct AuditMark: Hashable, Sendable, Codable {
    /// Of which ledger, and in which epoch.
    package var ledger: String
    package var epoch: Int64
    /// What the trail begins with.
    package var genesis: String
    package var seq: Int64
    package var hash: String

    package init(ledger: String, epoch: Int64, genesis: String, seq: Int64, hash: String) {
        self.ledger = ledger
        self.epoch = epoch
        self.genesis = genesis
        self.seq = seq
        self.hash = hash
    }
}
