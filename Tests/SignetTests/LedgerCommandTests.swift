import Foundation
import TestSupport
import Testing

@testable import Postgres

/// An operator's word on the database, given to the database itself.
@Suite struct LedgerCommandTests {
    @Test(.timeLimit(.minutes(2)))
    func `With no admin token left the configuration is enough to confirm a database, and the replica that runs follows`()
        async throws
    {
        let database = try await TestDatabase.make()
        try await Workspace.open("confirm") { workspace in
            let setting = try await ServeSetting(
                in: workspace, database: database.configuration, journal: workspace.file("journal"))
            let process = try await setting.start()
            let memory = workspace.file("journal/ledger.json")
            try await eventually(within: .seconds(30), "a replica that remembers what it saw") {
                try await setting.isReady() && FileManager.default.fileExists(atPath: workspace.file("admin.token"))
            }
            // So far that what it remembers is behind neither the token nor the mesh.
            #expect(try await setting.client.run("token", "user", "--name", "n", "--role", "viewer").status == 0)
            let revision = try await database.withLedger { try await $0.position().revision }
            try await eventually(within: .seconds(20), "what it remembers") {
                try String(contentsOfFile: memory, encoding: .utf8).contains(#""revision":\#(revision)"#)
            }
            try await run("UPDATE ledger_revision SET revision = revision - 1", in: database)
            try await eventually(within: .seconds(30), "the doubt") { try await !setting.isReady() }
            unlink(workspace.file("admin.token"))
            #expect(try await setting.client.run("ledger", "confirm", "--reason", "no token").status != 0)
            let rewrap = try await setting.run("keys", "rewrap")
            #expect(rewrap.status == 1 && rewrap.errors.contains("'signet ledger confirm'"), "\(rewrap)")

            let confirmed = try await setting.run("ledger", "confirm", "--reason", "the backup it is", "-o", "json")
            #expect(confirmed.status == 0 && confirmed.output.contains(#""epoch": 2"#), "\(confirmed)")
            try await eventually(within: .seconds(30), "readiness") { try await setting.isReady() }
            let entry = try await run(
                """
                SELECT concat_ws(' ', actor, source, details->>'reason', details->>'doubt', details->>'seen-revision')
                FROM audit WHERE action = 'ledger-confirmed'
                """, in: database)
            #expect(entry == "local:\(NSUserName()) local the backup it is lost-transactions \(revision)")
            #expect(try await setting.run("keys", "rewrap").status == 0)

            let needless = try await setting.run("ledger", "confirm", "--reason", "once more")
            #expect(needless.status == 1 && needless.errors.contains("nothing to confirm"), "\(needless)")
            // For whoever knows nothing of what was seen.
            let unseen = try await setting.run("ledger", "confirm", "--reason", "once more", "--set", "journal.directory=")
            #expect(unseen.status == 0 && unseen.output.contains("epoch 1002"), "\(unseen)")
            try await eventually(within: .seconds(30), "the replica in the new epoch") {
                try String(contentsOfFile: memory, encoding: .utf8).contains(#""epoch":1002"#)
            }
            #expect(try await setting.isReady())
            process.send(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(30)) == .exited(0), "\(process.log)")
        }
    }

    @Test func `A word on the database goes to it or to a replica, not to both`() async throws {
        let both = try await SignetLine().run(
            "ledger", "confirm", "--reason", "r", "--config", "/nonexistent", "--address", "https://localhost:1")
        #expect(both.status == 2 && both.errors.contains("--config and --set go to the database itself"), "\(both)")
        let without = try await SignetLine().run("ledger", "confirm", "--reason", "r", "--set", "log.level=info")
        #expect(without.status == 2 && without.errors.contains("postgres.hosts is not set"), "\(without)")
    }

    @Test func `A journal that is not there, and a database that no service has started with, are not confirmed`() async throws {
        let database = try await TestDatabase.make()
        try await Workspace.open("confirm-nothing") { workspace in
            let journal = workspace.file("journal")
            let setting = try await ServeSetting(in: workspace, database: database.configuration, journal: journal)
            #expect(try await setting.run("migrate").status == 0)
            let missing = try await setting.run("ledger", "confirm", "--reason", "r")
            #expect(missing.status == 2 && missing.errors.contains("there is no journal.directory \(journal)"), "\(missing)")
            #expect(missing.errors.contains("--set journal.directory= (empty)"), "\(missing)")
            let fresh = try await setting.run("ledger", "confirm", "--reason", "r", "--set", "journal.directory=")
            #expect(fresh.status == 1 && fresh.errors.contains("no service has ever started with this database"), "\(fresh)")
            try workspace.write("a file", to: "journal")
            let file = try await setting.run("ledger", "confirm", "--reason", "r")
            #expect(file.status == 1 && file.errors.contains("\(journal) cannot be used: it is no directory"), "\(file)")
            #expect(try await run("SELECT count(*)::text FROM audit", in: database) == "0")
        }
    }

    @Test func `A server that does not answer is no schema that cannot be read`() async throws {
        let result = try await SignetLine().run("migrate", "--set", "postgres.socketDirectory=/nonexistent")
        #expect(result.status == 1 && result.errors.contains("the database cannot be used: "), "\(result)")
        #expect(!result.errors.contains("schema"), "\(result)")
    }

    @Test func `A right that the role lacks is told with the key that names the role`() {
        let report = PostgresServerError(
            sqlState: "42501", message: "permission denied for table mesh", constraint: nil, statement: 0)
        let text = SchemaError.database(.server(report)).description
        #expect(text.contains("permission denied for table mesh (SQLSTATE 42501)") && text.contains("postgres.user"))
    }

    /// The first value of the result as text; nil where there is none.
    @discardableResult
    private func run(_ statement: String, in database: TestDatabase) async throws -> String? {
        let deadline = ContinuousClock.now + .seconds(20)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        let results = try await connection.execute([PostgresStatement(statement)], deadline: deadline)
        guard let row = results[0].rows.first else { return nil }
        var reader = RowReader(row)
        return try reader.text()
    }
}
