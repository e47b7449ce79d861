import Authority
import AuthorityService
import PKI
import PKICrypto
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

    @Test(arguments: [1, 2, 3, 4])
    func `an older database is migrated with its rows intact, and takes what is new`(_ version: Int) async throws {
        let database = try await TestDatabase.makeEmpty()
        let older = Array(SchemaMigration.all.prefix(version))
        #expect(try await migrator(database, older).migrate() == older.map(\.name))
        let added =
            (version > 1 ? Self.olderDoor : []) + (version > 2 ? Self.olderSharing : [])
            + (version > 3 ? Self.olderReplacement : [])
        try await Self.run(Self.olderRows + added, in: database)
        let before = try await Self.rows(of: database)
        #expect(before.values.allSatisfy { !$0.isEmpty } && before.count == [1: 13, 2: 14, 3: 18, 4: 20][version])
        let started = MemoryLedger.systemTime()
        #expect(try await migrator(database).migrate() == SchemaMigration.all.dropFirst(version).map(\.name))
        var new = Self.columnsOfVersion10
        new.merge(Self.columnsOfVersion9) { $0 + $1 }
        new.merge(Self.columnsOfVersion8) { $0 + $1 }
        if version < 4 { new.merge(Self.columnsOfVersion4) { $0 + $1 } }
        if version < 3 { new.merge(Self.columnsOfVersion3) { $0 + $1 } }
        let after = try await Self.rows(of: database, without: new)
        #expect(before.allSatisfy { after[$0.key] == $0.value })
        #expect(after.filter { before[$0.key] == nil && $0.key != "audit_head" }.allSatisfy { $0.value.isEmpty })
        try await database.withLedger { ledger in
            let loaded = try await ledger.load()
            let state = loaded.authority
            let name = try MeshName("payments")
            let mesh = try LedgerFixture.mesh("payments")
            #expect(
                state.meshes[name]
                    == AuthorityState.MeshEntry(
                        mesh: mesh, revision: 4, createdAt: LedgerFixture.now, modifiedAt: LedgerFixture.now))
            let entry = try #require(state.certificateAuthorities["payments.ca-1"])
            let authority = try LedgerFixture.authority("payments.ca-1", owner: "payments")
            #expect(entry.authority == authority && entry.revision == 9 && entry.createdAt == entry.modifiedAt)
            #expect(entry.createdAt >= started - .seconds(60) && entry.createdAt <= MemoryLedger.systemTime() + .seconds(60))
            #expect(authority.origin == .generated && authority.rotatesAutomatically && authority.retireAfter == .expired)
            #expect(!entry.authority.isAutomaticHeld)
            let issuer = try #require(state.activeIssuer(of: name))
            #expect(issuer.keyFingerprint == nil && issuer.revokedAt == nil)
            #expect(issuer.certificate == [0x30, 0] && loaded.issuerKeys[issuer.id] != nil)
            #expect(state.serviceIdentities == [name: ["api": [try SPIFFEID("spiffe://payments/api")]]])
            let leaf = try await ledger.certificates(CertificateQuery(mesh: name)).items.first
            let proxy = leaf?.origin?.proxy
            #expect(proxy == "p" && leaf?.origin?.node == nil)
            let outstanding = try await ledger.outstandingLeaves(
                in: [name], issuer: nil, issuedBefore: nil, at: LedgerFixture.now, limit: 9)
            #expect(outstanding.map(\.node) == [nil])
            #expect(state.rotations.keys.sorted() == (version < 3 ? [] : ["rot-running"]))
            if version > 2 {
                let move = try #require(state.rotations["rot-running"]?.rotation)
                #expect(move.kind == .move && move.trigger == .operator && !move.isManual && !move.isPaused)
                #expect(move.crossCertificate == nil)
                #expect(try await ledger.rotation("rot-ended")?.rotation.endedAt == Timestamp(milliseconds: 7))
                #expect(try await ledger.rotationEvents(of: "rot-ended").count == (version < 4 ? 0 : 1))
            }
            // What is new joins what was there.
            let shared = try LedgerFixture.authority("corp", owner: nil)
            let door = try LedgerFixture.door("new-door", from: "payments", to: "orders")
            let revision = try await ledger.commit(
                LedgerFixture.transaction([
                    .replaceCertificateAuthority(authority, revision: 9, at: LedgerFixture.now),
                    .insertCertificateAuthority(shared, at: LedgerFixture.now),
                    .insertRotation(LedgerFixture.move(1, of: "payments", to: "corp")),
                    .insertMesh(LedgerFixture.mesh("orders"), at: LedgerFixture.now),
                    .insertCrossMeshAccess(door, at: LedgerFixture.now),
                    .insertMeshService(LedgerFixture.service("front", of: "payments", ["team": "x"]), at: LedgerFixture.now),
                ]))
            let changed = try await ledger.load().authority
            #expect(revision == 10 && changed.rotations.count == (version < 3 ? 1 : 2))
            #expect(changed.crossMeshAccesses["new-door"]?.access == door)
            #expect(changed.meshServiceIdentities[name]?["front"] == [try SPIFFEID("spiffe://payments/api")])
            #expect(changed.certificateAuthorities["payments.ca-1"]?.revision == 10)
        }
        // A replica of the release before goes on for a while.
        try await Self.run(
            [
                """
                INSERT INTO certificate_authority (name, key_algorithm, expiration_ms, owner)
                VALUES ('late', 'EC-P256', 1, NULL)
                """,
                """
                INSERT INTO rotation (id, kind, meshes, certificate_authority, previous_authority, from_issuer, to_issuer, phase,
                    phase_since_ms, retire_after, started_at_ms, ended_at_ms, revision)
                VALUES ('rot-late', 'move', '["late"]', 'corp', 'late.ca-1', '0101010101010101', '0202020202020202',
                    'distributing', 5, 'expired', 5, NULL, 9)
                """,
            ], in: database)
        let loaded = try await database.withLedger { try await $0.load().authority }
        let late = loaded.certificateAuthorities["late"]
        #expect(loaded.rotations["rot-late"]?.rotation.trigger == .operator)
        #expect(late?.authority.origin == .generated && late?.authority.rotatesAutomatically == true)
    }

    /// One row of each table, in the very form that the releases of version 1 to 3 wrote.
    private static let olderRows = [
        "UPDATE ledger_revision SET revision = 9",
        "INSERT INTO trust_domain (name, mesh) VALUES ('payments', 'payments')",
        #"""
        INSERT INTO mesh (name, trust_domain, document, revision, created_at_ms, modified_at_ms) VALUES ('payments', 'payments',
        '{"membership":{"requirements":[{"team":"a"}],"restrictions":[]},
        "otherFields":"{\"logging\":{\"x\":\"quote \\\" backslash \\\\ é\"}}","isolated":false,"nameConstraints":true,
        "mtls":{"enabledBackend":"ca-1","backends":[{"document":"{\"name\":\"ca-1\",\"type\":\"builtin\"}",
        "leafLifetime":[4683,13897502818169782272],"name":"ca-1","kind":{"builtin":{
        "expiration":[17095699,15785827692147900416],"keyAlgorithm":"EC-P256"}},"mode":"STRICT"}]},
        "identityPath":"\/{kuma.io\/service}","trustDomain":"payments","name":"payments"}',
        4, 1800000000000, 1800000000000)
        """#,
        """
        INSERT INTO certificate_authority (name, key_algorithm, expiration_ms, owner)
        VALUES ('payments.ca-1', 'EC-P384', 315360000000, 'payments')
        """,
        """
        INSERT INTO issuer (id, certificate_authority, certificate, serial, fingerprint, not_before_ms, not_after_ms)
        VALUES ('0101010101010101', 'payments.ca-1', '\\x3000', '\\x01', decode(repeat('05', 32), 'hex'), 0, 4000000000000)
        """,
        """
        INSERT INTO issuer_key (issuer, kek_id, wrapped_data_key, ciphertext)
        VALUES ('0101010101010101', '0011223344556677', '\\x01', '\\x02')
        """,
        "INSERT INTO mesh_issuer (mesh, issuer, state) VALUES ('payments', '0101010101010101', 'active')",
        """
        INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, identity, not_before_ms,
            not_after_ms, digest, issued_at_ms, token_id, proxy, tags)
        VALUES ('\\x05', 'leaf', 'payments', 'payments.ca-1', '0101010101010101', '\\x01', 'spiffe://payments/api',
            1800000000000, 1800086400000, decode(repeat('06', 32), 'hex'), 1800000000000, 't1', 'p', '{"a": ["b"]}')
        """,
        """
        INSERT INTO token (id, kind, mesh, name, tags, roles, identity, digest, issued_at_ms, expires_at_ms)
        VALUES ('t1', 'dataplane', 'payments', 'n', '{"kuma.io/service": ["api"], "team": ["x"]}', '[]',
            'spiffe://payments/api', decode(repeat('07', 32), 'hex'), 1800000000000, 4000000000000)
        """,
        """
        INSERT INTO token_signing_key (id, mesh, public_key, kek_id, wrapped_data_key, ciphertext, created_at_ms)
        VALUES ('k1', 'payments', '\\x01', '0011223344556677', '\\x01', '\\x02', 1800000000000)
        """,
        "INSERT INTO service_key (name, kek_id, wrapped_data_key, ciphertext) VALUES ('s', '0011223344556677', '\\x01', '\\x02')",
        "INSERT INTO revoked_identity (identity, revoked_at_ms) VALUES ('spiffe://payments/gone', 5)",
        """
        INSERT INTO audit (at_ms, actor, source, action, mesh, object, details, request_id)
        VALUES (1800000000000, 'user:admin', 'here', 'mesh-created', 'payments', 'payments', '{"a": "b"}', 'r')
        """,
    ]

    private static let olderDoor = [
        """
        INSERT INTO cross_mesh_access (name, from_mesh, to_mesh, document, revision, created_at_ms, modified_at_ms)
        VALUES ('door', 'payments', 'payments',
            '{"from":{"services":["web"],"mesh":"payments"},"to":{"mesh":"payments"},"name":"door"}', 3, 5, 6)
        """
    ]

    private static let olderSharing = [
        "UPDATE certificate_authority SET revision = 9",
        """
        INSERT INTO rotation (id, kind, meshes, certificate_authority, previous_authority, from_issuer, to_issuer, phase,
            phase_since_ms, retire_after, started_at_ms, ended_at_ms, revision)
        VALUES ('rot-ended', 'move', '["payments"]', 'corp', 'payments.ca-1', '0101010101010101', '0202020202020202',
                'completed', 6, 'expired', 5, 7, 9),
            ('rot-running', 'move', '["elsewhere"]', 'corp', 'elsewhere.ca-1', '0303030303030303', '0202020202020202',
                'issuing', 6, 'reissued', 5, NULL, 9)
        """,
        """
        INSERT INTO rotation_mesh (rotation, mesh, is_running)
        VALUES ('rot-ended', 'payments', false), ('rot-running', 'elsewhere', true)
        """,
        "INSERT INTO replica (name, seen_at, report) VALUES ('a', now(), '{}')",
        """
        INSERT INTO mesh_service (mesh, name, selector, document, revision, created_at_ms, modified_at_ms)
        VALUES ('payments', 'nobody', '{"team": "none"}', '{}', 9, 5, 6)
        """,
    ]

    private static let olderReplacement = [
        "INSERT INTO rotation_event (rotation, event, at_ms, actor, detail) VALUES ('rot-ended', 'started', 5, 'system', '')",
        "INSERT INTO driver_lease (holder, fence, expires_at) VALUES ('a', 3, now())",
    ]

    private static let columnsOfVersion10 = [
        "ledger_revision": ["ledger_id", "epoch"], "replica": ["offline_signing_ms", "offline_reach_ms"],
    ]

    private static let columnsOfVersion9 = ["audit": ["previous", "hash", "before_act", "after_act"]]

    private static let columnsOfVersion8 = [
        "certificate_authority": ["key_store"], "issuer_key": ["token_key"], "replica": ["kek_ids"],
    ]

    private static let columnsOfVersion4 = [
        "certificate_authority": ["is_automatic_held"], "issuer": ["revoked_at_ms"],
        "rotation": [
            "trigger", "is_manual", "is_paused", "cross_certificate", "cross_not_before_ms", "cross_not_after_ms",
        ],
    ]

    private static let columnsOfVersion3 = [
        "certificate": ["node"], "issuer": ["key_fingerprint"], "token": ["meshes"],
        "certificate_authority": [
            "origin", "rotates_automatically", "retire_after", "revision", "created_at_ms", "modified_at_ms",
        ],
    ]

    private static func run(_ statements: [String], in database: TestDatabase) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        _ = try await connection.execute(statements.map { PostgresStatement($0) }, deadline: deadline)
    }

    /// Every row of every table, as text, but the list of migrations, and but `columns` of some tables.
    private static func rows(
        of database: TestDatabase, without columns: [String: [String]] = [:]
    ) async throws -> [String: [String]] {
        let deadline = ContinuousClock.now + .seconds(10)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        let tables = try await texts(
            """
            SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('p', 'r')
                AND NOT relispartition AND relname <> 'schema_migration'
            """)
        var rows: [String: [String]] = [:]
        for table in tables {
            let left = (columns[table] ?? []).map { " - '\($0)'" }.joined()
            rows[table] = try await texts("SELECT (to_jsonb(t)\(left))::text FROM \(table) AS t ORDER BY 1")
        }
        return rows

        func texts(_ sql: String) async throws -> [String] {
            try await connection.execute([PostgresStatement(sql)], deadline: deadline)[0].rows.map { row in
                var reader = RowReader(row)
                return try reader.text()
            }
        }
    }

    /// What stands beside the tables: indexes, and triggers that are not the database's own.
    private static func attachments(of database: TestDatabase) async throws -> Set<String> {
        let deadline = ContinuousClock.now + .seconds(10)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        let sql = """
            SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema()
            UNION ALL
            SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal
            """
        return Set(
            try await connection.execute([PostgresStatement(sql)], deadline: deadline)[0].rows.map { row in
                var reader = RowReader(row)
                return try reader.text()
            })
    }

    /// An unreleased version 9 made the trigger, too.
    @Test(arguments: [
        [],
        [
            """
            CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
                FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
            """
        ],
    ])
    func `a database of version 10 has the audit trail's head held fast by the next step`(_ before: [String]) async throws {
        let database = try await TestDatabase.makeEmpty()
        _ = try await migrator(database, Array(SchemaMigration.all.prefix(10))).migrate()
        try await Self.run(before, in: database)
        let old = try await Self.attachments(of: database)
        #expect(old.contains("mesh_name_bytes") && old.contains("audit_head_stays") == !before.isEmpty)
        #expect(try await migrator(database).migrate().first == "audit head")
        let new = try await Self.attachments(of: database)
        #expect(new.symmetricDifference(old).isSubset(of: ["audit_head_stays", "mesh_name_bytes"]))
        #expect(new.contains("audit_head_stays") && !new.contains("mesh_name_bytes"))
        for statement in ["DELETE FROM audit_head", "TRUNCATE audit_head"] {
            await #expect(throws: PostgresError.self) { try await Self.run([statement], in: database) }
        }
        try await database.withLedger { ledger in
            try await ledger.append([try LedgerFixture.audit("entry 1")])
            #expect(try await ledger.audit(AuditQuery()).items.map(\.object) == ["entry 1"])
        }
    }

    /// Of the name and the statements of each step that was released, oldest first.
    private static let released = [
        "65bde58086b72fcf", "c3f9512ac8c20115", "739d91a13fff954f", "2b5e055d1e688d3b",
        "8b861c91823f81fd", "64ee1120bc4209ea", "a03fb2ae01cdb9c6", "a441f46bebcfec9c",
        "ec54169e989d8307", "468ad95fc5496b4d",
    ]

    @Test func `no step that was released is another one now`() {
        let digests = SchemaMigration.all.map { step in
            Digest.sha256(([step.name] + step.statements).joined(separator: "\0").utf8).prefix(8)
                .map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        #expect(Array(digests.prefix(Self.released.count)) == Self.released)
        #expect(digests.count <= Self.released.count + 1, "a release has one step at most beyond those of the last")
    }

    @Test func `versions count from one without gaps`() {
        #expect(SchemaMigration.all.map(\.version) == Array(1...Int64(SchemaMigration.all.count)))
    }
}
