package import Authority
package import AuthorityService

/// Which ledger it is, how far, and which server answers.
extension PostgresLedger {
    package func revision() async throws(LedgerFailure) -> Int64 {
        try await read("revision") {
            [$0, PostgresStatement("SELECT revision FROM ledger_revision")]
        } _: {
            results throws(PostgresError) in
            guard let row = results[1].rows.first else {
                throw .unexpectedResult(detail: "the ledger has no revision: run 'signet migrate'")
            }
            var reader = RowReader(row)
            return try reader.integer()
        }
    }

    package func position() async throws(LedgerFailure) -> LedgerPosition {
        try await read("position") {
            [$0, LoadSQL.position]
        } _: { results throws(PostgresError) in
            try LoadSQL.readPosition(results[1])
        }
    }

    package func sight(after known: LedgerPosition?) async throws(LedgerFailure) -> LedgerSight {
        let isRefused = timelineRefusedAt.withLock { at in
            at.map { ContinuousClock.now < $0 + PostgresLedger.timelinePatience } ?? false
        }
        if isRefused { return try await sightWithoutTimeline(after: known) }
        do {
            let sight = try await look(LoadSQL.sight, after: known)
            timelineRefusedAt.withLock { $0 = nil }
            // In recovery it says none: nothing is written there, and whoever is written to next is still the one from before, or another.
            if let timeline = sight.timeline, !sight.position.isBehind(known) { self.timeline.withLock { $0 = timeline } }
            return sight
        } catch {
            // Servers that speak PostgreSQL's language and keep no log of its kind have the functions not, or refuse them.
            guard case .rejected = error else { throw error }
            let sight = try await sightWithoutTimeline(after: known)
            timelineRefusedAt.withLock { $0 = .now }
            return sight
        }
    }

    /// How long a server is not asked for its timeline again that refused it: each time is an error in its log, and another server
    /// may have taken its place.
    private static let timelinePatience = Duration.seconds(60)

    private func sightWithoutTimeline(after known: LedgerPosition?) async throws(LedgerFailure) -> LedgerSight {
        let sight = try await look(LoadSQL.sightWithoutTimeline, after: known)
        if !sight.position.isBehind(known) { timeline.withLock { $0 = nil } }
        return sight
    }

    /// Whether another server took over from this one, as looks have shown.
    private func isEarlier(_ sight: LedgerSight) -> Bool {
        guard let found = sight.timeline, let last = timeline.withLock({ $0 }) else { return false }
        return found < last
    }

    private func look(_ statement: PostgresStatement, after known: LedgerPosition?) async throws(LedgerFailure) -> LedgerSight {
        try await timed("position") { () async throws(LedgerFailure) in
            do throws(PostgresError) {
                return try await answers(to: [limit, statement]) { results, connection throws(PostgresError) in
                    let sight = try LoadSQL.readSight(results[1])
                    // The others find out by themselves, and the next one may lead to the server that took over.
                    if sight.position.isBehind(known) || isEarlier(sight) { connection.close() }
                    return sight
                }
            } catch {
                throw LedgerFailure(withoutEffect: error)
            }
        }
    }
}

extension LedgerPosition {
    fileprivate func isBehind(_ known: LedgerPosition?) -> Bool { known?.doubt(about: self) != nil }
}
