import AuthorityService
import Glibc
import PKI
import TestSupport
import Testing

@testable import Postgres

/// Faults that take a whole server with them: each test has one of its own.
@Suite("The ledger, when PostgreSQL fails", .serialized, .timeLimit(.minutes(3)))
struct PostgresFaultTests {
    private func withServer(
        timing: PostgresConfiguration.Timing = .init(),
        _ body: (PrivateCluster, PostgresConfiguration, PostgresLedger) async throws -> Void
    ) async throws {
        try await ScratchCluster.withCluster { cluster, _ in
            var configuration = try await cluster.start()
            configuration.timing = timing
            _ = try await SchemaMigrator(configuration, logger: TestDatabase.logger).migrate()
            try await TestDatabase.withLedger(configuration) { try await body(cluster, configuration, $0) }
        }
    }

    private static var soon: ContinuousClock.Instant { .now + .seconds(10) }

    /// The process that runs a statement like `pattern` right now.
    private func busyBackend(_ connection: PostgresConnection, _ pattern: String) async throws -> pid_t {
        var pid: pid_t = 0
        let isFound = try await eventually {
            let results = try await connection.execute(
                [
                    PostgresStatement(
                        """
                        SELECT pid::int8 FROM pg_stat_activity
                        WHERE pid <> pg_backend_pid() AND state = 'active' AND query LIKE $1
                        """, [.text(pattern)])
                ], deadline: Self.soon)
            guard let row = results[0].rows.first else { return false }
            var reader = RowReader(row)
            pid = pid_t(try reader.integer())
            return true
        }
        try #require(isFound, "no backend runs \(pattern)")
        return pid
    }

