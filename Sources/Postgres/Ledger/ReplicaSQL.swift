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

    private static func name(_ replica: String) -> PostgresValue { .text(StorableText.replacingNUL(replica)) }
}
