internal import PKI
import Synchronization

/// Makes records durable in batches (group commit): while one batch is on its way, the next gathers.
///
/// There is no task of its own: the first caller to come writes the batch, and hands the lead to a waiting one when
/// others gathered meanwhile. A caller returns only once its own records are durable.
final class CertificateRecorder: Sendable {
    private let ledger: any Ledger
    /// Takes over while the ledger is away.
    private let outage: OutageDesk
    private let gathered = Mutex(Gathered())
    /// Rows in one statement. PostgreSQL's throughput is flat from about 100; more would only lengthen the wait.
    private let largestBatch = 256
    /// Batches under way at once: one being committed while another is parsed. More only multiplies commits.
    private let largestFlight = 2

    private struct Gathered {
        var waiting: [Waiter] = []
        var inFlight = 0
    }

    /// What a waiting caller is woken for.
    private enum Turn: Sendable {
        case done(RecordOutcome)
        case lead([Waiter])
    }

    /// A caller with the records that it waits for.
    private struct Waiter: Sendable {
        var records: [CertificateRecord]
        /// Nil for the leader itself.
        var continuation: CheckedContinuation<Turn, Never>?
    }

    init(ledger: any Ledger, outage: OutageDesk) {
        self.ledger = ledger
        self.outage = outage
    }

    /// Returns when the record is durable; throws what the ledger threw for its batch.
    func record(_ record: CertificateRecord) async throws(LedgerFailure) {
        if let failure = await self.record([record]).failure(at: 0) { throw failure }
    }

    /// Returns when the records are durable, or the ledger failed.
    ///
    /// One record that the ledger does not take fails its whole batch; each is then tried by itself, so that only that one
    /// fails.
    func record(_ records: [CertificateRecord]) async -> RecordOutcome {
        guard !records.isEmpty else { return .recorded }
        let turn = await withCheckedContinuation { continuation in
            let leads = gathered.withLock { gathered in
                if gathered.inFlight < largestFlight {
                    gathered.inFlight += 1
                    return true
                }
                gathered.waiting.append(Waiter(records: records, continuation: continuation))
                return false
            }
            if leads { continuation.resume(returning: Turn.lead([Waiter(records: records)])) }
        }
        switch turn {
        case .done(let outcome): return outcome
        case .lead(let batch): return await write(batch)
        }
    }

    /// Writes a batch, wakes its callers, and passes the lead on. Returns the leader's own outcome.
    ///
    /// A leader whose own task is cancelled may be refused a connection for that alone: nothing was written then, and the
    /// others wait on, under another leader.
    private func write(_ batch: [Waiter]) async -> RecordOutcome {
        let outcome = await commit(batch.count == 1 ? batch[0].records : batch.flatMap(\.records))
        var own = RecordOutcome.recorded
        var again: [Waiter] = []
        var start = 0
        for waiter in batch {
            let range = start..<start + waiter.records.count
            start = range.upperBound
            guard let continuation = waiter.continuation else {
                own = outcome[range]
                continue
            }
            let part = outcome[range]
            if part.isUnavailable, Task.isCancelled {
                again.append(waiter)
            } else {
                continuation.resume(returning: .done(part))
            }
        }
        if !again.isEmpty { gathered.withLock { [again] gathered in gathered.waiting.insert(contentsOf: again, at: 0) } }
        passTheLead()
        return own
    }

    private func commit(_ records: [CertificateRecord]) async -> RecordOutcome {
        if outage.isWithoutLedger, let outcome = await outage.keep(records) { return outcome }
        // An old primary that still takes writes would take these, and nobody would find them.
        let (known, era) = outage.place
        do {
            try await ledger.record(records, after: known)
            outage.recorded(records, in: known, since: era)
            return .recorded
        } catch  where records.count > 1 && error.isAboutARow {
            var failures: [LedgerFailure?] = []
            for record in records {
                do {
                    try await ledger.record([record], after: known)
                    outage.recorded([record], in: known, since: era)
                    failures.append(nil)
                } catch {
                    failures.append(error)
                }
            }
            return .each(failures)
        } catch {
            // Whoever is cancelled may be refused a connection for that alone.
            guard error.isAboutTheLedger, !Task.isCancelled else { return .failed(error) }
            return await outage.keep(records, after: error)
        }
    }

    private func passTheLead() {
        let next: (CheckedContinuation<Turn, Never>, [Waiter])? = gathered.withLock { gathered in
            // Whole callers, at least one, as long as they fit.
            var taken = 0
            var rows = 0
            for waiter in gathered.waiting {
                rows += waiter.records.count
                guard taken == 0 || rows <= largestBatch else { break }
                taken += 1
            }
            var batch = Array(gathered.waiting.prefix(taken))
            gathered.waiting.removeFirst(taken)
            guard let leader = batch.first?.continuation else {
                gathered.inFlight -= 1
                return nil
            }
            batch[0].continuation = nil
            return (leader, batch)
        }
        if let (continuation, batch) = next { continuation.resume(returning: .lead(batch)) }
    }
}

extension LedgerFailure {
    /// Whether it may be one row's fault, so that the others, tried without it, could be taken.
    fileprivate var isAboutARow: Bool {
        switch self {
        case .conflict, .rejected: true
        case .behind, .outcomeUnknown, .unavailable: false
        }
    }

    /// Whether the ledger was not reached or did not answer, or whoever answered is not the ledger.
    fileprivate var isAboutTheLedger: Bool {
        switch self {
        case .conflict, .rejected: false
        case .behind, .outcomeUnknown, .unavailable: true
        }
    }
}
