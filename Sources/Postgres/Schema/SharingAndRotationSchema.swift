extension SchemaMigration {
    /// Version 3: certificate authorities that meshes share, moves between them, services by selector, and what replicas report.
    ///
    /// Each new column has a default, so that a replica of the previous release, which does not name it, still inserts rows.
    static let sharingAndRotation = SchemaMigration(
        version: 3, name: "sharing and rotation",
        statements: [
            // revision: as a mesh's.
            """
            ALTER TABLE certificate_authority
                ADD COLUMN origin text NOT NULL DEFAULT 'generated' CHECK (origin IN ('generated', 'provided')),
                ADD COLUMN rotates_automatically boolean NOT NULL DEFAULT true,
                ADD COLUMN retire_after text NOT NULL DEFAULT 'expired' CHECK (retire_after IN ('expired', 'reissued')),
                ADD COLUMN revision bigint NOT NULL DEFAULT 0,
                ADD COLUMN created_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint,
                ADD COLUMN modified_at_ms bigint NOT NULL DEFAULT (extract(epoch FROM now()) * 1000)::bigint
            """,
            "UPDATE certificate_authority SET revision = ledger_revision.revision FROM ledger_revision",
            "ALTER TABLE issuer ADD COLUMN key_fingerprint bytea",

            // node: the Envoy node whose stream a leaf was delivered on. The index is for whoever waits until no leaf of an
            // issuer is left in a mesh, and asks every second; without an issuer, certificate_expiry serves.
            "ALTER TABLE certificate ADD COLUMN node text",
            """
            CREATE INDEX certificate_issuer_expiry ON certificate (mesh, issuer, not_after_ms) WHERE kind = 'leaf'
            """,

            // The meshes that a user token's roles are limited to, as a JSON list; NULL: all.
            "ALTER TABLE token ADD COLUMN meshes jsonb",

            // One entry for each grant that tokens repeat: whoever looks for the distinct ones goes from each to the next, and
            // reads no more of a million tokens than there are grants. A digest, since an index row holds 2,700 bytes.
            """
            CREATE INDEX token_grant ON token (mesh, identity, md5(tags::text), expires_at_ms DESC)
                WHERE kind = 'dataplane' AND revoked_at_ms IS NULL AND mesh IS NOT NULL AND identity IS NOT NULL
            """,

            // meshes: as a JSON list, in the rotation's order. revision: as a mesh's. seq: the place in pages.
            """
            CREATE TABLE rotation (
                seq bigint GENERATED ALWAYS AS IDENTITY,
                id text CONSTRAINT rotation_pkey PRIMARY KEY,
                kind text NOT NULL,
                meshes jsonb NOT NULL,
                certificate_authority text NOT NULL,
                previous_authority text NOT NULL,
                from_issuer text NOT NULL,
                to_issuer text NOT NULL,
                phase text NOT NULL,
                phase_since_ms bigint NOT NULL,
                retire_after text NOT NULL,
                started_at_ms bigint NOT NULL,
                ended_at_ms bigint,
                revision bigint NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX rotation_seq ON rotation (seq)",
            "CREATE INDEX rotation_certificate_authority ON rotation (certificate_authority, seq)",
            "CREATE INDEX rotation_previous_authority ON rotation (previous_authority, seq)",
            "CREATE INDEX rotation_running ON rotation (seq) WHERE phase NOT IN ('aborted', 'completed')",
            // No reference to the mesh: that it exists is checked when a rotation is inserted, that none runs when a mesh is
            // deleted, and the rows of ended ones outlive it.
            """
            CREATE TABLE rotation_mesh (
                rotation text NOT NULL REFERENCES rotation (id) ON DELETE CASCADE,
                mesh text NOT NULL,
                is_running boolean NOT NULL,
                PRIMARY KEY (rotation, mesh)
            )
            """,
            "CREATE UNIQUE INDEX rotation_mesh_one_running ON rotation_mesh (mesh) WHERE is_running",
            "CREATE INDEX rotation_mesh_mesh ON rotation_mesh (mesh)",

            // seen_at by the database's clock, the one that all replicas share. report: JSON as text and not jsonb, so that a
            // heartbeat moves nothing of the 640 KB that 10,000 proxies are; NULL until the first.
            """
            CREATE TABLE replica (
                name text PRIMARY KEY,
                seen_at timestamptz NOT NULL,
                report text
            )
            """,

            // selector: the tags as one JSON object. document: the MeshService's own text. revision: as a mesh's.
            """
            CREATE TABLE mesh_service (
                mesh text NOT NULL CONSTRAINT mesh_service_mesh_fkey REFERENCES mesh (name) ON DELETE CASCADE
                    DEFERRABLE INITIALLY DEFERRED,
                name text NOT NULL,
                selector jsonb NOT NULL,
                document text NOT NULL,
                revision bigint NOT NULL,
                created_at_ms bigint NOT NULL,
                modified_at_ms bigint NOT NULL,
                CONSTRAINT mesh_service_pkey PRIMARY KEY (mesh, name)
            )
            """,

            // Pages of meshes are in the order of the names' bytes, whatever the database's collation.
            #"CREATE INDEX mesh_name_bytes ON mesh (name COLLATE "C")"#,
        ])
}
