package import Authority
package import AuthorityService
package import Logging
internal import Metrics
package import PKI
internal import Synchronization

/// The ledger in PostgreSQL.
///
/// `run` must be running while it is used: it opens the connections. Every call ends by its deadline: the wait for a
/// connection, and then each exchange with the server, are bounded by the configuration's timing.
package final class PostgresLedger: Ledger {
    private let configuration: PostgresConfiguration
    let pool: PostgresPool
    private let listener: RevisionListener
    /// Of the ledger from before it was partitioned, when its last leaf ends: nothing is written there any more when it is asked,
    /// so that once is enough.
    let endOfEarlyLeaves = Mutex<Timestamp?>(nil)

    /// As the last look has shown; nil: none has, or the server does not say.
    let timeline = Mutex<Int64?>(nil)
    /// When the server was last asked for its timeline in vain; nil: never.
    let timelineRefusedAt = Mutex<ContinuousClock.Instant?>(nil)

    /// Opens nothing yet.
    package init(_ configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        pool = PostgresPool(configuration, logger: logger)
        listener = RevisionListener(configuration, logger: logger)
    }

    /// Keeps the connections until the task is cancelled; returns when none is used any more.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.pool.run() }
            group.addTask { await self.listener.run() }
        }
    }

    // MARK: - Writing

    package func commit(_ transaction: LedgerTransaction) async throws(LedgerFailure) -> Int64 {
        try await timed("commit") { () async throws(LedgerFailure) in
            let plan: TransactionPlan
            do throws(PostgresError) {
                plan = try TransactionPlan(transaction)
            } catch {
                throw LedgerFailure(withoutEffect: error)
            }
            let outcome: Result<Int64, LedgerFailure>
            do throws(PostgresError) {
                outcome = try await pool.withConnection(deadline: acquireDeadline) {
                    connection async throws(PostgresError) in
                    await self.commit(plan, after: transaction.after, on: connection)
                }
            } catch {
                throw LedgerFailure(withoutEffect: error)
            }
            return try outcome.get()
        }
    }

    /// Two round trips. First everything but the commit: whatever goes wrong there had no effect, since the server undoes an
    /// open transaction whose connection ends. Then COMMIT alone, which is not cancellable: only losing the connection within
    /// it leaves a doubt.
    private func commit(
        _ plan: TransactionPlan, after known: LedgerPosition?, on connection: PostgresConnection
    ) async -> Result<Int64, LedgerFailure> {
        let revision: Int64
        let timeline = known == nil ? nil : timeline.withLock { $0 }
        do throws(PostgresError) {
            let prelude = [
                PostgresStatement.begin, .limit(configuration.timing.statement),
                // First, so that its row lock makes all transactions serial.
                PostgresStatement(
                    "UPDATE ledger_revision SET revision = revision + 1 RETURNING ledger_id, epoch, revision"
                        + (timeline == nil ? "" : ", \(LoadSQL.timeline)")),
            ]
            let notification = PostgresStatement("SELECT pg_notify($1, '')", [.text(RevisionListener.channel)])
            let results = try await connection.execute(
                prelude + plan.steps.map(\.statement) + [notification], deadline: answerDeadline)
            for (step, result) in zip(plan.steps, results.dropFirst(prelude.count))
            where step.mustTouchARow && result.affected == 0 {
                _ = try await connection.execute([.rollback], deadline: answerDeadline)
                return .failure(.conflict(what: step.what))
            }
            let position = try LoadSQL.readPosition(results[prelude.count - 1])
            // Before the commit, so that a ledger which is not the one that was seen takes nothing.
            if let known, let refusal = LedgerFailure(of: position, after: known) {
                _ = try await connection.execute([.rollback], deadline: answerDeadline)
                return .failure(refusal)
            }
            if let timeline, try LoadSQL.readTimeline(results[prelude.count - 1]) != timeline {
                _ = try await connection.execute([.rollback], deadline: answerDeadline)
                return .failure(.unavailable(detail: "another server took over: what it may lack is written to it first"))
            }
            revision = position.revision
        } catch {
            return .failure(
                LedgerFailure(withoutEffect: error) { plan.conflict($0, step: $0.statement - 3) })
        }
        do throws(PostgresError) {
            let results = try await connection.execute([.commit], deadline: answerDeadline, isCancellable: false)
            guard results[0].command == "COMMIT" else {
                return .failure(.rejected(detail: "the transaction ended with \(results[0].command)"))
            }
            return .success(revision)
        } catch {
            return .failure(LedgerFailure(error) { plan.conflict($0, step: nil) })
        }
    }

    package func record(
        _ certificates: [CertificateRecord], after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        guard !certificates.isEmpty else { return }
        let what = certificates.count == 1 ? "the certificate with serial \(certificates[0].serial)" : "one of the serials"
        try await write("record", CertificateSQL.insert(certificates), after: known) { _ in what }
    }

    @discardableResult
    package func restore(
        _ certificates: [CertificateRecord], after known: LedgerPosition?
    ) async throws(LedgerFailure) -> Int {
        guard !certificates.isEmpty else { return 0 }
        return try await write("restore", CertificateSQL.insertMissing(certificates), after: known) { _ in "one of the serials" }
            .affected
    }

    package func append(_ entries: [AuditEntry], after known: LedgerPosition?) async throws(LedgerFailure) {
        guard !entries.isEmpty else { return }
        try await write("append", AuditSQL.insert(entries), after: known) { _ in "the audit trail" }
    }

    /// One statement in a transaction of its own, in one round trip that is not cancelled once it was sent; before it the question
    /// whether the ledger is the one that was seen at `known`, on the server that was seen last, which fails the transaction where it is not.
    @discardableResult
    func write(
        _ operation: String, _ statement: PostgresStatement, after known: LedgerPosition? = nil,
        conflicts: (PostgresServerError) -> String
    ) async throws(LedgerFailure) -> PostgresResult {
        try await timed(operation) { () async throws(LedgerFailure) in
            do throws(PostgresError) {
                let statements =
                    [.begin, .limit(configuration.timing.statement)]
                    + (known.map { [LoadSQL.confirm($0, timeline: timeline.withLock { $0 })] } ?? [])
                    + [statement, .commit]
                let results = try await pool.withConnection(deadline: acquireDeadline) {
                    connection async throws(PostgresError) in
                    try await connection.execute(
                        statements, deadline: self.answerDeadline, isCancellable: false)
                }
                let end = results[statements.count - 1].command
                guard end == "COMMIT" else {
                    throw PostgresError.unexpectedResult(detail: "the transaction ended with \(end)")
                }
                return results[statements.count - 2]
            } catch {
                throw LedgerFailure(error, conflicts: conflicts)
            }
        }
    }

    // MARK: - Reading

    /// A row that makes no sense is no reason to guess: `rejected` names it, such as a running rotation by its id and column, and
    /// whoever asked keeps the state that it has, and serves by that until somebody mends the row.
    package func load() async throws(LedgerFailure) -> LedgerState {
        // A look finds out whether the server says it.
        let withTimeline = timeline.withLock { $0 != nil }
        return try await read("load") { limit in
            [.beginSnapshot, limit] + LoadSQL.statements(withTimeline: withTimeline) + [.commit]
        } _: {
            results throws(PostgresError) in
            try LoadSQL.read(results[2..<results.count - 1], withTimeline: withTimeline)
        }
    }

    package func certificates(_ query: CertificateQuery) async throws(LedgerFailure) -> Page<CertificateRecord> {
        try await page("certificates", CertificateSQL.select(query)) { reader throws(PostgresError) in
            try CertificateSQL.read(&reader)
        }
    }

    package func tokens(_ query: TokenQuery) async throws(LedgerFailure) -> Page<TokenRecord> {
        try await page("tokens", TokenSQL.select(query)) { reader throws(PostgresError) in try TokenSQL.read(&reader) }
    }

    package func token(_ id: String) async throws(LedgerFailure) -> TokenRecord? {
        // No id of ours holds a NUL, and PostgreSQL's text cannot.
        guard !id.utf8.contains(0) else { return nil }
        return try await first("token", TokenSQL.select(id)) { reader throws(PostgresError) in try TokenSQL.read(&reader).1 }
    }

    package func audit(_ query: AuditQuery) async throws(LedgerFailure) -> Page<AuditRow> {
        try await page("audit", AuditSQL.select(query)) { reader throws(PostgresError) in
            let row = try AuditSQL.read(&reader)
            return (row.seq, row)
        }
    }

    package func auditChain(after seq: Int64, size: Int) async throws(LedgerFailure) -> [AuditRow] {
        try await read("audit-chain") {
            [$0, AuditSQL.chain(after: seq, size: size)]
        } _: { results throws(PostgresError) in
            var rows: [AuditRow] = []
            for row in results[1].rows {
                var reader = RowReader(row)
                rows.append(try AuditSQL.read(&reader))
            }
            return rows
        }
    }

    package func auditHead() async throws(LedgerFailure) -> AuditHead {
        try await read("audit-head") {
            [$0, AuditSQL.head]
        } _: { results throws(PostgresError) in
            guard let row = results[1].rows.first else { return .takenAway }
            var reader = RowReader(row)
            return try AuditSQL.readHead(&reader)
        }
    }

    package func seal(_ seal: AuditSeal, after known: LedgerPosition?) async throws(LedgerFailure) {
        try await write("audit-seal", AuditSQL.seal(seal), after: known) { _ in "the head of the audit trail" }
    }

    package func earliestLeafExpiry(at now: Timestamp) async throws(LedgerFailure) -> [MeshName: Timestamp] {
        let statement = CertificateSQL.earliestLeafExpiry(at: now)
        return try await read("earliest-leaf-expiry") {
            [$0, statement]
        } _: { results throws(PostgresError) in
            var expiries: [MeshName: Timestamp] = [:]
            for row in results[1].rows {
                var reader = RowReader(row)
                let mesh = try LedgerText.mesh(try reader.text())
                expiries[mesh] = try reader.optionalInteger().map { Timestamp(milliseconds: $0) }
            }
            return expiries
        }
    }

    package func lastExpiry(of trustDomain: TrustDomain, at now: Timestamp) async throws(LedgerFailure) -> Timestamp? {
        try await first("last-expiry", CertificateSQL.lastExpiry(of: trustDomain, at: now)) { reader throws(PostgresError) in
            try reader.optionalInteger().map { Timestamp(milliseconds: $0) }
        }.flatMap { $0 }
    }

    package func release(of trustDomain: TrustDomain) async throws(LedgerFailure) -> Timestamp? {
        try await first("release", CertificateSQL.release(of: trustDomain)) { reader throws(PostgresError) in
            try reader.optionalInteger().map { Timestamp(milliseconds: $0) }
        }.flatMap { $0 }
    }

    package func revisionSignals() -> AsyncStream<Void> {
        listener.signals()
    }

    func first<Value: Sendable>(
        _ operation: String, _ statement: PostgresStatement,
        _ parse: @Sendable (inout RowReader) throws(PostgresError) -> Value
    ) async throws(LedgerFailure) -> Value? {
        try await read(operation) {
            [$0, statement]
        } _: { results throws(PostgresError) in
            guard let row = results[1].rows.first else { return nil }
            var reader = RowReader(row)
            return try parse(&reader)
        }
    }

    func page<Item: Sendable>(
        _ operation: String, _ page: PageStatements,
        _ parse: @Sendable (inout RowReader) throws(PostgresError) -> (Int64, Item)
    ) async throws(LedgerFailure) -> Page<Item> {
        try await read(operation) {
            [.beginSnapshot, $0, PageStatements.inOrder, page.rows, page.total, .commit]
        } _: {
            results throws(PostgresError) in
            try page.page(results[3], results[4], parse)
        }
    }

    /// Runs statements that change nothing, in one round trip. A connection that turns out to be dead is replaced once: a
    /// server that restarted leaves a pool of them.
    func read<Value: Sendable>(
        _ operation: String, _ statements: (PostgresStatement) -> [PostgresStatement],
        _ parse: ([PostgresResult]) throws(PostgresError) -> Value
    ) async throws(LedgerFailure) -> Value {
        try await timed(operation) { () async throws(LedgerFailure) in
            do throws(PostgresError) {
                return try parse(try await answers(to: statements(limit)))
            } catch {
                throw LedgerFailure(withoutEffect: error)
            }
        }
    }

    func answers(to statements: [PostgresStatement]) async throws(PostgresError) -> [PostgresResult] {
        try await answers(to: statements) { (results: [PostgresResult], _) in results }
    }

    /// `look` sees the answers while it still has the connection, so that it can close one that leads to the wrong server.
    func answers<Value: Sendable>(
        to statements: [PostgresStatement],
        _ look: ([PostgresResult], PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let acquireDeadline = acquireDeadline
        do throws(PostgresError) {
            return try await exchange(statements, acquireDeadline, look)
        } catch {
            guard case .connectionLost = error else { throw error }
            return try await exchange(statements, acquireDeadline, look)
        }
    }

    private func exchange<Value: Sendable>(
        _ statements: [PostgresStatement], _ acquireDeadline: ContinuousClock.Instant,
        _ look: ([PostgresResult], PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await pool.withConnection(deadline: acquireDeadline) { connection async throws(PostgresError) in
            try look(try await connection.execute(statements, deadline: self.answerDeadline), connection)
        }
    }

    // MARK: - Time

    /// Goes before the statements of each transaction.
    var limit: PostgresStatement { .limit(configuration.timing.statement) }

    var acquireDeadline: ContinuousClock.Instant { ContinuousClock.now + configuration.timing.acquire }

    private var answerDeadline: ContinuousClock.Instant { ContinuousClock.now + configuration.timing.answer }

    func timed<Value>(
        _ operation: String, _ body: () async throws(LedgerFailure) -> Value
    ) async throws(LedgerFailure) -> Value {
        let start = ContinuousClock.now
        defer {
            Metrics.Timer(label: "signet_ledger_seconds", dimensions: [("operation", operation)])
                .record(duration: ContinuousClock.now - start)
        }
        return try await body()
    }
}
