import AuthorityService
import Logging
import Postgres
import ServiceLifecycle

/// Starts the authority as soon as the database answers, and runs it.
///
/// While the database is away the process lives, is not ready, and says why: a restart loop would not bring it back. What
/// waiting cannot mend (another key-encryption key, another schema) ends the process with the reason.
struct AuthorityRunner: Service, CustomStringConvertible {
    let description = "authority"
    let authority: MeshAuthority
    let database: PostgresConfiguration
    let logger: Logger
    /// Called when the authority has its state, and again for as long as the ledger does not answer it.
    let onStart: @Sendable () async throws -> Void
    /// Called when the start waits for an operator's word on the ledger.
    var onDoubt: @Sendable () throws -> Void = {}

    func run() async throws {
        let isStarted = try await cancelWhenGracefulShutdown {
            try await whenDatabaseAnswers {
                try await SchemaMigrator(database, logger: logger).check()
                try await authority.start()
            }
        }
        guard isStarted else { return }
        // What comes after the start may have to wait for the database, and the authority must not: it renews and follows.
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { _ = try await cancelWhenGracefulShutdown { try await whenDatabaseAnswers(onStart) } }
            // Not cancelled by a graceful shutdown: it ends by itself then, and first tells the other replicas that it is gone, so
            // that no rotation waits for it.
            group.addTask {
                do {
                    try await authority.run()
                } catch is CancellationError {}
            }
        }
    }

    /// Repeats `step` until the database answers it; false when the service is stopped before that.
    private func whenDatabaseAnswers(_ step: @Sendable () async throws -> Void) async throws -> Bool {
        // Soon enough that a database that starts beside us costs a second, rare enough not to flood its log.
        var pause: Duration = .milliseconds(250)
        var isToldOfDoubt = false
        while !Task.isCancelled {
            do {
                try await step()
                return true
            } catch SchemaError.database(let error) {
                logger.warning("waiting for the database", metadata: ["error": "\(error)"])
            } catch let error as SchemaError {
                throw CommandFailure.failed(error.description)
            } catch AuthorityError.ledger(.unavailable(let detail)), AuthorityError.ledger(.outcomeUnknown(let detail)) {
                logger.warning("waiting for the database", metadata: ["error": "\(detail)"])
            } catch AuthorityError.ledger(.behind(let detail)) {
                logger.warning("waiting for 'signet ledger confirm'", metadata: ["error": "\(detail)"])
                if !isToldOfDoubt { try onDoubt() }
                isToldOfDoubt = true
            } catch let error as AuthorityError where error.isOfTheClock {
                logger.warning("waiting for the clock", metadata: ["error": "\(error)"])
            } catch let error as AuthorityError {
                throw CommandFailure.failed("the authority cannot start: \(error.description)")
            }
            // A random half of it: replicas that lost the database together do not come back together.
            guard (try? await Task.sleep(for: pause * Double.random(in: 0.5...1))) != nil else { return false }
            pause = min(pause * 2, .seconds(5))
        }
        return false
    }
}
