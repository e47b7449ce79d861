import AdminWire
import Hummingbird
import TestSupport
import Testing

@testable import AdminAPI
@testable import AuthorityService

/// How the database is, and an operator's word on one that lost transactions.
@Suite struct LedgerRouteTests {
    @Test func `a database that lost transactions is read-only until an administrator confirms it, with a reason`() async throws {
        try await AdminBench.run { bench in
            let sound = try await bench.send(.get, "/ledger")
            #expect(sound.status == 200 && sound.json?["status"]?.text == "answering" && sound.json?["doubt"] == nil)
            #expect(sound.json?["epoch"] == .number("1") && sound.json?["issuesOffline"] == .bool(false))
            let needless = try await confirm(bench, #"{"reason":"just so"}"#)
            #expect(needless.status == 409)

            let backup = bench.ledger.disk.store
            try await bench.putMesh("payments")
            try await bench.putMesh("orders")
            bench.ledger.disk.restore(backup)
            let refused = try await bench.putMesh("late")
            #expect(refused.status == 503 && refused.headers[.retryAfter] != nil, "\(refused)")
            #expect(refused.problem?.detail.contains("read-only") == true)
            let doubtful = try await bench.send(.get, "/ledger")
            #expect(doubtful.json?["status"]?.text == "doubtful" && doubtful.json?["doubt"]?.text == "lost-transactions")
            #expect(doubtful.json?["detail"]?.text?.contains("lost transactions") == true)
            // What is in memory is read as before.
            #expect(try await bench.send(.get, "/meshes/payments/bundle").status == 200)

            #expect(try await confirm(bench, "{}").status == 400)
            let confirmed = try await confirm(bench, #"{"reason":"the standby it is"}"#)
            #expect(confirmed.status == 200 && confirmed.json?["status"]?.text == "answering", "\(confirmed)")
            #expect(confirmed.json?["epoch"] == .number("2"))
            #expect(try await bench.putMesh("late").status == 201)
            #expect(try await bench.send(.get, "/meshes/payments").status == 404)
            let entries = try await bench.send(.get, "/audit?size=1000")
            #expect(entries.text.contains("ledger-confirmed") && entries.text.contains("the standby it is"))
        }
    }

    @Test func `a journal that takes nothing is told of, and that nothing would be issued by it`() {
        var status = LedgerStatus(position: nil, doubt: nil, away: nil, journaled: 0, hasJournal: true)
        #expect(LedgerMessage(status).issuesOffline && LedgerMessage(status).journalFailure == nil)
        status.journalFailure = .unusable(path: "/j", detail: "Read-only file system")
        let message = LedgerMessage(status)
        #expect(!message.issuesOffline && message.journalFailure == "/j cannot be used: Read-only file system")
    }

    @Test func `while the database is away its state is told, and changes are 503 with a time to come again`() async throws {
        try await AdminBench.run { bench in
            bench.ledger.setLasting(.unavailable)
            let refused = try await bench.putMesh("late")
            #expect(refused.status == 503 && refused.headers[.retryAfter] != nil)
            let confirmed = try await confirm(bench, #"{"reason":"no"}"#)
            #expect(confirmed.status == 503)
        }
    }

    private func confirm(_ bench: AdminBench, _ body: String) async throws -> AdminBench.Answer {
        try await bench.send(.post, "/ledger/confirm", type: "application/json", body: body)
    }
}
