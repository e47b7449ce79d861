/// One connection to PostgreSQL, with a thread of its own; closed with its last reference.
///
/// Several callers may use it at once: their jobs run one after the other.
final class PostgresConnection: Sendable {
    private let mailbox: ConnectionMailbox

    private init(mailbox: ConnectionMailbox) {
        self.mailbox = mailbox
    }

    deinit {
        mailbox.close()
    }

    /// Connects to the first server that accepts us and writes.
    ///
    /// `location` overrides the configuration's. `onNotification` is called on the connection's thread, once for each batch of
    /// notifications that arrives. Throws `connectionFailed` or `cancelled`.
    static func open(
        _ configuration: PostgresConfiguration, location: PostgresConfiguration.Location? = nil,
        deadline: ContinuousClock.Instant, onNotification: @escaping @Sendable () -> Void = {}
    ) async throws(PostgresError) -> PostgresConnection {
        let mailbox = try ConnectionMailbox()
        let location = location ?? configuration.location
        let isStarted = DedicatedThread.start {
            ConnectionWorker(
                configuration: configuration, location: location, mailbox: mailbox, onNotification: onNotification
            ).run()
        }
        guard isStarted else { throw .connectionFailed(detail: "the system has no thread left for a connection") }
        let connection = PostgresConnection(mailbox: mailbox)
        _ = try await connection.perform(.connect, deadline: deadline, isCancellable: true)
        return connection
    }

    /// Connected, outside a transaction, and not known to be broken: fit for the next caller.
    var isUsable: Bool { mailbox.isUsable }

    /// Runs `statements` in one round trip; the first refused one stops the rest and is thrown.
    ///
    /// Without BEGIN among them they are one transaction by themselves. A caller that must not be left in doubt passes
    /// `isCancellable: false`: only the deadline then ends the wait.
    func execute(
        _ statements: [PostgresStatement], deadline: ContinuousClock.Instant, isCancellable: Bool = true
    ) async throws(PostgresError) -> [PostgresResult] {
        try await perform(.execute(statements), deadline: deadline, isCancellable: isCancellable)
    }

    /// Receives notifications until `deadline`; throws when the connection is lost.
    func listen(until deadline: ContinuousClock.Instant) async throws(PostgresError) {
        _ = try await perform(.listen, deadline: deadline, isCancellable: true)
    }

    /// Ends the connection after its current job.
    func close() {
        mailbox.close()
    }

    private func perform(
        _ work: ConnectionMailbox.Work, deadline: ContinuousClock.Instant, isCancellable: Bool
    ) async throws(PostgresError) -> [PostgresResult] {
        let id = mailbox.nextID()
        return try await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<ConnectionMailbox.Answer, Never>) in
                let job = ConnectionMailbox.Job(id: id, work: work, deadline: deadline) { continuation.resume(returning: $0) }
                if !mailbox.submit(job) {
                    continuation.resume(returning: .failure(.connectionLost(detail: "it was closed", mayHaveRun: false)))
                }
            }
        } onCancel: {
            if isCancellable { mailbox.cancel(id) }
        }.get()
    }
}
