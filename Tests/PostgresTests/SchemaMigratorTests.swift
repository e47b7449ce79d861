import TestSupport
import Testing

@testable import Postgres

@Suite("Schema migrations", .timeLimit(.minutes(2)))
struct SchemaMigratorTests {
    private func migrator(
        _ database: TestDatabase, _ migrations: [SchemaMigration] = SchemaMigration.all
    ) -> SchemaMigrator {
        SchemaMigrator(database.configuration, migrations: migrations, limit: .seconds(60), logger: TestDatabase.logger)
    }

    private static let next = SchemaMigration(
        version: SchemaMigration.latest + 1, name: "next", statements: ["CREATE TABLE next (a int)"])

    @Test func `an empty database is too old, then migrated, then right`() async throws {
        let database = try await TestDatabase.makeEmpty()
        let migrator = migrator(database)
        #expect(try await migrator.schemaVersion() == 0)
        await #expect(throws: SchemaError.schemaTooOld(found: 0, known: SchemaMigration.latest)) { try await migrator.check() }
        #expect(try await migrator.migrate() == SchemaMigration.all.map(\.name))
        #expect(try await migrator.schemaVersion() == SchemaMigration.latest)
        try await migrator.check()
        #expect(try await migrator.migrate() == [])
    }

    @Test func `a newer or an older schema is refused, and the message says what to do`() async throws {
        let database = try await TestDatabase.make()
        let newer = migrator(database, SchemaMigration.all + [Self.next])
        let known = SchemaMigration.latest
        let tooOld = SchemaError.schemaTooOld(found: known, known: known + 1)
        await #expect(throws: tooOld) { try await newer.check() }
        #expect("\(tooOld)".contains("run 'signet migrate'"))
        #expect(try await newer.migrate() == ["next"])
        let tooNew = SchemaError.schemaTooNew(found: known + 1, known: known)
        await #expect(throws: tooNew) { try await migrator(database).check() }
        await #expect(throws: tooNew) { _ = try await migrator(database).migrate() }
        #expect("\(tooNew)".contains("run a newer signet"))
    }

    @Test func `a migration of another program is refused`() async throws {
        let database = try await TestDatabase.makeEmpty()
        let foreign = SchemaMigration(version: 1, name: "theirs", statements: ["SELECT 1"])
        _ = try await migrator(database, [foreign]).migrate()
        await #expect(throws: SchemaError.foreignMigration(version: 1, found: "theirs", known: "initial schema")) {
            _ = try await migrator(database).migrate()
        }
    }

    @Test func `a migration that fails leaves nothing of itself and all before it`() async throws {
        let database = try await TestDatabase.makeEmpty()
        var broken = Self.next
        broken.statements.append("SELECT 1/0")
        await #expect(throws: SchemaError.self) {
            _ = try await migrator(database, SchemaMigration.all + [broken]).migrate()
        }
        #expect(try await migrator(database).schemaVersion() == SchemaMigration.latest)
        #expect(try await migrator(database, SchemaMigration.all + [Self.next]).migrate() == ["next"])
    }

    @Test func `of many that migrate at once each step is done by one`() async throws {
        let database = try await TestDatabase.makeEmpty()
        var slow = Self.next
        slow.statements.append("SELECT pg_sleep(0.2)")
        let migrations = SchemaMigration.all + [slow]
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<6 { group.addTask { try await migrator(database, migrations).migrate() } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == migrations.map(\.name).sorted())
    }

    @Test func `a database of version 1 is migrated with its rows intact, and takes doors then`() async throws {
        let database = try await TestDatabase.makeEmpty()
        #expect(try await migrator(database, [.initialSchema]).migrate() == ["initial schema"])
        try await database.withLedger { ledger in
            _ = try await ledger.commit(LedgerFixture.creation("orders", issuer: 1))
            _ = try await ledger.commit(LedgerFixture.creation("payments", issuer: 2))
            _ = try await ledger.commit(
                LedgerFixture.transaction([
                    .insertToken(LedgerFixture.token("t1", mesh: "orders")),
                    .insertServiceKey(name: "versions", LedgerFixture.key(8)),
                    .recordCertificate(LedgerFixture.leaf(5, mesh: "orders")),
                ]))
        }
        let before = try await Self.rows(of: database)
        #expect(before.count == 13 && before["mesh"]?.count == 2 && before["audit"]?.count == 3)
        #expect(try await migrator(database).migrate() == SchemaMigration.all.dropFirst().map(\.name))
        var after = try await Self.rows(of: database)
        #expect(after.removeValue(forKey: "cross_mesh_access") == [])
        #expect(after == before)
        try await database.withLedger { ledger in
            #expect(try await ledger.load().authority.meshes.count == 2)
            let door = try LedgerFixture.door("door", from: "orders", to: "payments")
            let opening = try LedgerFixture.transaction([.insertCrossMeshAccess(door, at: LedgerFixture.now)])
            #expect(try await ledger.commit(opening) == 4)
            #expect(try await ledger.load().authority.crossMeshAccesses["door"]?.access == door)
        }
    }

    /// Every row of every table, as text, but the list of migrations.
    private static func rows(of database: TestDatabase) async throws -> [String: [String]] {
        let deadline = ContinuousClock.now + .seconds(10)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        let tables = try await texts(
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'schema_migration'")
        var rows: [String: [String]] = [:]
        for table in tables { rows[table] = try await texts("SELECT to_jsonb(t)::text FROM \(table) AS t ORDER BY 1") }
        return rows

        func texts(_ sql: String) async throws -> [String] {
            try await connection.execute([PostgresStatement(sql)], deadline: deadline)[0].rows.map { row in
                var reader = RowReader(row)
                return try reader.text()
            }
        }
    }

    @Test func `versions count from one without gaps`() {
        #expect(SchemaMigration.all.map(\.version) == Array(1...Int64(SchemaMigration.all.count)))
    }
}