    private func outcome(_ body: () async throws(LedgerFailure) -> Void) async -> LedgerFailure? {
        do throws(LedgerFailure) {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test func `a backend killed within COMMIT leaves the outcome unknown, and the pool recovers`() async throws {
        try await withServer { _, configuration, ledger in
            let connection = try await PostgresConnection.open(configuration, deadline: Self.soon)
            _ = try await connection.execute(
                [
                    PostgresStatement(
                        """
                        CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql
                        AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$
                        """),
                    PostgresStatement(
                        """
                        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
                        FOR EACH ROW EXECUTE FUNCTION slow()
                        """),
                ], deadline: Self.soon)
            let transaction = try LedgerFixture.creation("m")
            async let failure = outcome { () async throws(LedgerFailure) in _ = try await ledger.commit(transaction) }
            let pid = try await busyBackend(connection, "COMMIT%")
            kill(pid, SIGKILL)
            let seen = await failure
            if case .outcomeUnknown = seen {} else { Issue.record("expected outcomeUnknown, got \(String(describing: seen))") }
            #expect(await eventually { (try? await ledger.revision()) == 0 })
            #expect(try await ledger.load().authority.meshes.isEmpty)
        }
    }

    @Test func `a backend killed before COMMIT means without effect`() async throws {
        try await withServer { _, configuration, ledger in
            let connection = try await PostgresConnection.open(configuration, deadline: Self.soon)
            _ = try await connection.execute(
                [.begin, PostgresStatement("SELECT FROM ledger_revision FOR UPDATE")], deadline: Self.soon)
            let transaction = try LedgerFixture.creation("m")
            async let failure = outcome { () async throws(LedgerFailure) in _ = try await ledger.commit(transaction) }
            // Another connection looks: within a transaction pg_stat_activity does not change.
            let observer = try await PostgresConnection.open(configuration, deadline: Self.soon)
            let pid = try await busyBackend(observer, "UPDATE ledger_revision%")
            kill(pid, SIGKILL)
            let seen = await failure
            if case .unavailable = seen {} else { Issue.record("expected unavailable, got \(String(describing: seen))") }
            #expect(await eventually { (try? await ledger.revision()) == 0 })
        }
    }

    @Test func `a restarted server is used again, without an error for readers`() async throws {
        try await withServer { cluster, _, ledger in
            _ = try await ledger.commit(LedgerFixture.creation("m"))
            await cluster.stop()
            let failure = await outcome { () async throws(LedgerFailure) in _ = try await ledger.revision() }
            if case .unavailable = failure {} else { Issue.record("expected unavailable, got \(String(describing: failure))") }
            _ = try await cluster.start()
            #expect(await eventually { (try? await ledger.revision()) == 1 })
            _ = try await ledger.commit(LedgerFixture.creation("n", issuer: 2))
            #expect(try await ledger.revision() == 2)
        }
    }

    @Test func `a frozen server is answered for at the deadline`() async throws {
        let timing = PostgresConfiguration.Timing(
            connect: .milliseconds(500), acquire: .seconds(1), statement: .milliseconds(500))
        try await withServer(timing: timing) { cluster, configuration, ledger in
            _ = try await ledger.commit(LedgerFixture.creation("m"))
            let processes = ClusterProcesses(directory: try ClusterDirectory(preparing: cluster.path))
            let pids = processes.living()
            for pid in pids { kill(pid, SIGSTOP) }
            let start = ContinuousClock.now
            let failures = await withTaskGroup(of: LedgerFailure?.self) { group in
                group.addTask { await outcome { () async throws(LedgerFailure) in _ = try await ledger.load() } }
                group.addTask {
                    await outcome { () async throws(LedgerFailure) in
                        try await ledger.record((try? [LedgerFixture.leaf(1, mesh: "m")]) ?? [])
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let elapsed = ContinuousClock.now - start
            for pid in pids { kill(pid, SIGCONT) }
            #expect(failures.allSatisfy { $0 != nil })
            #expect(elapsed < .seconds(8))
            #expect(await eventually { (try? await ledger.revision()) == 1 })
        }
    }

    @Test func `a writer that waits too long for another is told to come again`() async throws {
        let timing = PostgresConfiguration.Timing(statement: .milliseconds(300))
        try await withServer(timing: timing) { _, configuration, ledger in
            let connection = try await PostgresConnection.open(configuration, deadline: Self.soon)
            _ = try await connection.execute(
                [.begin, PostgresStatement("SELECT FROM ledger_revision FOR UPDATE")], deadline: Self.soon)
            let transaction = try LedgerFixture.creation("m")
            let seen = await outcome { () async throws(LedgerFailure) in _ = try await ledger.commit(transaction) }
            if case .unavailable = seen {} else { Issue.record("expected unavailable, got \(String(describing: seen))") }
            _ = try await connection.execute([.rollback], deadline: Self.soon)
            #expect(try await ledger.commit(transaction) == 1)
        }
    }

    @Test func `signals come again after the listening connection was lost`() async throws {
        try await withServer { _, configuration, ledger in
            let signals = ledger.revisionSignals()
            let connection = try await PostgresConnection.open(configuration, deadline: Self.soon)
            func listeners() async throws -> Int {
                try await connection.execute(
                    [PostgresStatement("SELECT FROM pg_stat_activity WHERE query LIKE 'LISTEN%' OR query = 'SELECT 1'")],
                    deadline: Self.soon)[0].affected
            }
            #expect(try await eventually { try await listeners() == 1 })
            _ = try await connection.execute(
                [
                    PostgresStatement(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
                ], deadline: Self.soon)
            #expect(try await eventually { try await listeners() == 1 })
            let isSeen = try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    for await _ in signals where try await ledger.revision() == 1 { return true }
                    return false
                }
                group.addTask {
                    try await Task.sleep(for: .seconds(20))
                    return false
                }
                _ = try await ledger.commit(LedgerFixture.creation("m"))
                defer { group.cancelAll() }
                return try await group.next() ?? false
            }
            #expect(isSeen)
        }
    }

    @Test func `what was recorded is there after every process of the server was killed`() async throws {
        try await withServer { cluster, configuration, ledger in
            let batch = try (1...100).map { try LedgerFixture.leaf($0, mesh: "m") }
            try await ledger.record(batch)
            let directory = try ClusterDirectory(preparing: cluster.path)
            for pid in ClusterProcesses(directory: directory).living() { kill(pid, SIGKILL) }
            await cluster.stop()
            _ = try await cluster.start()
            #expect(await eventually { (try? await ledger.certificates(CertificateQuery(size: 1000)).items) == batch.reversed() })
        }
    }
}
