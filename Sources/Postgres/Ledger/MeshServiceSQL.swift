internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of the services by selector, and their rows as entries.
enum MeshServiceSQL {
    static func insert(_ service: MeshService, at: Timestamp) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO mesh_service (mesh, name, selector, document, revision, created_at_ms, modified_at_ms)
            SELECT $1, $2, $3::text::jsonb, $4, revision, $5, $5 FROM ledger_revision
            """, columns(of: service) + [.integer(at.milliseconds)])
    }

    /// Touches no row when the revision is another.
    static func replace(_ service: MeshService, revision: Int64, at: Timestamp) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE mesh_service SET selector = $3::text::jsonb, document = $4, modified_at_ms = $5,
                revision = (SELECT revision FROM ledger_revision)
            WHERE mesh = $1 AND name = $2 AND revision = $6
            """, columns(of: service) + [.integer(at.milliseconds), .integer(revision)])
    }

    /// Touches no row when the revision is another.
    static func delete(_ name: String, in mesh: MeshName, revision: Int64) -> PostgresStatement {
        PostgresStatement(
            "DELETE FROM mesh_service WHERE mesh = $1 AND name = $2 AND revision = $3",
            // No name of ours holds a NUL: such a one is just not there.
            [.text(mesh.name), .text(StorableText.replacingNUL(name)), .integer(revision)])
    }

    static let selectAll = PostgresStatement(
        "SELECT mesh, name, selector::text, document, revision, created_at_ms, modified_at_ms FROM mesh_service")

    static func read(_ reader: inout RowReader) throws(PostgresError) -> AuthorityState.MeshServiceEntry {
        let service = MeshService(
            mesh: try LedgerText.mesh(try reader.text()), name: try reader.text(),
            selector: try JSONText.read([String: String].self, try reader.text()), document: try reader.text())
        return AuthorityState.MeshServiceEntry(
            service: service, revision: try reader.integer(), createdAt: Timestamp(milliseconds: try reader.integer()),
            modifiedAt: Timestamp(milliseconds: try reader.integer()))
    }

    private static func columns(of service: MeshService) -> [PostgresValue] {
        let service = StorableText.storable(service)
        return [
            .text(service.mesh.name), .text(service.name), .text(JSONText.write(service.selector)), .text(service.document),
        ]
    }
}
