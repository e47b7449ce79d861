import Authority
import AuthorityService
import Logging
import Postgres

/// The ledger for the commands that go to the database itself, beside the service and not through it.
enum DirectLedger {
    /// The database that the configuration names.
    static func database(_ configuration: ServiceConfiguration) throws(CommandFailure) -> PostgresConfiguration {
        guard let database = configuration.postgres else {
            throw .usage("postgres.hosts is not set: name the database server, in the file or as SIGNET_POSTGRES_HOSTS")
        }
        return database
    }

    /// Runs `body` with the ledger; the schema must be the one that this program knows.
    static func with<Result: Sendable>(
        _ database: PostgresConfiguration, logger: Logger, _ body: @escaping @Sendable (PostgresLedger) async throws -> Result
    ) async throws -> Result {
        do {
            try await SchemaMigrator(database, logger: logger).check()
        } catch {
            throw CommandFailure.failed(error.description)
        }
        let ledger = PostgresLedger(database, logger: logger)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                await ledger.run()
                return nil
            }
            group.addTask { try await body(ledger) }
            defer { group.cancelAll() }
            for try await result in group {
                if let result { return result }
            }
            throw CommandFailure.failed("the database connection ended: repeat the command")
        }
    }

    /// How far the replica with this configuration has seen the ledger; nil: it keeps no journal, or has seen nothing.
    static func seen(_ configuration: ServiceConfiguration) throws(CommandFailure) -> LedgerPosition? {
        guard let directory = configuration.journalDirectory else { return nil }
        do {
            return try IssueJournal.remembered(in: directory).position
        } catch {
            throw .failed(error.description)
        }
    }
}
