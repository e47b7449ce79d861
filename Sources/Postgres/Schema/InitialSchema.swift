extension SchemaMigration {
    /// Version 1. Times are milliseconds since the Unix epoch in columns that end in `_ms`, exact as `Timestamp` is.
    ///
    /// References that cross rows of one transaction are checked at its end, so that the order of its writes is free.
    static let initialSchema = SchemaMigration(
        version: 1, name: "initial schema",
        statements: [
            // The one row that every transaction updates first: it numbers the transactions and makes them serial.
            """
            CREATE TABLE ledger_revision (
                only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                revision bigint NOT NULL
            )
            """,
            "INSERT INTO ledger_revision (revision) VALUES (0)",

            // A trust domain outlives its mesh, until everything that was issued for it has expired.
            """
            CREATE TABLE trust_domain (
                name text PRIMARY KEY,
                mesh text NOT NULL,
                free_at_ms bigint
            )
            """,
            // document: the Mesh as JSON. revision: the ledger revision of the last change, so that a mesh that was deleted
            // and made again never repeats one.
            """
            CREATE TABLE mesh (
                name text PRIMARY KEY,
                trust_domain text NOT NULL CONSTRAINT mesh_trust_domain_key UNIQUE REFERENCES trust_domain (name),
                document jsonb NOT NULL,
                revision bigint NOT NULL,
                created_at_ms bigint NOT NULL,
                modified_at_ms bigint NOT NULL
            )
            """,
            """
            CREATE TABLE certificate_authority (
                name text PRIMARY KEY,
                key_algorithm text NOT NULL,
                expiration_ms bigint NOT NULL,
                owner text
            )
            """,
            """
            CREATE TABLE issuer (
                id text PRIMARY KEY,
                certificate_authority text NOT NULL
                    CONSTRAINT issuer_certificate_authority_fkey REFERENCES certificate_authority (name)
                    DEFERRABLE INITIALLY DEFERRED,
                certificate bytea NOT NULL,
                serial bytea NOT NULL,
                fingerprint bytea NOT NULL,
                not_before_ms bigint NOT NULL,
                not_after_ms bigint NOT NULL
            )
            """,
            "CREATE INDEX issuer_certificate_authority ON issuer (certificate_authority)",
            // Sealed: worth nothing without the key-encryption key, which is never here.
            """
            CREATE TABLE issuer_key (
                issuer text PRIMARY KEY REFERENCES issuer (id) ON DELETE CASCADE,
                kek_id text NOT NULL,
                wrapped_data_key bytea NOT NULL,
                ciphertext bytea NOT NULL
            )
            """,
            """
            CREATE TABLE mesh_issuer (
                mesh text NOT NULL CONSTRAINT mesh_issuer_mesh_fkey REFERENCES mesh (name) ON DELETE CASCADE
                    DEFERRABLE INITIALLY DEFERRED,
                issuer text NOT NULL CONSTRAINT mesh_issuer_issuer_fkey REFERENCES issuer (id)
                    DEFERRABLE INITIALLY DEFERRED,
                state text NOT NULL CHECK (state IN ('active', 'outgoing', 'prepared', 'retired', 'revoked')),
                PRIMARY KEY (mesh, issuer)
            )
            """,
            "CREATE UNIQUE INDEX mesh_issuer_one_active ON mesh_issuer (mesh) WHERE state = 'active'",
            "CREATE INDEX mesh_issuer_issuer ON mesh_issuer (issuer)",

            // The issuance ledger: append-only, and the one table that grows without end. No foreign keys: rows outlive what
            // they speak of, and the insert is the hot path. To partition it, by range of issued_at_ms: attach this table as
            // the first partition, and move the uniqueness of serials, which must hold across partitions, into a narrow
            // table of its own that the same INSERT fills.
            """
            CREATE TABLE certificate (
                seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT certificate_pkey PRIMARY KEY,
                serial bytea NOT NULL CONSTRAINT certificate_serial_key UNIQUE,
                kind text NOT NULL,
                mesh text,
                certificate_authority text NOT NULL,
                issuer text NOT NULL,
                signed_by bytea NOT NULL,
                identity text,
                not_before_ms bigint NOT NULL,
                not_after_ms bigint NOT NULL,
                digest bytea NOT NULL,
                issued_at_ms bigint NOT NULL,
                token_id text,
                proxy text,
                tags jsonb
            )
            """,
            // Pages of a mesh, pages of an identity, and the earliest and latest end of a mesh's certificates.
            "CREATE INDEX certificate_mesh ON certificate (mesh, seq)",
            "CREATE INDEX certificate_identity ON certificate (identity, seq) WHERE identity IS NOT NULL",
            "CREATE INDEX certificate_expiry ON certificate (mesh, not_after_ms) WHERE kind IN ('issuing', 'leaf')",

            """
            CREATE TABLE token (
                seq bigint GENERATED ALWAYS AS IDENTITY,
                id text PRIMARY KEY,
                kind text NOT NULL,
                mesh text,
                name text NOT NULL,
                tags jsonb NOT NULL,
                roles jsonb NOT NULL,
                identity text,
                digest bytea NOT NULL,
                issued_at_ms bigint NOT NULL,
                expires_at_ms bigint NOT NULL,
                revoked_at_ms bigint
            )
            """,
            "CREATE UNIQUE INDEX token_seq ON token (seq)",
            "CREATE INDEX token_mesh ON token (mesh, seq)",
            "CREATE INDEX token_revoked ON token (expires_at_ms) WHERE revoked_at_ms IS NOT NULL",
            """
            CREATE TABLE token_signing_key (
                id text PRIMARY KEY,
                mesh text CONSTRAINT token_signing_key_mesh_fkey REFERENCES mesh (name) ON DELETE CASCADE
                    DEFERRABLE INITIALLY DEFERRED,
                public_key bytea NOT NULL,
                kek_id text NOT NULL,
                wrapped_data_key bytea NOT NULL,
                ciphertext bytea NOT NULL,
                created_at_ms bigint NOT NULL,
                ends_at_ms bigint
            )
            """,
            """
            CREATE TABLE service_key (
                name text PRIMARY KEY,
                kek_id text NOT NULL,
                wrapped_data_key bytea NOT NULL,
                ciphertext bytea NOT NULL
            )
            """,
            "CREATE TABLE revoked_identity (identity text PRIMARY KEY, revoked_at_ms bigint NOT NULL)",

            """
            CREATE TABLE audit (
                seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                at_ms bigint NOT NULL,
                actor text NOT NULL,
                source text NOT NULL,
                action text NOT NULL,
                mesh text,
                object text NOT NULL,
                details jsonb NOT NULL,
                request_id text NOT NULL
            )
            """,
            "CREATE INDEX audit_mesh ON audit (mesh, seq)",
        ])
}
