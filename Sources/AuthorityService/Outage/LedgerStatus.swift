package import Authority

/// How this replica is with its ledger, for an administrator.
package struct LedgerStatus: Hashable, Sendable {
    /// The highest position that was taken from it.
    package var position: LedgerPosition?
    package var doubt: LedgerDoubt?
    /// For how long it has not answered; nil: it does.
    package var away: Duration?
    /// Certificates that are in the journal alone.
    package var journaled: Int
    package var hasJournal: Bool
    /// Why the journal takes nothing now; nil: it does, or there is none.
    package var journalFailure: JournalFailure?
}
