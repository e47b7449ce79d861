internal import Logging
internal import Synchronization

/// Tells subscribers that another process may have committed: LISTEN on a connection of its own, reconnected for ever.
///
/// LISTEN needs a server session, which a pooler in transaction mode does not give: `listenLocation` then names the server
/// itself. A signal may be lost while there is no connection, so each new one is a signal too, and subscribers poll anyway.
final class RevisionListener: Sendable {
    /// The channel that commits notify.
    static let channel = "signet_revision"

    private let configuration: PostgresConfiguration
    private let backoff: Backoff
    private let logger: Logger
    private let subscribers = Mutex(Subscribers())

    private struct Subscribers {
        var lastID = 0
        var continuations: [Int: AsyncStream<Void>.Continuation] = [:]
        var isFinished = false
    }

    /// How long a connection may be silent before it must prove to be alive: half of what a poll of the revision waits.
    private let proofInterval: Duration

    init(
        _ configuration: PostgresConfiguration, backoff: Backoff = Backoff(), proofInterval: Duration = .seconds(15),
        logger: Logger
    ) {
        self.configuration = configuration
        self.backoff = backoff
        self.proofInterval = proofInterval
        self.logger = logger
    }

    /// Signals from now on; at most one waits to be taken. Ends when `run` does.
    func signals() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = subscribers.withLock { subscribers -> Int? in
            guard !subscribers.isFinished else { return nil }
            subscribers.lastID += 1
            subscribers.continuations[subscribers.lastID] = continuation
            return subscribers.lastID
        }
        if let id {
            continuation.onTermination = { [weak self] _ in
                self?.subscribers.withLock { $0.continuations[id] = nil }
            }
        } else {
            continuation.finish()
        }
        return stream
    }

    /// Listens until the task is cancelled.
    func run() async {
        var failures = 0
        while !Task.isCancelled {
            do throws(PostgresError) {
                let connection = try await connect()
                failures = 0
                signal()
                while true {
                    try await connection.listen(until: ContinuousClock.now + proofInterval)
                    // A server that went away without a word is found out here, by the deadline.
                    _ = try await connection.execute([PostgresStatement("SELECT 1")], deadline: deadline)
                }
            } catch {
                if Task.isCancelled { break }
                failures += 1
                logger.warning(
                    "Not listening for other replicas' changes: they are found by polling.", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: backoff.delay(afterFailures: failures) { Double.random(in: 0...1) })
            }
        }
        let continuations = subscribers.withLock { subscribers in
            subscribers.isFinished = true
            defer { subscribers.continuations = [:] }
            return subscribers.continuations
        }
        for continuation in continuations.values { continuation.finish() }
    }

    private var deadline: ContinuousClock.Instant { ContinuousClock.now + configuration.timing.answer }

    private func connect() async throws(PostgresError) -> PostgresConnection {
        let location = configuration.listenLocation ?? configuration.location
        let hosts = if case .hosts(let hosts) = location { hosts.count } else { 1 }
        let connection = try await PostgresConnection.open(
            configuration, location: location, deadline: ContinuousClock.now + configuration.timing.connect * hosts,
            onNotification: { [weak self] in self?.signal() })
        _ = try await connection.execute([PostgresStatement("LISTEN \(RevisionListener.channel)")], deadline: deadline)
        return connection
    }

    private func signal() {
        let continuations = subscribers.withLock { $0.continuations }
        for continuation in continuations.values { continuation.yield() }
    }
}
