/// How a replica is with its database, and what was decided about it.
package struct LedgerMessage: Codable, Sendable, Hashable {
    /// `answering`, `away`, or `doubtful`.
    package var status: String
    /// The ledger's own id; absent before it was reached.
    package var ledger: String?
    package var epoch: Int64?
    package var revision: Int64?
    /// Why it is not believed, such as `lost-transactions`; absent unless it is doubtful.
    package var doubt: String?
    /// The same in a sentence.
    package var detail: String?
    /// For how many seconds it has not answered; absent while it does.
    package var awaySeconds: Int64?
    /// Certificates that are in the replica's journal alone.
    package var journaled: Int
    /// Why the journal takes nothing now; absent while it does, and where there is none.
    package var journalFailure: String?
    /// Whether the replica issues certificates while it is away.
    package var issuesOffline: Bool

    package init(
        status: String, ledger: String?, epoch: Int64?, revision: Int64?, doubt: String?, detail: String?, awaySeconds: Int64?,
        journaled: Int, journalFailure: String?, issuesOffline: Bool
    ) {
        self.status = status
        self.ledger = ledger
        self.epoch = epoch
        self.revision = revision
        self.doubt = doubt
        self.detail = detail
        self.awaySeconds = awaySeconds
        self.journaled = journaled
        self.journalFailure = journalFailure
        self.issuesOffline = issuesOffline
    }
}
