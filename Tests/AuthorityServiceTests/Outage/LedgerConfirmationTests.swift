import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// An operator's word on a ledger, beside the replicas.
@Suite("Confirmation beside the replicas")
struct LedgerConfirmationTests {
    private let ledger = MemoryLedger()

    /// As after a first start.
    init() async throws { try await LedgerConfirmationTests.found(ledger) }

    private static func found(_ ledger: MemoryLedger) async throws {
        let key = SealedKey(keyEncryptionKeyID: "k", wrappedDataKey: [1], ciphertext: [2])
        let entry = AuditEntry(
            at: MemoryLedger.systemTime(), actor: "system", source: "local", action: "service-founded", mesh: nil, object: "o")
        _ = try await ledger.commit(
            LedgerTransaction(writes: [.insertServiceKey(name: "leaf-version", key)], audit: entry))
    }

    @Test func `one that no service has started with is not confirmed`() async throws {
        let empty = MemoryLedger()
        let error = await #expect(throws: AuthorityError.self) {
            try await LedgerConfirmation.confirm(empty, seen: nil, reason: "r", by: "local:test", at: MemoryLedger.systemTime())
        }
        #expect("\(String(describing: error))".contains("no service has ever started"))
        #expect(empty.disk.store.audit.isEmpty)
    }

    private func confirm(seen: LedgerPosition?, reason: String = "it is the one") async throws -> LedgerPosition {
        try await LedgerConfirmation.confirm(
            ledger, seen: seen, reason: reason, by: "local:test", at: MemoryLedger.systemTime())
    }

    @Test func `it goes on above every epoch and revision that was seen`() async throws {
        let found = try await ledger.position()
        let seen = LedgerPosition(ledger: found.ledger, epoch: found.epoch + 4, revision: found.revision + 70)
        let confirmed = try await confirm(seen: seen)
        #expect(confirmed.epoch == seen.epoch + 1 && confirmed.revision >= seen.revision + LedgerPosition.stride)
        #expect(seen.doubt(about: confirmed) == nil)
        let entry = try #require(ledger.disk.store.audit.last)
        #expect(entry.action == "ledger-confirmed" && entry.actor == "local:test" && entry.source == "local")
        #expect(entry.details["doubt"] == "earlier-epoch" && entry.details["seen-revision"] == "\(seen.revision)")
    }

    @Test func `where nobody knows what was seen it takes no epoch that may have been confirmed since the backup`() async throws {
        let found = try await ledger.position()
        let confirmed = try await confirm(seen: nil)
        #expect(confirmed.epoch >= found.epoch + 100)
        let entry = try #require(ledger.disk.store.audit.last)
        #expect(entry.details["doubt"] == "unknown" && entry.details["seen-revision"] == nil)
    }

    @Test func `one that is not in doubt, or another one altogether, is left as it is`() async throws {
        let found = try await ledger.position()
        let before = ledger.disk.store.audit
        var other = found
        other.ledger = "another"
        for seen in [found, other] {
            let error = await #expect(throws: AuthorityError.self) { try await confirm(seen: seen) }
            guard case .conflict(let detail)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(detail.contains(seen == found ? "nothing to confirm" : "remove ledger.json"))
        }
        #expect(try await ledger.position() == found && ledger.disk.store.audit == before)
    }

    @Test(arguments: ["", " \n", String(repeating: "x", count: 2001)])
    func `a reason is given, and not too long`(reason: String) async throws {
        let error = await #expect(throws: AuthorityError.self) { try await confirm(seen: nil, reason: reason) }
        guard case .invalid(let parameters)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(parameters.map(\.field) == ["reason"])
    }
}
