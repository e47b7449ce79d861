package import Logging

/// Brings the schema to the version that this program knows, and refuses to work on any other.
///
/// It needs no pool: each call opens a connection of its own.
package struct SchemaMigrator: Sendable {
    private let configuration: PostgresConfiguration
    private let migrations: [SchemaMigration]
    /// How long one migration may take, waiting for another replica's included.
    private let limit: Duration
    private let logger: Logger

    /// The version that this program needs.
    package static var knownVersion: Int64 { SchemaMigration.latest }

    /// `limit`: 10 minutes by default, since an index on a ledger of many million rows takes minutes.
    package init(_ configuration: PostgresConfiguration, limit: Duration = .seconds(600), logger: Logger) {
        self.init(configuration, migrations: SchemaMigration.all, limit: limit, logger: logger)
    }

    init(_ configuration: PostgresConfiguration, migrations: [SchemaMigration], limit: Duration, logger: Logger) {
        self.configuration = configuration
        self.migrations = migrations
        self.limit = limit
        self.logger = logger
    }

    /// Applies what is missing, each migration in a transaction of its own; returns the names of those applied here.
    ///
    /// Of several replicas that migrate at once, one does the work of each step and the others wait for it: a transaction-level
    /// advisory lock, which a pooler in transaction mode carries too. A crash leaves whole steps. A step that gives up waiting
    /// for a table is undone and tried again, for as long as a migration may take.
    package func migrate() async throws(SchemaError) -> [String] {
        var applied: [String] = []
        let deadline = ContinuousClock.now + limit
        let connection = try await connect()
        while true {
            let found = try await begin(on: connection)
            guard let next = migrations.first(where: { $0.version > found }) else {
                _ = try await run([.commit], on: connection)
                return applied
            }
            let record = PostgresStatement(
                """
                INSERT INTO schema_migration (version, name, applied_at_ms)
                VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
                """, [.integer(next.version), .text(next.name)])
            do throws(SchemaError) {
                _ = try await run(next.statements.map { PostgresStatement($0) } + [record, .commit], on: connection)
            } catch {
                // Undone, lock and all. Whoever keeps a table for a moment is let go first.
                guard error.isLockTimeout, ContinuousClock.now < deadline, !Task.isCancelled else { throw error }
                logger.notice("A table is in use: trying again.", metadata: ["name": "\(next.name)"])
                try? await Task.sleep(for: .milliseconds(500))
                continue
            }
            applied.append(next.name)
            logger.info("Migrated the schema.", metadata: ["version": "\(next.version)", "name": "\(next.name)"])
        }
    }

    /// The version of the database; 0 when it was never migrated.
    package func schemaVersion() async throws(SchemaError) -> Int64 {
        try await applied(on: try await connect())?.last?.version ?? 0
    }

    /// Returns if the schema is exactly the one this program knows.
    package func check() async throws(SchemaError) {
        let connection = try await connect()
        guard let applied = try await applied(on: connection) else { throw .schemaTooOld(found: 0, known: known) }
        let found = try validate(applied)
        if found < known { throw .schemaTooOld(found: found, known: known) }
    }

    private static let readVersions = PostgresStatement("SELECT version, name FROM schema_migration ORDER BY version")

    /// Any number that other programs do not use: the bytes of "signet".
    private static let lockNumber: Int64 = 0x7369_676E_6574

    /// Opens a transaction that holds the lock; returns the version found under it.
    private func begin(on connection: PostgresConnection) async throws(SchemaError) -> Int64 {
        let results = try await run(
            [
                .begin, .limit(limit),
                PostgresStatement("SELECT pg_advisory_xact_lock($1)", [.integer(SchemaMigrator.lockNumber)]),
                PostgresStatement(
                    """
                    CREATE TABLE IF NOT EXISTS schema_migration (
                        version bigint PRIMARY KEY, name text NOT NULL, applied_at_ms bigint NOT NULL)
                    """),
                SchemaMigrator.readVersions,
            ], on: connection)
        return try validate(try applied(in: results[4]))
    }

    private typealias Applied = (version: Int64, name: String)

    private var known: Int64 { migrations.last?.version ?? 0 }

    /// The migrations that the database has seen; nil when it was never migrated.
    private func applied(on connection: PostgresConnection) async throws(SchemaError) -> [Applied]? {
        let exists = try await run(
            [PostgresStatement("SELECT to_regclass('schema_migration') IS NOT NULL")], on: connection)
        guard try read(exists[0], { reader throws(PostgresError) in try reader.boolean() }).first == true else { return nil }
        return try applied(in: try await run([SchemaMigrator.readVersions], on: connection)[0])
    }

    private func applied(in result: PostgresResult) throws(SchemaError) -> [Applied] {
        try read(result) { reader throws(PostgresError) in (try reader.integer(), try reader.text()) }
    }

    /// The version of a list of applied migrations, every one of which must be known.
    private func validate(_ applied: [Applied]) throws(SchemaError) -> Int64 {
        let found = applied.last?.version ?? 0
        if found > known { throw .schemaTooNew(found: found, known: known) }
        for (version, name) in applied {
            let expected = migrations.first { $0.version == version }?.name ?? "none"
            if expected != name { throw .foreignMigration(version: version, found: name, known: expected) }
        }
        return found
    }

    private func connect() async throws(SchemaError) -> PostgresConnection {
        do {
            let hosts = if case .hosts(let hosts) = configuration.location { hosts.count } else { 1 }
            let deadline = ContinuousClock.now + configuration.timing.connect * hosts
            return try await PostgresConnection.open(configuration, deadline: deadline)
        } catch {
            throw .database(error)
        }
    }

    private func run(
        _ statements: [PostgresStatement], on connection: PostgresConnection
    ) async throws(SchemaError) -> [PostgresResult] {
        do {
            return try await connection.execute(statements, deadline: ContinuousClock.now + limit + .seconds(1))
        } catch {
            throw .database(error)
        }
    }

    private func read<Value>(
        _ result: PostgresResult, _ parse: (inout RowReader) throws(PostgresError) -> Value
    ) throws(SchemaError) -> [Value] {
        do throws(PostgresError) {
            var values: [Value] = []
            for row in result.rows {
                var reader = RowReader(row)
                values.append(try parse(&reader))
            }
            return values
        } catch {
            throw .database(error)
        }
    }
}
