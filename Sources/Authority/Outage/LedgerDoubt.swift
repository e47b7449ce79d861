/// Why a ledger that answers is not believed: nothing is taken from it and nothing written to it until an operator has looked.
package enum LedgerDoubt: Hashable, Sendable {
    /// Another database than the one that this replica served.
    case anotherLedger(seen: LedgerPosition, found: LedgerPosition)
    /// An old primary: another one was confirmed since.
    case earlierEpoch(seen: LedgerPosition, found: LedgerPosition)
    /// An old primary: another server took over from it since, and took what it may lack.
    case earlierTimeline(seen: LedgerPosition, found: LedgerPosition)
    /// A failover without the last transactions, or a backup that was restored.
    case lostTransactions(seen: LedgerPosition, found: LedgerPosition)

    /// What was found in place of what had been seen.
    package var found: LedgerPosition {
        switch self {
        case .anotherLedger(_, let found), .earlierEpoch(_, let found), .earlierTimeline(_, let found),
            .lostTransactions(_, let found):
            found
        }
    }

    package var seen: LedgerPosition {
        switch self {
        case .anotherLedger(let seen, _), .earlierEpoch(let seen, _), .earlierTimeline(let seen, _),
            .lostTransactions(let seen, _):
            seen
        }
    }

    /// Stable, in kebab-case, for metrics and JSON.
    package var reason: String {
        switch self {
        case .anotherLedger: "another-ledger"
        case .earlierEpoch: "earlier-epoch"
        case .earlierTimeline: "earlier-timeline"
        case .lostTransactions: "lost-transactions"
        }
    }
}

extension LedgerDoubt: CustomStringConvertible {
    package var description: String {
        switch self {
        case .anotherLedger(let seen, let found):
            "the database is another one: it is the ledger \(found.ledger), and this replica served \(seen.ledger). If that is "
                + "meant and the journal is empty, remove ledger.json from journal.directory"
        case .earlierEpoch(let seen, let found):
            "the database is an old primary: it is in epoch \(found.epoch), and epoch \(seen.epoch) was confirmed since"
        case .earlierTimeline:
            "the database is an old primary: another server took over from it since, and what that one took may be missing here. Lead "
                + "this replica back to that one"
        case .lostTransactions(let seen, let found) where found.revision >= seen.revision:
            "it was found behind revision \(seen.revision), which this replica has seen, and is at \(found.revision) now: it was "
                + "written to since, or the right one is back and cannot be told from it, in which case restart this replica"
        case .lostTransactions(let seen, let found):
            "it is at revision \(found.revision) and this replica has seen \(seen.revision): a failover or restored backup lost "
                + "transactions"
        }
    }
}
