extension SchemaMigration {
    /// Version 10: what tells a ledger from another and from its own past, and what a replica may do while it is cut off.
    ///
    /// A replica of the previous release knows neither: it has no permit, and no journal to use one with.
    static let outage = SchemaMigration(
        version: 10, name: "outage",
        statements: [
            "SELECT set_config('lock_timeout', '2s', true)",
            // Every transaction updates this row first, and is told then whether the ledger is the one that it was meant for.
            """
            ALTER TABLE ledger_revision
                ADD COLUMN ledger_id text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
                ADD COLUMN epoch bigint NOT NULL DEFAULT 1 CHECK (epoch > 0)
            """,
            // From seen_at on: how long it may sign without the ledger, and how long a leaf may live that it signed so.
            """
            ALTER TABLE replica
                ADD COLUMN offline_signing_ms bigint NOT NULL DEFAULT 0 CHECK (offline_signing_ms >= 0),
                ADD COLUMN offline_reach_ms bigint NOT NULL DEFAULT 0 CHECK (offline_reach_ms >= 0)
            """,
        ])
}
