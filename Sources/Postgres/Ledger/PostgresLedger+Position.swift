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

    package func sight() async throws(LedgerFailure) -> LedgerSight {
        let sight: LedgerSight
        do {
            sight = try await self.sight(LoadSQL.sight)
        } catch {
            // Servers that speak PostgreSQL's language and keep no log of its kind have the functions not, or refuse them.
            guard case .rejected = error else { throw error }
            sight = try await self.sight(LoadSQL.sightWithoutTimeline)
        }
        timeline.withLock { $0 = sight.timeline }
        return sight
    }

    private func sight(_ statement: PostgresStatement) async throws(LedgerFailure) -> LedgerSight {
        try await read("position") {
            [$0, statement]
        } _: { results throws(PostgresError) in
            try LoadSQL.readSight(results[1])
        }
    }
}
