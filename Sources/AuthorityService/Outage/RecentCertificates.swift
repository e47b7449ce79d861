internal import PKI
import Synchronization

/// The certificates that this replica put into the ledger lately, so that it can put those there again that a failover lost.
///
/// Certificates are rows without a revision: a server that took over without the last of them differs in nothing that can be asked.
/// Recording costs a lock and a reference to the batch.
final class RecentCertificates: Sendable {
    /// More than a standby lags that is fit to take over.
    static let span = Duration.seconds(60)
    /// A minute of a thousand certificates a second, in some tens of megabytes.
    private let most: Int

    private struct Batch {
        var records: [CertificateRecord]
        /// When it was in the ledger, by the steady clock.
        var at: Duration
    }

    private struct Kept {
        var ledger: String?
        var batches: [Batch] = []
        /// Those before it are forgotten; they are removed many at a time.
        var first = 0
        var count = 0

        mutating func forgetFirst() {
            count -= batches[first].records.count
            batches[first].records = []
            first += 1
            guard first >= 1024, first * 2 >= batches.count else { return }
            batches.removeFirst(first)
            first = 0
        }
    }

    private let kept = Mutex(Kept())

    init(most: Int = 65_536) { self.most = most }

    /// The records are in `ledger` now. The oldest go where there are too many; the newest batch stays in any case.
    func add(_ records: [CertificateRecord], in ledger: String, at now: Duration) {
        kept.withLock { kept in
            if kept.ledger != ledger { kept = Kept(ledger: ledger) }
            kept.batches.append(Batch(records: records, at: now))
            kept.count += records.count
            while kept.count > most, kept.first < kept.batches.count - 1 { kept.forgetFirst() }
        }
    }

    /// Forgets what was in the ledger before `moment`.
    func forget(before moment: Duration) {
        kept.withLock { kept in
            while kept.first < kept.batches.count, kept.batches[kept.first].at < moment { kept.forgetFirst() }
        }
    }

    /// All that were put into `ledger`, oldest first. What was put into another one does not belong there.
    func all(in ledger: String) -> [CertificateRecord] {
        kept.withLock { kept in kept.ledger == ledger ? kept.batches[kept.first...].flatMap(\.records) : [] }
    }

    /// All of them are in the ledger again, as of `now`: the server that has them now may be lost, too.
    func renew(at now: Duration) {
        kept.withLock { kept in for index in kept.batches.indices { kept.batches[index].at = now } }
    }
}
