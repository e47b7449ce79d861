package import AuthorityService
package import PKI

/// The ledger's partitions: made ahead, and dropped when their retention is over.
///
/// Each step is a transaction of its own under one lock, taken anew and with a new look at what is there: another replica may have
/// gone on meanwhile, and a crash leaves whole steps.
extension PostgresLedger {
    package func upkeep(
        at now: Timestamp, horizon: Timestamp, retention: Duration
    ) async throws(LedgerFailure) -> LedgerUpkeep {
        try await timed("upkeep") { () async throws(LedgerFailure) in
            do throws(PostgresError) {
                return try await pool.withConnection(deadline: acquireDeadline) { connection async throws(PostgresError) in
                    try await self.upkeep(on: connection, at: now, horizon: horizon, retention: retention)
                }
            } catch {
                throw LedgerFailure(error)
            }
        }
    }

    /// What one statement may take: a scan of a ledger from before there were partitions, or the move of stray rows.
    private static let patience = Duration.seconds(120)
    /// More than there can be: every week of two years made, and as many dropped.
    private static let mostSteps = 256

    private func upkeep(
        on connection: PostgresConnection, at now: Timestamp, horizon: Timestamp, retention: Duration
    ) async throws(PostgresError) -> LedgerUpkeep {
        var done = LedgerUpkeep()
        var tried: Set<PartitionSurvey.Step> = []
        for _ in 0..<PostgresLedger.mostSteps {
            let begun = try await run(
                [
                    .begin, .limit(PostgresLedger.patience), PartitionSQL.waitBriefly, PartitionSQL.tryLock, PartitionSQL.survey,
                    PartitionSQL.clock,
                ], on: connection)
            guard try first(begun[3], { reader throws(PostgresError) in try reader.boolean() }) else {
                _ = try await run([.rollback], on: connection)
                done.isDoneElsewhere = true
                return done
            }
            // A replica whose clock is ahead must not forget what has not ended.
            let clock = try first(begun[5]) { reader throws(PostgresError) in Timestamp(milliseconds: try reader.integer()) }
            let cutoff = min(now, clock) - retention
            let survey = try PartitionSurvey.read(begun[4])
            guard let step = survey.steps(at: now, horizon: horizon, cutoff: cutoff).first(where: { !tried.contains($0) }) else {
                try await removeRows(endedBefore: cutoff, at: now, on: connection, &done)
                return done
            }
            tried.insert(step)
            try await take(step, cutoff: cutoff, at: now, on: connection, &done)
        }
        return done
    }

    /// Within the transaction that is open, which it ends.
    private func take(
        _ step: PartitionSurvey.Step, cutoff: Timestamp, at now: Timestamp, on connection: PostgresConnection,
        _ done: inout LedgerUpkeep
    ) async throws(PostgresError) {
        switch step {
        case .make(let week):
            _ = try await run(PartitionSQL.make(week) + [.commit], on: connection)
            done.made.append(week)
        case .drop(let week, let rows):
            let name = PartitionSQL.name(of: week)
            let entry = LedgerUpkeep.dropped(name, about: rows < 0 ? nil : rows, endedBefore: week.end, at: now)
            _ = try await run([PartitionSQL.drop(week), AuditSQL.insert([entry]), .commit], on: connection)
            done.dropped.append(name)
        case .dropEarly(let bound):
            var end = endOfEarlyLeaves.withLock { $0 }
            if end == nil {
                let answer = try await run([PartitionSQL.endOfEarlyLeaves], on: connection)
                end = try first(answer[0]) { reader throws(PostgresError) in
                    Timestamp(milliseconds: try reader.optionalInteger() ?? .min)
                }
                endOfEarlyLeaves.withLock { [end] in $0 = end }
            }
            guard let end, end < cutoff else {
                _ = try await run([.rollback], on: connection)
                return
            }
            let name = "certificate_early"
            let entry = LedgerUpkeep.dropped(name, about: nil, endedBefore: cutoff, at: now)
            _ = try await run(PartitionSQL.dropEarly(to: bound) + [AuditSQL.insert([entry]), .commit], on: connection)
            done.dropped.append(name)
        }
    }

    /// Within the transaction that is open, which it ends.
    private func removeRows(
        endedBefore cutoff: Timestamp, at now: Timestamp, on connection: PostgresConnection, _ done: inout LedgerUpkeep
    ) async throws(PostgresError) {
        let results = try await run(PartitionSQL.removeRows(endedBefore: cutoff) + [PartitionSQL.countStrays], on: connection)
        let removed = Int64(results[0].affected + results[1].affected)
        done.strays = try first(results[2]) { reader throws(PostgresError) in try reader.integer() }
        let entries = removed > 0 ? [LedgerUpkeep.removed(removed, endedBefore: cutoff, at: now)] : []
        _ = try await run(entries.isEmpty ? [.commit] : [AuditSQL.insert(entries), .commit], on: connection)
        done.removed = removed
    }

    /// A refused statement undoes the transaction.
    private func run(
        _ statements: [PostgresStatement], on connection: PostgresConnection
    ) async throws(PostgresError) -> [PostgresResult] {
        try await connection.execute(statements, deadline: ContinuousClock.now + PostgresLedger.patience + .seconds(1))
    }

    private func first<Value>(
        _ result: PostgresResult, _ parse: (inout RowReader) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        guard let row = result.rows.first else { throw .unexpectedResult(detail: "no row") }
        var reader = RowReader(row)
        return try parse(&reader)
    }
}
