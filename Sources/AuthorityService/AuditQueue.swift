internal import Authority
internal import Logging
internal import Metrics
internal import PKI
import Synchronization

/// Refusals on their way to the audit trail: written in the background, so that a flood of bad credentials neither waits
/// for the database nor fills it.
///
/// Between two writes, refusals of one reason from one address are one entry with a count: a stranger costs a row a second
/// at most, whatever the rate of the attempts.
final class AuditQueue: Sendable {
    private struct Key: Hashable {
        var actor: String
        var action: String
        var reason: String
        var address: String
        var mesh: MeshName?
    }

    private struct Waiting {
        var entries: [AuditEntry] = []
        /// Neither counted together nor dropped.
        var kept: [AuditEntry] = []
        /// Where in `entries` the refusals of one kind are counted.
        var places: [Key: (index: Int, count: Int)] = [:]
    }

    private let waiting = Mutex(Waiting())
    /// Beyond it entries are dropped and counted: more than a thousand addresses between two writes is an attack, of which
    /// the log and the counter tell as much.
    private let most = 1000
    private let dropped = Counter(label: "signet_audit_dropped_total")

    /// True for the first of its kind since the last write: worth a line in the log.
    func add(_ entry: AuditEntry) -> Bool {
        let key = Key(
            actor: entry.actor, action: entry.action, reason: entry.details["reason"] ?? "",
            address: AuditQueue.address(of: entry.source), mesh: entry.mesh)
        enum Outcome { case counted, dropped, first }
        let outcome = waiting.withLock { waiting -> Outcome in
            if let place = waiting.places[key] {
                waiting.places[key] = (place.index, place.count + 1)
                waiting.entries[place.index].details["count"] = String(place.count + 1)
                return .counted
            }
            if waiting.entries.count >= most { return .dropped }
            waiting.places[key] = (waiting.entries.count, 1)
            waiting.entries.append(entry)
            return .first
        }
        if outcome == .dropped { dropped.increment() }
        return outcome == .first
    }

    /// For what happens once in an outage, and has to be told each time.
    func keep(_ entry: AuditEntry) { waiting.withLock { $0.kept.append(entry) } }

    /// Writes what gathered; on a failure it is put back, in front. Where the outcome is unknown it may stand twice, which
    /// in a trail of refusals is better than not at all.
    func flush(to ledger: any Ledger, after known: LedgerPosition?) async throws(LedgerFailure) {
        let (kept, entries) = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return (waiting.kept, waiting.entries)
        }
        guard !(kept.isEmpty && entries.isEmpty) else { return }
        do {
            try await ledger.append(kept + entries, after: known)
        } catch {
            waiting.withLock { waiting in
                // Counting begins anew: the places of what gathered meanwhile have moved.
                waiting = Waiting(entries: Array((entries + waiting.entries).prefix(most)), kept: kept + waiting.kept)
            }
            throw error
        }
    }

    /// The address without its port, which differs with every connection.
    private static func address(of source: String) -> String {
        guard let colon = source.lastIndex(of: ":"), source[source.index(after: colon)...].allSatisfy(\.isNumber) else {
            return source
        }
        return String(source[..<colon])
    }
}
