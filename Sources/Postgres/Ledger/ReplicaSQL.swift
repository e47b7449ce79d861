internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of what replicas report. Every time among them is the database's, the one clock that all replicas share.
enum ReplicaSQL {
    /// How long the row of a replica is kept that does not live: one that comes back the same day finds its report as it was.
    private static let kept = Duration.seconds(86_400)

    /// Says that the replica lives, with its permit: a row that was lost comes back with all that others wait by. Without a report,
    /// the one before stays as it is, and is not written again.
    static func report(
        _ report: ReplicaReport?, _ permit: OfflinePermit, of replica: String
    ) throws(PostgresError) -> PostgresStatement {
        guard let report else { return self.permit(permit, of: replica) }
        var statement = self.permit(permit, of: replica)
        statement.sql = """
            INSERT INTO replica (name, seen_at, offline_signing_ms, offline_reach_ms, report)
            VALUES ($1, clock_timestamp(), $2, $3, $4)
            ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, offline_signing_ms = excluded.offline_signing_ms,
                offline_reach_ms = excluded.offline_reach_ms, report = excluded.report
            """
        statement.parameters.append(.text(try JSONText.write(report)))
        return statement
    }

    /// It lives, and may do so much without the ledger.
    static func permit(_ permit: OfflinePermit, of replica: String) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO replica (name, seen_at, offline_signing_ms, offline_reach_ms) VALUES ($1, clock_timestamp(), $2, $3)
            ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, offline_signing_ms = excluded.offline_signing_ms,
                offline_reach_ms = excluded.offline_reach_ms
            """, [name(replica), .integer(permit.signing.wholeMilliseconds), .integer(permit.reach.wholeMilliseconds)])
    }

    /// What an absence is reckoned from: the database's times, in milliseconds.
    private static let absenceColumns = """
        offline_signing_ms, offline_reach_ms, (extract(epoch FROM seen_at) * 1000)::bigint,
            (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        """

    private static func readAbsence(_ reader: inout RowReader) throws(PostgresError) -> ReplicaAbsence? {
        let permit = OfflinePermit(
            signing: .milliseconds(try reader.integer()), reach: .milliseconds(try reader.integer()))
        let seenAt = Timestamp(milliseconds: try reader.integer())
        return ReplicaAbsence(permit: permit, seenAt: seenAt, now: Timestamp(milliseconds: try reader.integer()))
    }

    /// With a window of as long as rows are kept, all that there are.
    static func select(within window: Duration) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT name, report, \(absenceColumns) FROM replica
            WHERE seen_at > clock_timestamp() - $1 * interval '1 millisecond'
                OR ($1 >= $2 AND seen_at + offline_reach_ms * interval '1 millisecond' > clock_timestamp())
            ORDER BY name COLLATE "C"
            """, [.integer(window.wholeMilliseconds), .integer(kept.wholeMilliseconds)])
    }

    static func selectLiving(within window: Duration) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT name FROM replica WHERE seen_at > clock_timestamp() - $1 * interval '1 millisecond'
            ORDER BY name COLLATE "C"
            """, [.integer(window.wholeMilliseconds)])
    }

    /// `known`: editions by name. The edition is the row version's transaction: another one after every write, whichever release
    /// wrote, and there is no column that one of them could forget to change.
    static func selectRows(livingWithin window: Duration, known: [String: Int64], besides own: String) -> PostgresStatement {
        let names = known.keys.sorted()
        return PostgresStatement(
            """
            SELECT name, is_living, edition, is_left_out, CASE WHEN is_left_out THEN NULL ELSE report END, \(absenceColumns)
            FROM (
                SELECT name, seen_at, offline_signing_ms, offline_reach_ms,
                    seen_at > clock_timestamp() - $1 * interval '1 millisecond' AS is_living,
                    replica.xmin::text::bigint AS edition, report,
                    name = $2 OR EXISTS (
                        SELECT FROM unnest($3::text[], $4::bigint[]) AS known (replica_name, known_edition)
                        WHERE replica_name = name AND known_edition = replica.xmin::text::bigint
                    ) AS is_left_out
                FROM replica
            ) AS replica_row
            ORDER BY name COLLATE "C"
            """,
            [
                .integer(window.wholeMilliseconds), name(own), .textArray(names.map { StorableText.replacingNUL($0) }),
                .integerArray(names.compactMap { known[$0] }),
            ])
    }

    static func announce(_ ids: [String], of replica: String) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO replica (name, seen_at, kek_ids) VALUES ($1, clock_timestamp(), $2)
            ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, kek_ids = excluded.kek_ids
            """, [name(replica), .text(ids.joined(separator: " "))])
    }

    static func keyEncryptionKeys(within window: Duration) -> PostgresStatement {
        PostgresStatement(
            "SELECT name, kek_ids FROM replica WHERE seen_at > clock_timestamp() - $1 * interval '1 millisecond'",
            [.integer(window.wholeMilliseconds)])
    }

    static func deleteOld(window: Duration) -> PostgresStatement {
        PostgresStatement(
            """
            DELETE FROM replica WHERE seen_at < clock_timestamp() - $1 * interval '1 millisecond'
                AND seen_at + offline_reach_ms * interval '1 millisecond' < clock_timestamp()
            """,
            [.integer(max(window, kept).wholeMilliseconds)])
    }

    /// Nothing unknown is left of it, and an hour ago it was last seen: out of every window in which a replica counts as living, and
    /// within the day that its report is kept.
    static func withdraw(_ replica: String) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE replica SET seen_at = least(seen_at, clock_timestamp() - interval '1 hour'), offline_signing_ms = 0,
                offline_reach_ms = 0
            WHERE name = $1
            """,
            [name(replica)])
    }

    /// One that lives and has reported nothing yet counts as one that serves nothing yet: a gate must wait for it.
    static func read(_ reader: inout RowReader) throws(PostgresError) -> ReplicaReport {
        let name = try reader.text()
        let text = try reader.optionalText()
        var report =
            if let text { try JSONText.read(ReplicaReport.self, text) } else {
                ReplicaReport(replica: name, revision: 0, rotations: [:])
            }
        report.absence = try readAbsence(&reader)
        return report
    }

    static func readRow(_ reader: inout RowReader) throws(PostgresError) -> ReplicaRow {
        let name = try reader.text()
        var row = ReplicaRow(
            replica: name, isLiving: try reader.boolean(), edition: try reader.integer(), report: nil)
        let isLeftOut = try reader.boolean()
        let report = try reader.optionalText()
        let absence = try readAbsence(&reader)
        // Of one that lives another is heard tomorrow; it would only make the row another one.
        if !row.isLiving { row.absence = absence }
        guard !isLeftOut else { return row }
        row.report =
            if let report { try JSONText.read(ReplicaReport.self, report) } else {
                ReplicaReport(replica: name, revision: 0, rotations: [:])
            }
        return row
    }

    private static func name(_ replica: String) -> PostgresValue { .text(StorableText.replacingNUL(replica)) }
}
