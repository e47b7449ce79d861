internal import PKI
import Synchronization

/// Asks the ledger for the certificates that proxies come with: those that are wanted at once in one question.
///
/// Like the recorder it has no task of its own: who comes first asks, and what gathers meanwhile is the next question. Nothing
/// is kept of the answers, and nobody waits for others to come.
final class CertificateLookups: Sendable {
    private let ledger: any Ledger
    private let gathered = Mutex(Gathered())

    /// Places in one question: a hundred cost about as much as five that are asked one by one, and more only lengthen the wait.
    private static let largestBatch = 128
    /// Questions at a time: one being answered while another is read.
    private static let largestFlight = 2

    private typealias Answer = Result<CertificateRecord?, LedgerFailure>

    private struct Gathered {
        var waiting: [Waiter] = []
        var inFlight = 0
    }

    /// What a waiting caller is woken for.
    private enum Turn: Sendable {
        case done(Answer)
        /// To ask for itself and these.
        case lead([Waiter])
    }

    private struct Waiter: Sendable {
        let place: LedgerPlace
        let continuation: CheckedContinuation<Turn, Never>
    }

    init(ledger: any Ledger) {
        self.ledger = ledger
    }

    /// The record of one certificate; nil if none left this service with that serial and that end.
    func record(at place: LedgerPlace) async throws(LedgerFailure) -> CertificateRecord? {
        let turn = await withCheckedContinuation { continuation in
            let leads = gathered.withLock { gathered in
                if gathered.inFlight < CertificateLookups.largestFlight {
                    gathered.inFlight += 1
                    return true
                }
                gathered.waiting.append(Waiter(place: place, continuation: continuation))
                return false
            }
            if leads { continuation.resume(returning: Turn.lead([])) }
        }
        switch turn {
        case .done(let answer): return try answer.get()
        case .lead(let others): return try await ask(for: place, and: others).get()
        }
    }

    /// Wakes the others with their answers, and passes the lead on. Returns the leader's own.
    private func ask(for own: LedgerPlace, and others: [Waiter]) async -> Answer {
        let answer: (LedgerPlace) -> Answer
        var isForOthers = true
        do {
            let records = try await ledger.certificates(Set(others.map(\.place) + [own]))
            answer = { .success(records[$0]) }
        } catch {
            // A leader whose task is cancelled may be refused a connection for that alone: the others ask again.
            if case .unavailable = error, Task.isCancelled { isForOthers = false }
            answer = { _ in .failure(error) }
        }
        if isForOthers {
            for other in others { other.continuation.resume(returning: .done(answer(other.place))) }
        } else {
            gathered.withLock { $0.waiting.insert(contentsOf: others, at: 0) }
        }
        passTheLead()
        return answer(own)
    }

    private func passTheLead() {
        let batch = gathered.withLock { gathered in
            let batch = Array(gathered.waiting.prefix(CertificateLookups.largestBatch))
            gathered.waiting.removeFirst(batch.count)
            if batch.isEmpty { gathered.inFlight -= 1 }
            return batch
        }
        batch.first?.continuation.resume(returning: .lead(Array(batch.dropFirst())))
    }
}
