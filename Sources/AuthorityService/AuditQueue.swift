internal import Logging
import Metrics
internal import PKI
import Synchronization

/// Refusals on their way to the audit trail: written in the background, so that a flood of bad credentials neither waits
/// for the database nor fills the memory.
final class AuditQueue: Sendable {
    private let waiting = Mutex<[AuditEntry]>([])
    /// Beyond it entries are dropped and counted: more than a thousand refusals between two writes is an attack, of which
    /// the log and the counter tell as much.
    private let most = 1000
    private let dropped = Counter(label: "signet_audit_dropped_total")

    func add(_ entry: AuditEntry) {
        let isFull = waiting.withLock { waiting in
            if waiting.count >= most { return true }
            waiting.append(entry)
            return false
        }
        if isFull { dropped.increment() }
    }

    /// Writes what gathered; on a failure it is put back, in front.
    func flush(to ledger: any Ledger) async throws(LedgerFailure) {
        let entries = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        guard !entries.isEmpty else { return }
        do {
            try await ledger.append(entries)
        } catch {
            waiting.withLock { $0 = Array((entries + $0).prefix(most)) }
            throw error
        }
    }
}
