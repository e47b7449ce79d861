package import Authority
package import AuthorityService
package import PKI

/// Meshes by page, rotations, what their gates are judged by, and who takes them through.
extension PostgresLedger {
    package func report(
        _ report: ReplicaReport?, permit: OfflinePermit, of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        let statement: PostgresStatement
        do throws(PostgresError) {
            statement = try ReplicaSQL.report(report, permit, of: replica)
        } catch {
            throw LedgerFailure(withoutEffect: error)
        }
        try await write("report", statement, after: known) { _ in "the report of replica '\(replica)'" }
    }

    package func permit(
        _ permit: OfflinePermit, of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        let statement = ReplicaSQL.permit(permit, of: replica)
        try await write("permit", statement, after: known) { _ in "the row of replica '\(replica)'" }
    }

    package func announce(
        keyEncryptionKeys ids: [String], of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        let statement = ReplicaSQL.announce(ids, of: replica)
        try await write("announce", statement, after: known) { _ in "the row of replica '\(replica)'" }
    }

    package func keyEncryptionKeys(within window: Duration) async throws(LedgerFailure) -> [String: [String]] {
        let rows = try await all("announced-keys", [ReplicaSQL.keyEncryptionKeys(within: window)]) {
            reader throws(PostgresError) in
            (try reader.text(), try reader.text().split(separator: " ").map(String.init))
        }
        return Dictionary(rows, uniquingKeysWith: { $1 })
    }

    package func withdrawReport(of replica: String, after known: LedgerPosition?) async throws(LedgerFailure) {
        let statement = ReplicaSQL.withdraw(replica)
        try await write("withdraw-report", statement, after: known) { _ in "the report of replica '\(replica)'" }
    }

    package func rotations(_ query: RotationQuery) async throws(LedgerFailure) -> Page<AuthorityState.RotationEntry> {
        try await page("rotations", RotationSQL.select(query)) { reader throws(PostgresError) in
            try RotationSQL.read(&reader)
        }
    }

    package func rotation(_ id: String) async throws(LedgerFailure) -> AuthorityState.RotationEntry? {
        // No id of ours holds a NUL, and PostgreSQL's text cannot.
        guard !id.utf8.contains(0) else { return nil }
        return try await first("rotation", RotationSQL.select(id)) { reader throws(PostgresError) in
            try RotationSQL.read(&reader).1
        }
    }

    package func rotationEvents(of id: String) async throws(LedgerFailure) -> [RotationEvent] {
        guard !id.utf8.contains(0) else { return [] }
        return try await all("rotation-events", [RotationEventSQL.select(id)]) { reader throws(PostgresError) in
            try RotationEventSQL.read(&reader)
        }
    }

    package func lease(to holder: String, for duration: Duration) async throws(LedgerFailure) -> DriverLease? {
        let result = try await write("lease", DriverLeaseSQL.take(holder, for: duration)) { _ in "the lease of the driver" }
        guard let row = result.rows.first else { return nil }
        do throws(PostgresError) {
            var reader = RowReader(row)
            return DriverLease(holder: holder, fence: try reader.integer())
        } catch {
            throw LedgerFailure(error)
        }
    }

    package func endLease(_ lease: DriverLease) async throws(LedgerFailure) {
        try await write("end-lease", DriverLeaseSQL.end(lease)) { _ in "the lease of the driver" }
    }

    package func outstandingLeaves(
        in meshes: Set<MeshName>, issuer: IssuerID?, issuedBefore: Timestamp?, at now: Timestamp, limit: Int
    ) async throws(LedgerFailure) -> [OutstandingLeaf] {
        let statement = CertificateSQL.outstandingLeaves(
            in: meshes, issuer: issuer, issuedBefore: issuedBefore, at: now, limit: limit)
        return try await all("outstanding-leaves", [statement]) { reader throws(PostgresError) in
            try CertificateSQL.readOutstandingLeaf(&reader)
        }
    }

    package func reports(within window: Duration) async throws(LedgerFailure) -> [ReplicaReport] {
        // Asked again after a lost connection, the removal does no harm.
        try await all("reports", [ReplicaSQL.deleteOld(window: window), ReplicaSQL.select(within: window)]) {
            reader throws(PostgresError) in
            try ReplicaSQL.read(&reader)
        }
    }

    package func livingReplicas(within window: Duration) async throws(LedgerFailure) -> [String] {
        try await all("living-replicas", [ReplicaSQL.selectLiving(within: window)]) { reader throws(PostgresError) in
            try reader.text()
        }
    }

    package func replicaRows(
        livingWithin window: Duration, known: [String: Int64], besides own: String
    ) async throws(LedgerFailure) -> [ReplicaRow] {
        let statement = ReplicaSQL.selectRows(livingWithin: window, known: known, besides: own)
        return try await all("replica-rows", [ReplicaSQL.deleteOld(window: window), statement]) {
            reader throws(PostgresError) in
            try ReplicaSQL.readRow(&reader)
        }
    }

    /// The rows of the last of `statements`, which are one transaction.
    private func all<Value: Sendable>(
        _ operation: String, _ statements: [PostgresStatement],
        _ parse: @Sendable (inout RowReader) throws(PostgresError) -> Value
    ) async throws(LedgerFailure) -> [Value] {
        try await read(operation) {
            [$0] + statements
        } _: { results throws(PostgresError) in
            var values: [Value] = []
            for row in results[statements.count].rows {
                var reader = RowReader(row)
                values.append(try parse(&reader))
            }
            return values
        }
    }
}
