extension SchemaMigration {
    /// Version 2: the doors between meshes.
    static let crossMeshAccess = SchemaMigration(
        version: 2, name: "cross mesh access",
        statements: [
            // document: the CrossMeshAccess as JSON. revision: as a mesh's. A mesh that a door names cannot be deleted; that is
            // checked at the end of the transaction, as every reference is.
            """
            CREATE TABLE cross_mesh_access (
                name text PRIMARY KEY,
                from_mesh text NOT NULL CONSTRAINT cross_mesh_access_from_mesh_fkey REFERENCES mesh (name)
                    DEFERRABLE INITIALLY DEFERRED,
                to_mesh text NOT NULL CONSTRAINT cross_mesh_access_to_mesh_fkey REFERENCES mesh (name)
                    DEFERRABLE INITIALLY DEFERRED,
                document jsonb NOT NULL,
                revision bigint NOT NULL,
                created_at_ms bigint NOT NULL,
                modified_at_ms bigint NOT NULL
            )
            """,
            "CREATE INDEX cross_mesh_access_from_mesh ON cross_mesh_access (from_mesh)",
            "CREATE INDEX cross_mesh_access_to_mesh ON cross_mesh_access (to_mesh)",
        ])
}
