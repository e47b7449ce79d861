internal import AdminWire
internal import Authority
internal import AuthorityService

/// How the replica that is asked is with its database, and an operator's word on one that is in doubt.
struct LedgerRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/ledger", .administrator(.viewer), scope: .filtered) { _ in
                try .json(LedgerMessage(authority.ledgerStatus))
            },
            AdminRoute(.post, "/ledger/confirm", .administrator(.admin), body: .document) { request in
                let administrator = try request.requireAdministrator()
                let message = try request.message(else: RotationOrderMessage()) { node throws(DocumentError) in
                    try RotationOrderMessage(node, canForce: false)
                }
                return try .json(
                    LedgerMessage(try await authority.confirmLedger(reason: message.reason ?? "", by: administrator)))
            },
        ]
    }
}

extension LedgerMessage {
    init(_ status: LedgerStatus) {
        self.init(
            status: status.doubt != nil ? "doubtful" : status.away != nil ? "away" : "answering",
            ledger: status.position?.ledger, epoch: status.position?.epoch, revision: status.position?.revision,
            doubt: status.doubt?.reason, detail: status.doubt?.description, awaySeconds: status.away?.components.seconds,
            journaled: status.journaled, journalFailure: status.journalFailure?.description,
            issuesOffline: status.hasJournal && status.journalFailure == nil)
    }
}
