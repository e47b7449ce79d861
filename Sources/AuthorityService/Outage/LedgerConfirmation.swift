package import Authority
package import PKI

/// An operator's word on a ledger that lost transactions: it is right as it was found.
///
/// It goes on in a new epoch, behind every revision that was seen: replicas follow it, and an old primary that appears again is
/// refused by all of them.
package struct LedgerConfirmation: Hashable, Sendable {
    /// How it was found.
    package let found: LedgerPosition
    /// Why it is not believed; nil: nobody knows what was seen of it.
    package let doubt: LedgerDoubt?
    /// The one that it goes on in.
    package let epoch: Int64
    private let reason: String

    /// Above each one that was seen of it. Where nobody knows that, as many as no database is confirmed times: one that was
    /// confirmed since the backup was made must not be taken for this one.
    package init(of found: LedgerPosition, doubt: LedgerDoubt?, reason: String) throws(AuthorityError) {
        try LedgerConfirmation.confirm(reason: reason)
        self.found = found
        self.doubt = doubt
        self.reason = reason
        switch doubt {
        case nil: epoch = found.epoch + LedgerConfirmation.stride
        case .anotherLedger: epoch = found.epoch + 1
        case .earlierEpoch(let seen, _), .earlierTimeline(let seen, _), .lostTransactions(let seen, _):
            epoch = max(seen.epoch, found.epoch) + 1
        }
    }

    private static let stride: Int64 = 1000

    /// Throws where it is no reason, before anybody asks the ledger.
    package static func confirm(reason: String) throws(AuthorityError) {
        guard !reason.allSatisfy(\.isWhitespace), reason.utf8.count <= 2000 else {
            throw .invalid([
                InvalidParameter(field: "reason", reason: "has to be given, in 2000 octets: it stands in the audit trail")
            ])
        }
    }

    /// Whether it is the ledger that was served before, and not another database.
    var isSame: Bool { doubt.map { $0.seen.ledger == found.ledger } ?? true }

    /// What makes it so, with its audit entry. Conflict where the ledger is in another epoch by then.
    func transaction(
        by actor: String, source: String, requestID: String = "", at now: Timestamp, in state: AuthorityState
    ) -> LedgerTransaction {
        var details = [
            "reason": reason, "doubt": doubt?.reason ?? "unknown", "epoch": "\(epoch)", "found-revision": "\(found.revision)",
        ]
        if let seen = doubt?.seen {
            details["seen-revision"] = "\(seen.revision)"
            details["seen-ledger"] = seen.ledger
        }
        let entry = AuditEntry(
            at: now, actor: actor, source: source, action: "ledger-confirmed", mesh: nil, object: found.ledger, details: details,
            requestID: requestID)
        let seen = isSame ? doubt?.seen.revision ?? 0 : 0
        let writes: [LedgerWrite] = [.confirmLedger(found: found, seen: seen, epoch: epoch)]
        return LedgerTransaction(writes: writes, audit: entry.with(AuditDocuments(of: writes, in: state)))
    }

    /// Confirms a ledger beside the replicas, which follow it: for whoever may write to the database, and needs no token of the
    /// service. Returns how the ledger is then.
    ///
    /// `seen` is what a replica remembers; nil: nothing is known, and the operator's word is taken for it.
    package static func confirm(
        _ ledger: any Ledger, seen: LedgerPosition?, reason: String, by actor: String, at now: Timestamp
    ) async throws(AuthorityError) -> LedgerPosition {
        try confirm(reason: reason)
        do {
            let state = try await ledger.load()
            guard state.serviceKeys[ServiceKeys.leafVersion] != nil else {
                throw AuthorityError.conflict(
                    detail:
                        "no service has ever started with this database: look that postgres.hosts and postgres.database name the right "
                        + "one, and restore its backup first")
            }
            let found = state.position
            let doubt = seen?.doubt(about: found)
            if seen != nil, doubt == nil {
                throw AuthorityError.conflict(
                    detail:
                        "the database is not behind what journal.directory remembers of it: there is nothing to confirm. Where "
                        + "another replica is in doubt all the same, do it with that one's; where its directory is lost, add "
                        + "--set journal.directory= (empty), which takes your word for it")
            }
            // Replicas follow no other one by its epoch, and what their journals hold is not of it.
            if let doubt, case .anotherLedger = doubt { throw AuthorityError.conflict(detail: "\(doubt)") }
            let confirmation = try LedgerConfirmation(of: found, doubt: doubt, reason: reason)
            _ = try await ledger.commit(confirmation.transaction(by: actor, source: "local", at: now, in: AuthorityState()))
            return try await ledger.position()
        } catch let error as AuthorityError {
            throw error
        } catch let failure as LedgerFailure {
            throw .ledger(failure)
        } catch {
            throw .ledger(.unavailable(detail: "\(error)"))
        }
    }
}
