internal import PKI
import Synchronization

/// Makes records durable in batches (group commit): while one batch is on its way, the next gathers.
///
/// There is no task of its own: the first caller to come writes the batch, and hands the lead to a waiting one when
/// others gathered meanwhile. A caller returns only once its own record is durable.
final class CertificateRecorder: Sendable {
    private let ledger: any Ledger
    private let gathered = Mutex(Gathered())
    /// Rows in one statement. PostgreSQL's throughput is flat from about 100; more would only lengthen the wait.
    private let largestBatch = 256
    /// Batches under way at once: one being committed while another is parsed. More only multiplies commits.
    private let largestFlight = 2

    private struct Gathered {
        var waiting: [(record: CertificateRecord, continuation: CheckedContinuation<Turn, Never>)] = []
        var inFlight = 0
    }

    /// What a waiting caller is woken for.
    private enum Turn: Sendable {
        case done(Result<Void, LedgerFailure>)
        case lead([Waiter])
    }

    private struct Waiter: Sendable {
        var record: CertificateRecord
        /// Nil for the leader itself.
        var continuation: CheckedContinuation<Turn, Never>?
    }

    init(ledger: any Ledger) {
        self.ledger = ledger
    }

    /// Returns when the record is durable; throws what the ledger threw for its batch.
    ///
    /// One record that the ledger does not take fails its whole batch; each is then tried by itself, so that only that one
    /// fails.
    func record(_ record: CertificateRecord) async throws(LedgerFailure) {
        let turn = await withCheckedContinuation { continuation in
            let leads = gathered.withLock { gathered in
                if gathered.inFlight < largestFlight {
                    gathered.inFlight += 1
                    return true
                }
                gathered.waiting.append((record, continuation))
                return false
            }
            if leads { continuation.resume(returning: Turn.lead([Waiter(record: record, continuation: nil)])) }
        }
        switch turn {
        case .done(let result): try result.get()
        case .lead(let batch): try await write(batch).get()
        }
    }

    /// Writes a batch, wakes its callers, and passes the lead on. Returns the leader's own result.
    ///
    /// A leader whose own task is cancelled may be refused a connection for that alone: nothing was written then, and the
    /// others wait on, under another leader.
    private func write(_ batch: [Waiter]) async -> Result<Void, LedgerFailure> {
        let results = await commit(batch.map(\.record))
        var own: Result<Void, LedgerFailure> = .success(())
        var again: [(record: CertificateRecord, continuation: CheckedContinuation<Turn, Never>)] = []
        for (waiter, result) in zip(batch, results) {
            guard let continuation = waiter.continuation else {
                own = result
                continue
            }
            if case .failure(.unavailable) = result, Task.isCancelled {
                again.append((waiter.record, continuation))
            } else {
                continuation.resume(returning: .done(result))
            }
        }
        if !again.isEmpty { gathered.withLock { [again] gathered in gathered.waiting.insert(contentsOf: again, at: 0) } }
        passTheLead()
        return own
    }

    private func commit(_ records: [CertificateRecord]) async -> [Result<Void, LedgerFailure>] {
        do {
            try await ledger.record(records)
            return records.map { _ in .success(()) }
        } catch  where records.count > 1 && error.isAboutARow {
            var results: [Result<Void, LedgerFailure>] = []
            for record in records {
                do {
                    try await ledger.record([record])
                    results.append(.success(()))
                } catch {
                    results.append(.failure(error))
                }
            }
            return results
        } catch {
            return records.map { _ in .failure(error) }
        }
    }

    private func passTheLead() {
        let next: (CheckedContinuation<Turn, Never>, [Waiter])? = gathered.withLock { gathered in
            guard !gathered.waiting.isEmpty else {
                gathered.inFlight -= 1
                return nil
            }
            let taken = gathered.waiting.prefix(largestBatch)
            gathered.waiting.removeFirst(taken.count)
            guard let leader = taken.first else { return nil }
            let batch =
                [Waiter(record: leader.record, continuation: nil)]
                + taken.dropFirst().map { Waiter(record: $0.record, continuation: $0.continuation) }
            return (leader.continuation, batch)
        }
        if let (continuation, batch) = next { continuation.resume(returning: .lead(batch)) }
    }
}

extension LedgerFailure {
    /// Whether it may be one row's fault, so that the others, tried without it, could be taken.
    fileprivate var isAboutARow: Bool {
        switch self {
        case .conflict, .rejected: true
        case .outcomeUnknown, .unavailable: false
        }
    }
}
