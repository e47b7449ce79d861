internal import Authority
internal import AuthorityService
internal import PKI

/// The meshes' rows as entries.
enum MeshSQL {
    private static let columns = "document::text, revision, created_at_ms, modified_at_ms"

    static let selectAll = PostgresStatement("SELECT \(columns) FROM mesh")

    static func read(_ reader: inout RowReader) throws(PostgresError) -> AuthorityState.MeshEntry {
        AuthorityState.MeshEntry(
            mesh: try JSONText.read(Mesh.self, try reader.text()), revision: try reader.integer(),
            createdAt: Timestamp(milliseconds: try reader.integer()),
            modifiedAt: Timestamp(milliseconds: try reader.integer()))
    }
}
