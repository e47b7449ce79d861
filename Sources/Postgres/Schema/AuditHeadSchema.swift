extension SchemaMigration {
    /// Version 11: the head of the audit trail stays, and an index goes that nothing asks any more.
    ///
    /// A replica of the previous release does neither of what the trigger refuses. It pages meshes by the index, and sorts them
    /// without it: some thousands of rows. The table of meshes comes first, in the order in which every transaction takes the
    /// two, so that no two wait for each other.
    static let auditHead = SchemaMigration(
        version: 11, name: "audit head",
        statements: [
            "SELECT set_config('lock_timeout', '2s', true)",
            "DROP INDEX IF EXISTS mesh_name_bytes",
            // Without its row nothing can be recorded, nor changed. A database may have it already, from an unreleased step.
            "DROP TRIGGER IF EXISTS audit_head_stays ON audit_head",
            """
            CREATE TRIGGER audit_head_stays BEFORE DELETE OR TRUNCATE ON audit_head
                FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
            """,
        ])
}
