/// Which ledger, and how far it is.
package struct LedgerPosition: Hashable, Sendable, Codable {
    /// Random, made with the database's schema: another database is another ledger.
    package var ledger: String
    /// Grows by one each time that an operator confirms a ledger that had lost transactions.
    package var epoch: Int64
    /// Grows with every transaction.
    package var revision: Int64

    /// How far a ledger that is confirmed goes ahead of what was seen: more transactions than another replica can have seen besides.
    package static let stride: Int64 = 1_000_000

    package init(ledger: String, epoch: Int64, revision: Int64) {
        self.ledger = ledger
        self.epoch = epoch
        self.revision = revision
    }

    /// Why a ledger that is found here is not the one that was seen at this position; nil: it is, or has gone on from it.
    ///
    /// A later epoch is one that an operator confirmed, wherever it begins.
    package func doubt(about found: LedgerPosition) -> LedgerDoubt? {
        if found.ledger != ledger { return .anotherLedger(seen: self, found: found) }
        if found.epoch < epoch { return .earlierEpoch(seen: self, found: found) }
        if found.epoch == epoch, found.revision < revision { return .lostTransactions(seen: self, found: found) }
        return nil
    }
}
