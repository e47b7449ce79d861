internal import AuthorityService
internal import PKI

/// The statements that make, find and drop the ledger's partitions.
///
/// Definitions take no parameters: what is put into their text are numbers of this program, and names that it made of dates.
enum PartitionSQL {
    /// Any number that other programs do not use: the bytes of "ledger".
    static let lockNumber: Int64 = 0x6C65_6467_6572

    /// One row: whether this transaction does the work. Held to its end, which a pooler in transaction mode carries too.
    static let tryLock = PostgresStatement("SELECT pg_try_advisory_xact_lock($1)", [.integer(lockNumber)])

    /// A table that is not free within a second is left for the next round: whoever records a certificate queues behind us.
    static let waitBriefly = PostgresStatement("SELECT set_config('lock_timeout', '1s', true)")

    /// (name, about how many rows, from, to) of each partition of leaves that has bounds, and of what was there before there were
    /// partitions, whose first bound is NULL. PostgreSQL has no other form of the bounds than their text.
    static let survey = PostgresStatement(
        #"""
        SELECT relname::text, reltuples::bigint, (regexp_match(bound, 'FROM \(''(-?\d+)''\)'))[1]::bigint,
            (regexp_match(bound, 'TO \(''(-?\d+)''\)'))[1]::bigint
        FROM (
            SELECT relname, reltuples, pg_get_expr(relpartbound, pg_class.oid) AS bound
            FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = to_regclass('certificate_leaf') OR relname = 'certificate_early' AND inhparent = to_regclass('certificate')
        ) AS partition
        WHERE bound <> 'DEFAULT'
        ORDER BY 3 NULLS FIRST
        """#)

    /// By the database's clock, in milliseconds.
    static let clock = PostgresStatement("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")

    /// The weeks whose names are eight digits: from 1970 to the year 9999.
    static let weeks = LedgerWeek(number: 0)...LedgerWeek(containing: Timestamp(seconds: 253_402_300_799 - 7 * 86_400))

    static func name(of week: LedgerWeek) -> String { "certificate_leaf_\(week.name)" }

    /// Makes the week, and takes over the leaves that were in none. The stray ones first, so that none is added meanwhile; readers
    /// wait for the commit, and see each leaf once.
    static func make(_ week: LedgerWeek) -> [PostgresStatement] {
        let (name, from, to) = (name(of: week), week.start.milliseconds, week.end.milliseconds)
        return [
            "LOCK TABLE certificate_stray IN ACCESS EXCLUSIVE MODE",
            "CREATE TABLE \(name) (LIKE certificate_leaf INCLUDING DEFAULTS)",
            """
            WITH moved AS (
                DELETE FROM certificate_stray WHERE not_after_ms >= \(from) AND not_after_ms < \(to) RETURNING *
            )
            INSERT INTO \(name) SELECT * FROM moved
            """,
            "CREATE UNIQUE INDEX \(name)_serial ON \(name) (serial)",
            "ALTER TABLE certificate_leaf ATTACH PARTITION \(name) FOR VALUES FROM (\(from)) TO (\(to))",
        ].map { PostgresStatement($0) }
    }

    static func drop(_ week: LedgerWeek) -> PostgresStatement { PostgresStatement("DROP TABLE \(name(of: week))") }

    /// When the last leaf ends of what was there before there were partitions. Reads all of it.
    static let endOfEarlyLeaves = PostgresStatement("SELECT max(not_after_ms) FROM certificate_early WHERE kind = 'leaf'")

    /// Drops what was there before there were partitions, but for the certificates of the service's own, some of which live for
    /// years. These are copied before anything is locked: nothing is written there any more.
    static func dropEarly(to bound: Int64) -> [PostgresStatement] {
        [
            "CREATE TABLE certificate_early_chain (LIKE certificate INCLUDING DEFAULTS)",
            "INSERT INTO certificate_early_chain SELECT * FROM certificate_early WHERE kind <> 'leaf'",
            "CREATE UNIQUE INDEX certificate_early_chain_serial ON certificate_early_chain (serial)",
            "CREATE INDEX certificate_early_chain_mesh ON certificate_early_chain (mesh, seq)",
            """
            ALTER TABLE certificate_early_chain ADD CONSTRAINT certificate_early_chain_era
                CHECK (issued_at_ms IS NOT NULL AND issued_at_ms < \(bound))
            """,
            "ALTER TABLE certificate DETACH PARTITION certificate_early",
            "ALTER TABLE certificate ATTACH PARTITION certificate_early_chain FOR VALUES FROM (MINVALUE) TO (\(bound))",
            "DROP TABLE certificate_early",
        ].map { PostgresStatement($0) }
    }

    /// Leaves that were in no week, and certificates of the service's own, of which a root stays as long as its issuer. Ten thousand at
    /// a time: a second's work.
    static func removeRows(endedBefore cutoff: Timestamp) -> [PostgresStatement] {
        [
            "DELETE FROM certificate_stray WHERE ctid = ANY (ARRAY(SELECT ctid FROM certificate_stray WHERE not_after_ms < $1 LIMIT 10000))",
            """
            DELETE FROM certificate_chain WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM certificate_chain AS ended
                WHERE not_after_ms < $1 AND NOT (kind = 'root' AND EXISTS (SELECT FROM issuer WHERE id = ended.issuer)) LIMIT 10000))
            """,
        ].map { PostgresStatement($0, [.integer(cutoff.milliseconds)]) }
    }

    static let countStrays = PostgresStatement("SELECT count(*) FROM (SELECT FROM certificate_stray LIMIT 10000) AS stray")
}
