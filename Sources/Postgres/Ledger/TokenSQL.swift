internal import AuthorityService
internal import PKI

/// The statements of the tokens' table, and its rows as records.
enum TokenSQL {
    static func insert(_ token: TokenRecord) -> PostgresStatement {
        let token = StorableText.storable(token)
        return PostgresStatement(
            """
            INSERT INTO token (id, kind, mesh, name, tags, roles, identity, digest, issued_at_ms, expires_at_ms, revoked_at_ms,
                meshes)
            VALUES ($1, $2, $3, $4, $5::text::jsonb, $6::text::jsonb, $7, $8, $9, $10, $11, $12::text::jsonb)
            """,
            [
                .text(token.id), .text(token.kind.rawValue), .optionalText(token.mesh?.name), .text(token.name),
                .text(JSONText.write(token.tags)), .text(JSONText.write(token.roles)), .optionalText(token.identity?.uri),
                .bytes(token.digest.bytes), .integer(token.issuedAt.milliseconds), .integer(token.expiresAt.milliseconds),
                .optionalInteger(token.revokedAt?.milliseconds),
                .optionalText(token.meshes.map { JSONText.write($0.map(\.name)) }),
            ])
    }

    private static let columns = """
        seq, id, kind, mesh, name, tags::text, roles::text, identity, digest, issued_at_ms, expires_at_ms, revoked_at_ms,
        meshes::text
        """

    static func select(_ id: String) -> PostgresStatement {
        PostgresStatement("SELECT \(columns) FROM token WHERE id = $1", [.text(id)])
    }

    static func select(_ query: TokenQuery) -> PageStatements {
        var page = PageStatements(table: "token", columns: columns, size: query.size, cursor: query.cursor)
        if let mesh = query.mesh { page.filter("mesh", .text(mesh.name)) }
        return page
    }

    static func read(_ reader: inout RowReader) throws(PostgresError) -> (Int64, TokenRecord) {
        let seq = try reader.integer()
        let record = TokenRecord(
            id: try reader.text(),
            kind: try reader.text(as: "a kind of token") { TokenRecord.Kind(rawValue: $0) },
            mesh: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.mesh(text) },
            name: try reader.text(),
            tags: try JSONText.read([String: [String]].self, try reader.text()),
            roles: try JSONText.read([String].self, try reader.text()),
            identity: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.identity(text) },
            digest: try LedgerText.fingerprint(try reader.bytes()),
            issuedAt: Timestamp(milliseconds: try reader.integer()),
            expiresAt: Timestamp(milliseconds: try reader.integer()),
            revokedAt: try reader.optionalInteger().map { Timestamp(milliseconds: $0) },
            meshes: try reader.optionalText().map { text throws(PostgresError) in
                var meshes: [MeshName] = []
                for name in try JSONText.read([String].self, text) { meshes.append(try LedgerText.mesh(name)) }
                return meshes
            })
        return (seq, record)
    }
}
