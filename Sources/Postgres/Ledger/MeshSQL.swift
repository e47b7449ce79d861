internal import Authority
internal import AuthorityService
internal import PKI

/// The meshes' rows as entries, and a page of them.
enum MeshSQL {
    private static let columns = "document::text, revision, created_at_ms, modified_at_ms"

    static let selectAll = PostgresStatement("SELECT \(columns) FROM mesh")

    /// One row more than the page holds: whether there is a next one. By the names' bytes, as the index is.
    static func select(_ query: NamedQuery, among meshes: Set<MeshName>?) -> PostgresStatement {
        var conditions: [String] = []
        var parameters: [PostgresValue] = [.integer(Int64(size(of: query) + 1))]
        if let after = query.after {
            // PostgreSQL's text holds no NUL, and no name does: those after the part before it are the same ones.
            parameters.append(.text(String(after.unicodeScalars.prefix { $0 != "\0" })))
            conditions.append("name COLLATE \"C\" > $\(parameters.count)")
        }
        if let meshes {
            parameters.append(names(meshes))
            conditions.append("name = ANY ($\(parameters.count))")
        }
        let clause = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return PostgresStatement(
            "SELECT \(columns) FROM mesh \(clause) ORDER BY name COLLATE \"C\" LIMIT $1", parameters)
    }

    /// Exact: there are thousands at most.
    static func count(among meshes: Set<MeshName>?) -> PostgresStatement {
        guard let meshes else { return PostgresStatement("SELECT count(*) FROM mesh") }
        return PostgresStatement("SELECT count(*) FROM mesh WHERE name = ANY ($1)", [names(meshes)])
    }

    /// The page in the results of `select` and `count`.
    static func page(
        _ query: NamedQuery, _ rows: PostgresResult, _ total: PostgresResult
    ) throws(PostgresError) -> NamedPage<AuthorityState.MeshEntry> {
        var items: [AuthorityState.MeshEntry] = []
        for row in rows.rows.prefix(size(of: query)) {
            var reader = RowReader(row)
            items.append(try read(&reader))
        }
        guard let counted = total.rows.first else { throw .unexpectedResult(detail: "no count") }
        var reader = RowReader(counted)
        return NamedPage(
            items: items, next: rows.rows.count > items.count ? items.last?.mesh.name.name : nil, total: try reader.integer())
    }

    static func read(_ reader: inout RowReader) throws(PostgresError) -> AuthorityState.MeshEntry {
        AuthorityState.MeshEntry(
            mesh: try JSONText.read(Mesh.self, try reader.text()), revision: try reader.integer(),
            createdAt: Timestamp(milliseconds: try reader.integer()),
            modifiedAt: Timestamp(milliseconds: try reader.integer()))
    }

    private static func size(of query: NamedQuery) -> Int { min(max(query.size, 1), 1000) }

    private static func names(_ meshes: Set<MeshName>) -> PostgresValue { .textArray(meshes.map(\.name).sorted()) }
}
