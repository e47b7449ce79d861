extension SchemaMigration {
    /// Version 5: says of a ledger that has rows how far its old table will reach.
    ///
    /// The three steps to the partitioned ledger hold the table for milliseconds each, however long it is: this one promises, the
    /// next proves while certificates go on being recorded, and the last puts the table as it stands under its new parent. The
    /// promise is a day wide, or as wide as the furthest clock that wrote a row: by then the last step must have been run, or
    /// replicas of the release before are refused their records.
    static let ledgerBound = SchemaMigration(
        version: 5, name: "bound of the unpartitioned ledger",
        statements: [
            waitBriefly,
            """
            DO $$
            DECLARE bound bigint;
            BEGIN
                SELECT greatest(max(issued_at_ms), (extract(epoch FROM clock_timestamp()) * 1000)::bigint) + 86400000 INTO bound
                    FROM certificate HAVING count(*) > 0;
                IF bound IS NOT NULL THEN
                    EXECUTE format(
                        'ALTER TABLE certificate ADD CONSTRAINT certificate_era CHECK (issued_at_ms < %s) NOT VALID', bound);
                END IF;
            END $$
            """,
        ])

    /// Version 6: proves the bound. Reads every row, in the way of no other statement on rows.
    static let ledgerBoundProof = SchemaMigration(
        version: 6, name: "proof of the bound",
        statements: [
            waitBriefly,
            """
            DO $$
            BEGIN
                IF EXISTS (
                    SELECT FROM pg_constraint WHERE conrelid = 'certificate'::regclass AND conname = 'certificate_era'
                ) THEN
                    ALTER TABLE certificate VALIDATE CONSTRAINT certificate_era;
                END IF;
            END $$
            """,
        ])

    /// Version 7: the ledger in partitions, so that its past costs nothing and goes without a trace.
    ///
    ///     certificate                  by issued_at_ms, once: what was there before, and the rest
    ///     ├── certificate_early        the unpartitioned ledger with its indexes, if it had rows
    ///     └── certificate_current      by kind
    ///         ├── certificate_chain    roots, issuing and cross certificates: few, and some live for years
    ///         └── certificate_leaf     by not_after_ms
    ///             ├── certificate_leaf_20261119, …    a week each, made ahead by the service
    ///             └── certificate_stray               what ends in no week that was made: a record is never refused for that
    ///
    /// By the end of life, since every question that is asked again and again is about leaves that have not ended: they are in two
    /// or three partitions, and the others are not even opened. And since what ended together goes together. A week: sixteen
    /// partitions with the default retention, sixty-six at most, where a day would make four hundred for leaves that live a year.
    ///
    /// A serial is unique within its week, by an index on it alone. Across weeks it is so by 135 random bits: among 10^10
    /// certificates two are alike with a probability below 10^-20. What the index is for, the same record written twice and two
    /// replicas whose random numbers repeat each other's, ends in the same week. PostgreSQL would check it across weeks only
    /// with the end in the key, which would let the second case pass, or in a second table, which would double the writes.
    ///
    /// The statements of the release before work on all this as they are. It has no index for the weeks by mesh or identity, and
    /// does not miss it: as long as it may run beside this release, what it asks for is in the old table, with the old indexes.
    static let partitionedLedger = SchemaMigration(
        version: 7, name: "partitioned ledger",
        statements: [
            waitBriefly,
            "LOCK TABLE certificate IN ACCESS EXCLUSIVE MODE",
            "ALTER TABLE certificate RENAME TO certificate_early",
            // Not an identity column: rows are moved between partitions, and those have none.
            "CREATE SEQUENCE certificate_row",
            """
            SELECT setval('certificate_row', nextval(pg_get_serial_sequence('certificate_early', 'seq')), false)
            """,
            "ALTER TABLE certificate_early ALTER COLUMN seq DROP IDENTITY",
            "ALTER TABLE certificate_early ALTER COLUMN seq SET DEFAULT nextval('certificate_row')",
            "CREATE TABLE certificate (LIKE certificate_early INCLUDING DEFAULTS) PARTITION BY RANGE (issued_at_ms)",
            "CREATE TABLE certificate_current (LIKE certificate INCLUDING DEFAULTS) PARTITION BY LIST (kind)",
            "CREATE TABLE certificate_chain (LIKE certificate INCLUDING DEFAULTS)",
            "CREATE TABLE certificate_leaf (LIKE certificate INCLUDING DEFAULTS) PARTITION BY RANGE (not_after_ms)",
            "CREATE TABLE certificate_stray (LIKE certificate INCLUDING DEFAULTS)",

            "CREATE UNIQUE INDEX certificate_chain_serial ON certificate_chain (serial)",
            "CREATE INDEX certificate_chain_mesh ON certificate_chain (mesh, seq)",
            "CREATE INDEX certificate_chain_expiry ON certificate_chain (mesh, not_after_ms)",

            // Four indexes on what is written by the thousand each second; each costs PostgreSQL a tenth of the whole. Pages of a
            // mesh; pages of an identity; and who holds a leaf of an issuer, which without an issuer goes from each to the next.
            // And the serial, in each week. By digests: entries are half as large, and two numbers are compared in no time, where
            // names cost a fifth of the insert as soon as there are many meshes, each with an end of its own in the index.
            "CREATE INDEX certificate_leaf_mesh ON certificate_leaf (hashtextextended(mesh, 0), seq)",
            "CREATE INDEX certificate_leaf_identity ON certificate_leaf (hashtextextended(identity, 0), seq)",
            """
            CREATE INDEX certificate_leaf_expiry
                ON certificate_leaf (hashtextextended(mesh, 0), hashtextextended(issuer, 0), not_after_ms)
            """,
            "CREATE UNIQUE INDEX certificate_stray_serial ON certificate_stray (serial)",

            "ALTER TABLE certificate_leaf ATTACH PARTITION certificate_stray DEFAULT",
            "ALTER TABLE certificate_current ATTACH PARTITION certificate_leaf FOR VALUES IN ('leaf')",
            "ALTER TABLE certificate_current ATTACH PARTITION certificate_chain DEFAULT",
            // Rows that came between the steps into a table that had none: few enough to be looked through here.
            """
            DO $$
            DECLARE bound bigint;
            BEGIN
                SELECT substring(pg_get_constraintdef(oid) FROM '[0-9]{10,}')::bigint INTO bound FROM pg_constraint
                    WHERE conrelid = 'certificate_early'::regclass AND conname = 'certificate_era';
                IF bound IS NULL THEN
                    SELECT max(issued_at_ms) + 1 INTO bound FROM certificate_early;
                END IF;
                IF bound IS NULL THEN
                    DROP TABLE certificate_early;
                    ALTER TABLE certificate ATTACH PARTITION certificate_current FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
                ELSE
                    EXECUTE format('ALTER TABLE certificate ATTACH PARTITION certificate_early FOR VALUES FROM (MINVALUE) TO (%s)',
                        bound);
                    EXECUTE format('ALTER TABLE certificate ATTACH PARTITION certificate_current FOR VALUES FROM (%s) TO (MAXVALUE)',
                        bound);
                END IF;
            END $$
            """,
            // Five weeks, until a service of this release makes its own.
            """
            DO $$
            DECLARE
                length constant bigint := 604800000;
                first constant bigint := (extract(epoch FROM clock_timestamp()) * 1000)::bigint / length;
                week text;
            BEGIN
                FOR number IN first .. first + 4 LOOP
                    week := 'certificate_leaf_' || to_char(to_timestamp(number * length / 1000) AT TIME ZONE 'UTC', 'YYYYMMDD');
                    EXECUTE format('CREATE TABLE %I PARTITION OF certificate_leaf FOR VALUES FROM (%s) TO (%s)',
                        week, number * length, (number + 1) * length);
                    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (serial)', week || '_serial', week);
                END LOOP;
            END $$
            """,
        ])

    /// A lock that is not given within two seconds is given up: whoever records a certificate queues behind it.
    private static let waitBriefly = "SELECT set_config('lock_timeout', '2s', true)"
}
