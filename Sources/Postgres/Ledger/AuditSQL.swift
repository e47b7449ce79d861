internal import AuthorityService
internal import PKI

/// The statements of the audit trail, and its rows as entries.
enum AuditSQL {
    static func insert(_ entries: [AuditEntry]) -> PostgresStatement {
        let entries = entries.map { StorableText.storable($0) }
        return PostgresStatement(
            """
            INSERT INTO audit (at_ms, actor, source, action, mesh, object, details, request_id)
            SELECT at_ms, actor, source, action, mesh, object, details::jsonb, request_id
            FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
                WITH ORDINALITY AS given (at_ms, actor, source, action, mesh, object, details, request_id, place)
            ORDER BY place
            """,
            [
                .integerArray(entries.map(\.at.milliseconds)),
                .textArray(entries.map(\.actor)),
                .textArray(entries.map(\.source)),
                .textArray(entries.map(\.action)),
                .textArray(entries.map(\.mesh?.name)),
                .textArray(entries.map(\.object)),
                .textArray(entries.map { JSONText.write($0.details) }),
                .textArray(entries.map(\.requestID)),
            ])
    }

    static func select(_ query: AuditQuery) -> PageStatements {
        var page = PageStatements(
            table: "audit", columns: "seq, at_ms, actor, source, action, mesh, object, details::text, request_id",
            size: query.size, cursor: query.cursor)
        if let mesh = query.mesh { page.filter("mesh", .text(mesh.name)) }
        return page
    }

    static func read(_ reader: inout RowReader) throws(PostgresError) -> (Int64, AuditEntry) {
        let seq = try reader.integer()
        let entry = AuditEntry(
            at: Timestamp(milliseconds: try reader.integer()), actor: try reader.text(), source: try reader.text(),
            action: try reader.text(),
            mesh: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.mesh(text) },
            object: try reader.text(), details: try JSONText.read([String: String].self, try reader.text()),
            requestID: try reader.text())
        return (seq, entry)
    }
}
