internal import Logging
internal import Metrics
internal import Synchronization

/// A bounded set of connections. Callers get one in the order of their arrival, or an error at their deadline.
///
/// `run` opens connections as callers need them and must be running while the pool is in use; it backs off while no server
/// answers. Broken connections are dropped as soon as their sockets say so, or when they are handed back. Nothing is kept on
/// a server session between two transactions, so a pooler in transaction mode may stand between.
final class PostgresPool: Sendable {
    private let configuration: PostgresConfiguration
    private let backoff: Backoff
    private let logger: Logger
    private let state: Mutex<PoolState>
    /// Wakes `run`: somebody waits, or there is room for one more.
    private let demand: AsyncStream<Void>
    private let demandContinuation: AsyncStream<Void>.Continuation
    private let idleGauge = Gauge(label: "signet_postgres_connections", dimensions: [("state", "idle")])
    private let usedGauge = Gauge(label: "signet_postgres_connections", dimensions: [("state", "used")])
    private let waitTimer = Metrics.Timer(label: "signet_postgres_wait_seconds")

    init(_ configuration: PostgresConfiguration, backoff: Backoff = Backoff(), logger: Logger) {
        self.configuration = configuration
        self.backoff = backoff
        self.logger = logger
        state = Mutex(PoolState(size: configuration.poolSize))
        (demand, demandContinuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Opens connections on demand until the task is cancelled; then lets nobody in, and waits for those inside, whose
    /// statements all have deadlines.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in demand {
                while state.withLock({ $0.takeOpening() }) {
                    group.addTask { await self.openOne() }
                }
            }
            let (idle, waiters) = state.withLock { $0.close() }
            for connection in idle { connection.close() }
            for waiter in waiters { waiter.resume(nil) }
            group.cancelAll()
        }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let isDrained = state.withLock { $0.whenDrained { continuation.resume() } }
            if isDrained { continuation.resume() }
        }
        record()
    }

    /// Lends `body` a connection. Throws `connectionFailed` when there is none at `deadline`; nothing was sent then.
    func withConnection<Value: Sendable>(
        deadline: ContinuousClock.Instant,
        _ body: (PostgresConnection) async throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let connection = try await acquire(deadline: deadline)
        defer { release(connection) }
        return try await body(connection)
    }

    /// How many callers wait for a connection.
    var waiting: Int { state.withLock { $0.waitingCount } }

    // MARK: - Lending

    private func acquire(deadline: ContinuousClock.Instant) async throws(PostgresError) -> PostgresConnection {
        let start = ContinuousClock.now
        defer { waitTimer.record(duration: ContinuousClock.now - start) }
        switch state.withLock({ $0.checkout() }) {
        case .closed: throw .connectionFailed(detail: "the connection pool is closed")
        case .connection(let connection):
            record()
            return connection
        case .wait(let ticket):
            if let connection = await wait(ticket, deadline: deadline) {
                record()
                return connection
            }
            if Task.isCancelled { throw .cancelled(mayHaveRun: false) }
            let (isClosed, failure) = state.withLock { ($0.isClosed, $0.lastFailure) }
            if isClosed { throw .connectionFailed(detail: "the connection pool is closed") }
            throw .connectionFailed(
                detail: failure ?? "all \(configuration.poolSize) connections of the pool were busy until the deadline")
        }
    }

    /// Nil at the deadline, after a cancellation, and when the pool closes.
    private func wait(_ ticket: UInt64, deadline: ContinuousClock.Instant) async -> PostgresConnection? {
        await withTaskGroup(of: PostgresConnection?.self) { group in
            group.addTask { await self.place(ticket) }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            // The first to end ends the other. A connection that arrives in the moment of the deadline is taken, not lost.
            var connection: PostgresConnection?
            for await ended in group {
                connection = connection ?? ended
                group.cancelAll()
            }
            return connection
        }
    }

    private func place(_ ticket: UInt64) async -> PostgresConnection? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<PostgresConnection?, Never>) in
                let waiter = PoolState.Waiter(ticket: ticket) { continuation.resume(returning: $0) }
                // Checked under the lock: the handler below may have run before there was anything to abandon.
                let isPlaced = state.withLock { !Task.isCancelled && $0.enqueue(waiter) }
                if isPlaced {
                    // One may have come back between the checkout and now.
                    serveIdle()
                    demandContinuation.yield()
                } else {
                    continuation.resume(returning: nil)
                }
            }
        } onCancel: {
            state.withLock { $0.abandon(ticket) }?.resume(nil)
        }
    }

    private func serveIdle() {
        let served = state.withLock { $0.takeIdleForWaiter() }
        if let (waiter, connection) = served { waiter.resume(connection) }
    }

    private func release(_ connection: PostgresConnection) {
        let isUsable = connection.isUsable
        let waiter = state.withLock { state -> PoolState.Waiter? in
            state.returned()
            return isUsable && !state.isClosed ? state.offer(connection) : nil
        }
        if let waiter {
            waiter.resume(connection)
        } else if !isUsable || state.withLock({ $0.isClosed }) {
            connection.close()
            demandContinuation.yield()
        }
        state.withLock { $0.takeDrained() }?()
        record()
    }

    // MARK: - Opening

    private func openOne() async {
        // All hosts in turn, each with its own connect time-out.
        let hosts = if case .hosts(let hosts) = configuration.location { hosts.count } else { 1 }
        let deadline = ContinuousClock.now + configuration.timing.connect * hosts
        do throws(PostgresError) {
            let connection = try await PostgresConnection.open(configuration, deadline: deadline)
            let (waiter, isClosed) = state.withLock { state -> (PoolState.Waiter?, Bool) in
                state.opened()
                return state.isClosed ? (nil, true) : (state.offer(connection), false)
            }
            waiter?.resume(connection)
            if isClosed { connection.close() }
        } catch {
            let failures = state.withLock { $0.openingFailed("\(error)") }
            if !Task.isCancelled {
                logger.warning(
                    "No connection to the database.", metadata: ["reason": "\(error)", "failures": "\(failures)"])
            }
            try? await Task.sleep(for: backoff.delay(afterFailures: failures) { Double.random(in: 0...1) })
            state.withLock { $0.openingEnded() }
        }
        demandContinuation.yield()
        record()
    }

    private func record() {
        let (idle, used) = state.withLock { ($0.idle.count, $0.used) }
        idleGauge.record(idle)
        usedGauge.record(used)
    }
}
