import AuthorityService
import PKI
import TestSupport
import Testing

@testable import Authority
@testable import Postgres

/// How PostgreSQL runs the statements that it is asked every second, on tables that a long life has filled.
@Suite("Statements on filled tables", .timeLimit(.minutes(3)))
struct StatementPlanTests {
    private static func connection(_ database: TestDatabase) async throws -> PostgresConnection {
        try await PostgresConnection.open(database.configuration, deadline: ContinuousClock.now + .seconds(10))
    }

    private static func run(_ statements: [PostgresStatement], on connection: PostgresConnection) async throws -> [PostgresResult]
    {
        try await connection.execute(statements, deadline: ContinuousClock.now + .seconds(120))
    }

    private static func plan(_ statement: PostgresStatement, on connection: PostgresConnection) async throws -> String {
        var explained = statement
        explained.sql = "EXPLAIN (ANALYZE, BUFFERS) " + statement.sql
        return try await run([explained], on: connection)[0].rows.map { row in
            var reader = RowReader(row)
            return try reader.text()
        }.joined(separator: "\n")
    }

    /// 20 meshes of 50 proxies, which renewed their leaves twice a day for five weeks; the last tenth under a new root.
    private static func fill(_ database: TestDatabase, until now: Timestamp, on connection: PostgresConnection) async throws {
        try await database.withLedger { ledger in
            let first = now - .seconds(36 * 86_400)
            _ = try await ledger.upkeep(at: first, horizon: now + .seconds(86_400), retention: .seconds(90 * 86_400))
        }
        let leaves = """
            INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, identity, not_before_ms,
                not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node)
            SELECT decode(md5(n::text), 'hex'), 'leaf', 'm' || n % 20, 'ca',
                CASE WHEN n > 63000 THEN '2222222222222222' ELSE '1111111111111111' END, '\\x01',
                'spiffe://m' || n % 20 || '/s' || n / 20 % 50, at, at + 86400000, sha256('a'), at, 't',
                'p' || n / 20 % 50, '{}', 'n'
            FROM generate_series(1::bigint, 70000) AS n, LATERAL (
                SELECT \(now.milliseconds) - 3024000000 + n * 43200 AS at
            ) AS issued
            """
        let meshes = [
            "INSERT INTO trust_domain (name, mesh) SELECT 'm' || n, 'm' || n FROM generate_series(0, 19) AS n",
            """
            INSERT INTO mesh (name, trust_domain, document, revision, created_at_ms, modified_at_ms)
            SELECT 'm' || n, 'm' || n, '{}', 1, 0, 0 FROM generate_series(0, 19) AS n
            """,
            """
            INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, not_before_ms, not_after_ms,
                digest, issued_at_ms)
            SELECT decode(md5('c' || n), 'hex'), CASE WHEN n % 50 = 0 THEN 'root' ELSE 'issuing' END, 'm' || n % 20, 'ca',
                '1111111111111111', '\\x01', \(now.milliseconds), \(now.milliseconds) + n * 1000, sha256('a'), \(now.milliseconds)
            FROM generate_series(1, 4000) AS n
            """,
        ]
        _ = try await run(([leaves] + meshes + ["ANALYZE"]).map { PostgresStatement($0) }, on: connection)
    }

