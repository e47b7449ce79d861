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

    @Test func `who holds an unexpired leaf is read from the unexpired leaves of the mesh and issuer alone`() async throws {
        let database = try await TestDatabase.make()
        let connection = try await Self.connection(database)
        // 20 meshes, a month of leaves that were renewed twice a day by 50 proxies each, the last tenth under a new root.
        let fill = """
            INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, identity, not_before_ms,
                not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node)
            SELECT decode(lpad(to_hex(n), 8, '0'), 'hex'), 'leaf', 'm' || n % 20, 'ca',
                CASE WHEN n > 54000 THEN '2222222222222222' ELSE '1111111111111111' END, '\\x01',
                'spiffe://m' || n % 20 || '/s' || n / 20 % 50, n * 43200, n * 43200 + 86400000, '\\x02', n * 43200, 't',
                'p' || n / 20 % 50, '{}', 'n'
            FROM generate_series(1::bigint, 60000) AS n
            """
        _ = try await Self.run([PostgresStatement(fill), PostgresStatement("ANALYZE certificate")], on: connection)
        let now = Timestamp(milliseconds: 60_000 * 43_200)
        let meshes: Set<MeshName> = [try MeshName("m3"), try MeshName("m4")]
        let old = try #require(IssuerID("1111111111111111"))
        for issuer in [nil, old] {
            let statement = CertificateSQL.outstandingLeaves(in: meshes, issuer: issuer, issuedBefore: nil, at: now, limit: 100)
            let plan = try await Self.plan(statement, on: connection)
            #expect(!plan.contains("Seq Scan"), "\(plan)")
            #expect(plan.contains(issuer == nil ? "certificate_expiry" : "certificate_issuer_expiry"), "\(plan)")
        }
        try await database.withLedger { ledger in
            let all = try await ledger.outstandingLeaves(in: meshes, issuer: nil, issuedBefore: nil, at: now, limit: 1000)
            let ofOld = try await ledger.outstandingLeaves(in: meshes, issuer: old, issuedBefore: nil, at: now, limit: 1000)
            #expect(all.count == 100 && ofOld.isEmpty)
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

    @Test func `a page of meshes is read in the order of its index`() async throws {
        let database = try await TestDatabase.make()
        let connection = try await Self.connection(database)
        let fill = [
            "INSERT INTO trust_domain (name, mesh) SELECT 'm' || n, 'm' || n FROM generate_series(1, 5000) AS n",
            """
            INSERT INTO mesh (name, trust_domain, document, revision, created_at_ms, modified_at_ms)
            SELECT 'm' || n, 'm' || n, '{}', 1, 0, 0 FROM generate_series(1, 5000) AS n
            """, "ANALYZE mesh",
        ]
        _ = try await Self.run(fill.map { PostgresStatement($0) }, on: connection)
        let plan = try await Self.plan(MeshSQL.select(NamedQuery(after: "m3", size: 100), among: nil), on: connection)
        #expect(plan.contains("mesh_name_bytes") && !plan.contains("Sort") && !plan.contains("Seq Scan"), "\(plan)")
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
