import Authority
import AuthorityService
import Logging
import PKI
import PKICrypto
import TestSupport
import Testing

@testable import Postgres

/// A rotation's row that a person edited: what the database refuses, and what becomes of the rest.
@Suite("A rotation's row edited by hand", .timeLimit(.minutes(2)))
struct DamagedRotationTests {
    typealias Fixture = LedgerFixture

    private static let insertion = """
        INSERT INTO rotation (id, kind, meshes, certificate_authority, previous_authority, from_issuer, to_issuer, phase,
            phase_since_ms, retire_after, started_at_ms, ended_at_ms, revision, cross_certificate, cross_not_before_ms,
            cross_not_after_ms)
        VALUES ('rot-1', 'replace', '["m"]', 'corp', 'corp', '0101010101010101', '0202020202020202', 'issuing', 6, 'reissued', 5,
            NULL, 1, '\\x30', 5, 6)
        """

    private static func run(_ statements: [String], in database: TestDatabase) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        _ = try await connection.execute(statements.map { PostgresStatement($0) }, deadline: deadline)
    }

    @Test(arguments: [
        "kind = 'renew'", "trigger = 'cron'", "phase = 'done'", "phase = 'completed'", "ended_at_ms = 7",
        "retire_after = 'never'", "meshes = '{}'", "from_issuer = 'root'", "to_issuer = upper('0a0a0a0a0a0a0a0a')",
        "to_issuer = from_issuer",
        "kind = 'move'", "cross_certificate = NULL", "cross_not_before_ms = NULL", "cross_not_after_ms = NULL",
        "cross_not_after_ms = 5", "cross_certificate = ''", "trigger = NULL", "is_paused = NULL",
    ])
    func `nonsense is refused by the database`(_ change: String) async throws {
        let database = try await TestDatabase.make()
        try await Self.run([Self.insertion], in: database)
        let failure = await #expect(throws: PostgresError.self) {
            try await Self.run(["UPDATE rotation SET \(change) WHERE id = 'rot-1'"], in: database)
        }
        guard case .server(let report) = failure else {
            Issue.record("expected the server's refusal, got \(String(describing: failure))")
            return
        }
        // A check, or NOT NULL.
        #expect(report.sqlState == (["trigger = NULL", "is_paused = NULL"].contains(change) ? "23502" : "23514"))
        // What makes sense goes.
        try await Self.run(
            [
                """
                UPDATE rotation SET kind = 'revoke', to_issuer = from_issuer, cross_certificate = NULL,
                    cross_not_before_ms = NULL, cross_not_after_ms = NULL, phase = 'completed', ended_at_ms = 7
                WHERE id = 'rot-1'
                """
            ], in: database)
    }

    @Test(arguments: [
        ("meshes", #"'["Not A Mesh"]'"#), ("meshes", "'[1]'"), ("kind", "'renew'"), ("trigger", "'cron'"), ("phase", "'done'"),
        ("retire_after", "'never'"), ("from_issuer", "'root'"), ("to_issuer", "''"), ("cross_not_after_ms", "NULL"),
    ])
    func `what cannot be read is named, and nothing else is read past it`(_ column: String, _ value: String) async throws {
        let database = try await TestDatabase.make()
        try await Self.run([Self.insertion], in: database)
        // As if by somebody who first dropped what stood in the way.
        let checks = ["kind", "trigger", "phase", "end", "retire_after", "meshes", "issuers", "cross_certificate"]
        try await Self.run(checks.map { "ALTER TABLE rotation DROP CONSTRAINT rotation_\($0)_check" }, in: database)
        try await database.withLedger { ledger in
            let before = try await ledger.load().authority
            try await Self.run(["UPDATE rotation SET \(column) = \(value) WHERE id = 'rot-1'"], in: database)
            let prefix = "the row of the rotation 'rot-1' makes no sense in its column '\(column)': "
            func isNamed(_ call: () async throws -> Void) async throws -> Bool {
                do {
                    try await call()
                    return false
                } catch LedgerFailure.rejected(let detail) {
                    return detail.hasPrefix(prefix) && detail.count > prefix.count
                }
            }
            #expect(try await isNamed { _ = try await ledger.load() })
            #expect(try await isNamed { _ = try await ledger.rotation("rot-1") })
            #expect(try await isNamed { _ = try await ledger.rotations(RotationQuery()) })
            // The next transaction is none the worse for it.
            #expect(try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("n"), at: Fixture.now)])) == 1)
            try await Self.run(["DELETE FROM rotation"], in: database)
            let after = try await ledger.load().authority
            #expect(before.rotations.count == 1 && after.rotations.isEmpty && after.meshes.count == 1)
        }
    }

    @Test func `the service serves on by the state that it has, and takes the new one up when the row is mended`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            var settings = AuthoritySettings()
            settings.revisionPollInterval = .milliseconds(50)
            let log = RecordingLog()
            let authority = try MeshAuthority(
                ledger: ledger, keyEncryptionKey: KeyEncryptionKey(bytes: SecretBytes.random(32)), settings: settings,
                logger: Logger(label: "test") { _ in log })
            try await authority.start()
            let administrator = Administrator(name: "alice", roles: [.admin], source: "test", requestID: "r-1")
            let token = try await authority.issueDataplaneToken(
                DataplaneTokenRequest(mesh: MeshName("default"), name: "p", tags: ["kuma.io/service": ["api"]], validFor: nil),
                by: administrator)
            let caller = try await authority.authenticate(
                ProxyCredentials(
                    token: token, peerChain: nil, requiresCertificate: false, nodeID: "node-1", source: "127.0.0.1:1",
                    requestID: "r-2"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await authority.run() }
                defer { group.cancelAll() }
                let edited = Self.insertion.replacing("[\"m\"]", with: "[\"Not A Mesh\"]")
                try await Self.run([edited], in: database)
                let old = authority.state.revision
                let revision = try await ledger.commit(
                    Fixture.transaction([.insertMesh(Fixture.mesh("other"), at: Fixture.now)]))
                let complaint = "the row of the rotation 'rot-1' makes no sense in its column 'meshes'"
                #expect(await eventually { log.lines.filter { $0.contains(complaint) }.count > 1 })
                #expect(authority.state.revision == old && authority.isReady)
                _ = try await authority.issueLeaf(for: caller, node: "node-1")
                try await Self.run(["DELETE FROM rotation"], in: database)
                #expect(await eventually { authority.state.revision == revision })
                _ = try await authority.issueLeaf(for: caller, node: "node-1")
            }
        }
    }
}
