extension SchemaMigration {
    /// Version 8: root keys in tokens, and which replica opens what is sealed under which key-encryption key.
    ///
    /// A replica of the previous release reads such a root as one that is sealed under a key which it has not: it serves its
    /// bundles, and leaves the signing to others.
    static let keyCustody = SchemaMigration(
        version: 8, name: "key custody",
        statements: [
            "SELECT set_config('lock_timeout', '2s', true)",
            // The TokenLocation as JSON; NULL: the keys are in this database.
            "ALTER TABLE certificate_authority ADD COLUMN key_store jsonb",
            // The TokenKeyReference as JSON: then there is nothing sealed, and the other columns say so.
            """
            ALTER TABLE issuer_key ADD COLUMN token_key jsonb,
                ADD CONSTRAINT issuer_key_one_place CHECK (
                    (token_key IS NOT NULL) = (kek_id = 'pkcs11')
                    AND (token_key IS NULL OR length(wrapped_data_key) + length(ciphertext) = 0))
            """,
            // Ids of key-encryption keys with blanks between them.
            "ALTER TABLE replica ADD COLUMN kek_ids text NOT NULL DEFAULT ''",
        ])
}
