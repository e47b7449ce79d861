extension SchemaMigration {
    /// Version 4: a certificate authority's root is replaced or revoked, what happened meanwhile, and who drives.
    ///
    /// Each new column has a default, so that a replica of the previous release, which does not name it, still inserts rows. The
    /// checks refuse what no release writes: a row that was edited by hand into nonsense.
    static let replacement = SchemaMigration(
        version: 4, name: "replacement",
        statements: [
            // A cross certificate is of a certificate authority's own next root: one for a mesh that moves would hand the meshes
            // of the other certificate authority over.
            """
            ALTER TABLE rotation
                ADD COLUMN trigger text NOT NULL DEFAULT 'operator',
                ADD COLUMN is_manual boolean NOT NULL DEFAULT false,
                ADD COLUMN is_paused boolean NOT NULL DEFAULT false,
                ADD COLUMN cross_certificate bytea,
                ADD COLUMN cross_not_before_ms bigint,
                ADD COLUMN cross_not_after_ms bigint,
                ADD CONSTRAINT rotation_kind_check CHECK (kind IN ('move', 'replace', 'revoke')),
                ADD CONSTRAINT rotation_trigger_check CHECK (trigger IN ('operator', 'schedule')),
                ADD CONSTRAINT rotation_phase_check CHECK (phase IN
                    ('aborted', 'completed', 'distributing', 'issuing', 'reverting', 'withdrawing')),
                ADD CONSTRAINT rotation_end_check CHECK ((ended_at_ms IS NOT NULL) = (phase IN ('aborted', 'completed'))),
                ADD CONSTRAINT rotation_retire_after_check CHECK (retire_after IN ('expired', 'reissued')),
                ADD CONSTRAINT rotation_meshes_check CHECK (jsonb_typeof(meshes) = 'array'),
                ADD CONSTRAINT rotation_issuers_check CHECK (
                    from_issuer ~ '^[0-9a-f]{16}$' AND to_issuer ~ '^[0-9a-f]{16}$'
                    AND (kind = 'revoke' OR from_issuer <> to_issuer)),
                ADD CONSTRAINT rotation_cross_certificate_check CHECK (
                    num_nonnulls(cross_certificate, cross_not_before_ms, cross_not_after_ms) = 0
                    OR num_nonnulls(cross_certificate, cross_not_before_ms, cross_not_after_ms) = 3 AND kind = 'replace'
                        AND length(cross_certificate) > 0 AND cross_not_before_ms < cross_not_after_ms)
            """,
            // Of many that begin one at once, exactly one does; a mesh's own index cannot say so where nobody uses the
            // certificate authority.
            """
            CREATE UNIQUE INDEX rotation_one_replacement ON rotation (certificate_authority)
                WHERE kind <> 'move' AND phase NOT IN ('aborted', 'completed')
            """,
            "ALTER TABLE certificate_authority ADD COLUMN is_automatic_held boolean NOT NULL DEFAULT false",
            "ALTER TABLE issuer ADD COLUMN revoked_at_ms bigint",

            // seq: the order of the transactions, which are serial.
            """
            CREATE TABLE rotation_event (
                seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                rotation text NOT NULL CONSTRAINT rotation_event_rotation_fkey REFERENCES rotation (id) ON DELETE CASCADE
                    DEFERRABLE INITIALLY DEFERRED,
                event text NOT NULL,
                at_ms bigint NOT NULL,
                actor text NOT NULL,
                detail text NOT NULL
            )
            """,
            "CREATE INDEX rotation_event_rotation ON rotation_event (rotation, seq)",

            // The one row, once a replica has driven. expires_at by the database's clock. A row and not an advisory lock: that
            // would belong to a session, which a pooler in transaction mode does not give, and would tell a stalled holder
            // nothing of its loss.
            """
            CREATE TABLE driver_lease (
                id boolean PRIMARY KEY DEFAULT true CHECK (id),
                holder text NOT NULL,
                fence bigint NOT NULL CHECK (fence > 0),
                expires_at timestamptz NOT NULL
            )
            """,
        ])
}
