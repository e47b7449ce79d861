package import AuthorityService
package import PKI

/// Certificates by their serial and their end: asked of the table of the one week in which each must be.
///
/// To plan a statement over all partitions costs PostgreSQL more than to find the row, and nothing is prepared, for a pooler in
/// transaction mode may stand between. Only what is not in its week is looked for everywhere: recorded before there were weeks, or
/// when its own was not made yet, or a certificate of the service's own. Whoever holds a leaf of ours is in its week.
extension PostgresLedger {
    package func certificate(
        _ serial: SerialNumber, notAfter: Timestamp?
    ) async throws(LedgerFailure) -> CertificateRecord? {
        guard let notAfter else {
            return try await first("certificate", CertificateSQL.select(serial)) { reader throws(PostgresError) in
                try CertificateSQL.read(&reader).1
            }
        }
        let place = LedgerPlace(serial: serial, notAfter: notAfter)
        return try await certificates([place])[place]
    }

    package func certificates(
        _ places: Set<LedgerPlace>
    ) async throws(LedgerFailure) -> [LedgerPlace: CertificateRecord] {
        guard !places.isEmpty else { return [:] }
        return try await timed("certificate") { () async throws(LedgerFailure) in
            do throws(PostgresError) {
                var records = try await recordsInTheirWeeks(places)
                let missing = places.filter { records[$0] == nil }
                if !missing.isEmpty {
                    let everywhere = CertificateSQL.select(Array(missing), from: "certificate")
                    try PostgresLedger.read(try await answers(to: [limit, everywhere]), into: &records)
                }
                return records
            } catch {
                throw LedgerFailure(withoutEffect: error)
            }
        }
    }

    private func recordsInTheirWeeks(
        _ places: Set<LedgerPlace>
    ) async throws(PostgresError) -> [LedgerPlace: CertificateRecord] {
        let weeks = Dictionary(grouping: places) { LedgerWeek(containing: $0.notAfter) }
            .filter { PartitionSQL.weeks.contains($0.key) }
        guard !weeks.isEmpty else { return [:] }
        var records: [LedgerPlace: CertificateRecord] = [:]
        do throws(PostgresError) {
            let statements = weeks.map { CertificateSQL.select($0.value, from: PartitionSQL.name(of: $0.key)) }
            try PostgresLedger.read(try await answers(to: [limit] + statements), into: &records)
        } catch {
            // undefined_table: one of the weeks is not made yet, or was dropped. Then all of them are asked everywhere.
            guard case .server(let report) = error, report.sqlState == "42P01" else { throw error }
        }
        return records
    }

    /// The first result is that of the limit.
    private static func read(
        _ results: [PostgresResult], into records: inout [LedgerPlace: CertificateRecord]
    ) throws(PostgresError) {
        for result in results.dropFirst() {
            for row in result.rows {
                var reader = RowReader(row)
                let record = try CertificateSQL.read(&reader).1
                records[LedgerPlace(serial: record.serial, notAfter: record.notAfter)] = record
            }
        }
    }
}
