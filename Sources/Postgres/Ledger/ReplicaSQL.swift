internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of what replicas report. Every time among them is the database's, the one clock that all replicas share.
enum ReplicaSQL {
    /// How long the row of a replica is kept that does not live: one that comes back the same day finds its report as it was.
    private static let kept = Duration.seconds(86_400)

    /// Says that the replica lives; without a report, the one before stays as it is, and is not written again.
    static func report(_ report: ReplicaReport?, of replica: String) throws(PostgresError) -> PostgresStatement {
        guard let report else {
            return PostgresStatement(
                """
                INSERT INTO replica (name, seen_at) VALUES ($1, clock_timestamp())
                ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at
                """, [name(replica)])
        }
        return PostgresStatement(
            """
            INSERT INTO replica (name, seen_at, report) VALUES ($1, clock_timestamp(), $2)
            ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, report = excluded.report
            """, [name(replica), .text(try JSONText.write(report))])
    }

    static func select(within window: Duration) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT name, report FROM replica WHERE seen_at > clock_timestamp() - $1 * interval '1 millisecond'
            ORDER BY name COLLATE "C"
            """, [.integer(window.wholeMilliseconds)])
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
            SELECT name, is_living, edition, is_left_out, CASE WHEN is_left_out THEN NULL ELSE report END
            FROM (
                SELECT name, seen_at > clock_timestamp() - $1 * interval '1 millisecond' AS is_living,
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
            "DELETE FROM replica WHERE seen_at < clock_timestamp() - $1 * interval '1 millisecond'",
            [.integer(max(window, kept).wholeMilliseconds)])
    }

    /// An hour ago it was last seen: out of every window in which a replica counts as living, and within the day that its report
    /// is kept.
    static func withdraw(_ replica: String) -> PostgresStatement {
        PostgresStatement(
            "UPDATE replica SET seen_at = least(seen_at, clock_timestamp() - interval '1 hour') WHERE name = $1",
            [name(replica)])
    }

    /// One that lives and has reported nothing yet counts as one that serves nothing yet: a gate must wait for it.
    static func read(_ reader: inout RowReader) throws(PostgresError) -> ReplicaReport {
        let name = try reader.text()
        guard let report = try reader.optionalText() else {
            return ReplicaReport(replica: name, revision: 0, rotations: [:])
        }
        return try JSONText.read(ReplicaReport.self, report)
    }

    static func readRow(_ reader: inout RowReader) throws(PostgresError) -> ReplicaRow {
        let name = try reader.text()
        var row = ReplicaRow(
            replica: name, isLiving: try reader.boolean(), edition: try reader.integer(), report: nil)
        let isLeftOut = try reader.boolean()
        let report = try reader.optionalText()
        guard !isLeftOut else { return row }
        row.report =
            if let report { try JSONText.read(ReplicaReport.self, report) } else {
                ReplicaReport(replica: name, revision: 0, rotations: [:])
            }
        return row
    }

    private static func name(_ replica: String) -> PostgresValue { .text(StorableText.replacingNUL(replica)) }
}