    /// The tables that a plan reads from one end to the other, and those that it opens at all.
    private static func tables(in plan: String) -> (scanned: Set<String>, opened: Set<String>) {
        var (scanned, opened): (Set<String>, Set<String>) = ([], [])
        for line in plan.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let place = words.lastIndex(of: "on"), place + 1 < words.count, words[place + 1].hasPrefix("certificate") else {
                continue
            }
            let table = String(words[place + 1])
            opened.insert(table)
            if line.contains("Seq Scan") { scanned.insert(table) }
        }
        return (scanned, opened)
    }

    @Test func `no statement about certificates reads a table from end to end, nor opens a week that is over`() async throws {
        let database = try await TestDatabase.make()
        let connection = try await Self.connection(database)
        let now = MemoryLedger.systemTime()
        try await Self.fill(database, until: now, on: connection)
        let filled = Set(
            try await Self.run([PostgresStatement("SELECT DISTINCT tableoid::regclass::text FROM certificate")], on: connection)[
                0
            ]
            .rows.map { row in
                var reader = RowReader(row)
                return try reader.text()
            })
        let over = filled.filter { $0 < PartitionSQL.name(of: LedgerWeek(containing: now)) && $0 > "certificate_leaf_2" }
        #expect(filled.count >= 7 && over.count >= 4)
        let mesh = try MeshName("m3")
        let (old, new) = (try #require(IssuerID("1111111111111111")), try #require(IssuerID("2222222222222222")))
        let serial = SerialNumber(bytes: [1, 2, 3])
        func leaves(_ issuer: IssuerID?, _ limit: Int) -> PostgresStatement {
            CertificateSQL.outstandingLeaves(
                in: [mesh], issuer: issuer, issuedBefore: now - .seconds(3600), at: now, limit: limit)
        }
        let week = PartitionSQL.name(of: LedgerWeek(containing: now + .seconds(60)))
        func places(_ count: Int) -> [LedgerPlace] {
            (1...count).map { LedgerPlace(serial: SerialNumber(bytes: [1, UInt8($0 % 256), 3]), notAfter: now + .seconds(60)) }
        }
        let ofTheLiving: [(String, PostgresStatement)] = [
            ("serial and end", CertificateSQL.select(places(1), from: "certificate")),
            ("serials and ends", CertificateSQL.select(places(300), from: week)),
            ("earliest end", CertificateSQL.earliestLeafExpiry(at: now)),
            ("last end", CertificateSQL.lastExpiry(of: try TrustDomain("m3"), at: now)),
            ("any leaf", leaves(nil, 100_000)), ("some leaf", leaves(nil, 101)), ("old leaf", leaves(old, 101)),
            ("new leaf", leaves(new, 100_000)),
        ]
        for (name, statement) in ofTheLiving {
            let plan = try await Self.plan(statement, on: connection)
            let (scanned, opened) = Self.tables(in: plan)
            #expect(scanned.isDisjoint(with: filled), "\(name): \(plan)")
            // Who looks whether a leaf was replaced by one that has ended goes as far back as the leaf began.
            if name != "earliest end" { #expect(opened.isDisjoint(with: over), "\(name): \(plan)") }
        }
        var queries = [CertificateQuery(mesh: mesh), CertificateQuery(identity: try SPIFFEID("spiffe://m3/s7"))]
        queries.append(CertificateQuery(mesh: mesh, kind: .leaf, identity: try SPIFFEID("spiffe://m3/s7")))
        queries.append(CertificateQuery(mesh: mesh, kind: .leaf, cursor: PageCursor(before: 40_000), size: 10))
        queries.append(CertificateQuery(mesh: mesh, kind: .issuing, size: 10))
        for query in queries {
            let page = CertificateSQL.select(query)
            for statement in [page.rows, page.total] {
                _ = try await Self.run([.begin, PageStatements.inOrder], on: connection)
                let plan = try await Self.plan(statement, on: connection)
                _ = try await Self.run([.rollback], on: connection)
                #expect(Self.tables(in: plan).scanned.isDisjoint(with: filled), "\(query): \(plan)")
                #expect(!plan.contains("Sort Method"), "\(query): \(plan)")
            }
        }
        // Without the end, each week is asked through its index.
        let everywhere = try await Self.plan(CertificateSQL.select(serial), on: connection)
        #expect(Self.tables(in: everywhere).scanned.isDisjoint(with: filled), "\(everywhere)")
        try await database.withLedger { ledger in
            let all = try await ledger.outstandingLeaves(in: [mesh], issuer: nil, issuedBefore: nil, at: now, limit: 100_000)
            let few = try await ledger.outstandingLeaves(in: [mesh], issuer: nil, issuedBefore: nil, at: now, limit: 1000)
            let ofOld = try await ledger.outstandingLeaves(in: [mesh], issuer: old, issuedBefore: nil, at: now, limit: 1000)
            #expect(all.count == 50 && few == all && ofOld.isEmpty)
            #expect(try await ledger.earliestLeafExpiry(at: now).count == 20)
        }
    }

    @Test func `a total is exact to ten thousand, and near the truth beyond`() async throws {
        let database = try await TestDatabase.make()
        let connection = try await Self.connection(database)
        try await Self.fill(database, until: MemoryLedger.systemTime(), on: connection)
        try await database.withLedger { ledger in
            // 3,500 leaves and 200 others.
            #expect(try await ledger.certificates(CertificateQuery(mesh: MeshName("m3"), size: 1)).total == 3700)
            let all = try await ledger.certificates(CertificateQuery(kind: .leaf, size: 1)).total
            #expect((69_900...70_100).contains(all))
        }
        let more = """
            INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, not_before_ms, not_after_ms,
                digest, issued_at_ms)
            SELECT decode(md5('d' || n), 'hex'), 'issuing', 'm' || n % 4, 'ca', '1111111111111111', '\\x01', 0, n, sha256('a'), 0
            FROM generate_series(1, 60000) AS n
            """
        _ = try await Self.run([PostgresStatement(more)], on: connection)
        try await database.withLedger { ledger in
            let total = try await ledger.certificates(CertificateQuery(mesh: MeshName("m3"), kind: .issuing, size: 1)).total
            #expect((14_000...17_000).contains(total))
        }
    }

    @Test func `the identities of services are read from one token of each grant`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            _ = try await ledger.commit(
                LedgerFixture.transaction([
                    .insertMesh(LedgerFixture.mesh("m"), at: LedgerFixture.now),
                    .insertMeshService(LedgerFixture.service("odd", of: "m", ["parity": "1"]), at: LedgerFixture.now),
                ]))
        }
        let connection = try await Self.connection(database)
        let fill = """
            INSERT INTO token (id, kind, mesh, name, tags, roles, identity, digest, issued_at_ms, expires_at_ms)
            SELECT 't' || n, 'dataplane', 'm', '', jsonb_build_object('kuma.io/service', jsonb_build_array('s' || n % 40),
                'parity', jsonb_build_array((n % 2)::text)), '[]', 'spiffe://m/s' || n % 40, '\\x00', 0, 4000000000000
            FROM generate_series(1, 50000) AS n
            """
        _ = try await Self.run([PostgresStatement(fill), PostgresStatement("ANALYZE token")], on: connection)
        let plan = try await Self.plan(LoadSQL.serviceIdentities, on: connection)
        #expect(!plan.contains("Seq Scan on token"), "\(plan)")
        #expect(plan.contains("token_grant"), "\(plan)")
        try await database.withLedger { ledger in
            let state = try await ledger.load().authority
            let known = try state.serviceIdentities[MeshName("m")] ?? [:]
            let seventh = try SPIFFEID("spiffe://m/s7")
            #expect(known.count == 40 && known["s7"] == [seventh])
            #expect(try state.meshServiceIdentities[MeshName("m")]?["odd"]?.count == 20)
        }
    }

    @Test func `a replica that was away for more than a day is removed, one that was away for less finds its report`()
        async throws
    {
        let database = try await TestDatabase.make()
        let connection = try await Self.connection(database)
        try await database.withLedger { ledger in
            let report = ReplicaReport(replica: "a", revision: 3, rotations: [:])
            for replica in ["a", "b"] { try await ledger.report(report, of: replica) }
            let age =
                "UPDATE replica SET seen_at = seen_at - CASE name WHEN 'a' THEN interval '23 hours' ELSE interval '25 hours' END"
            _ = try await Self.run([PostgresStatement(age)], on: connection)
            let living = try await ledger.reports(within: .seconds(10))
            #expect(living.isEmpty)
            let left = try await Self.run([PostgresStatement("SELECT name FROM replica")], on: connection)[0].rows.count
            #expect(left == 1)
            try await ledger.report(nil, of: "a")
            let again = try await ledger.reports(within: .seconds(10))
            #expect(again == [report])
        }
    }
}
