internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of the audit trail and of its chain. The database numbers and chains what is inserted: see `auditChain`.
enum AuditSQL {
    /// Takes the lock of the chain's head: always the last statement but the notification of its transaction.
    static func insert(_ entries: [AuditEntry]) -> PostgresStatement {
        let entries = entries.map { StorableText.storable($0) }
        return PostgresStatement(
            """
            INSERT INTO audit (at_ms, actor, source, action, mesh, object, details, request_id, before_act, after_act)
            SELECT at_ms, actor, source, action, mesh, object, details::jsonb, request_id, before_act, after_act
            FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[])
                WITH ORDINALITY AS given (at_ms, actor, source, action, mesh, object, details, request_id, before_act, after_act,
                    place)
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
                .textArray(entries.map(\.before)),
                .textArray(entries.map(\.after)),
            ])
    }

    /// Details that somebody made something else than texts by hand are read as far as they are texts: the digest shows the rest.
    private static func columns(hasDocuments: Bool = true) -> String {
        """
        seq, at_ms, actor, source, action, mesh, object,
        (CASE WHEN jsonb_typeof(details) = 'object'
            THEN (SELECT coalesce(jsonb_object_agg(key, coalesce(value, '')), '{}') FROM jsonb_each_text(details))
            ELSE '{}' END)::text,
        request_id, \(hasDocuments ? "before_act, after_act" : "NULL, NULL"), previous, hash
        """
    }

    /// Known without reading what is stored apart.
    private static let octets = "coalesce(octet_length(before_act), 0) + coalesce(octet_length(after_act), 0)"

    static func select(_ query: AuditQuery) -> PageStatements {
        var page = PageStatements(
            table: "audit", columns: columns(hasDocuments: query.hasDocuments), size: query.size, cursor: query.cursor)
        if query.hasDocuments { page.weigh(octets, most: AuditQuery.mostOctets) }
        if let mesh = query.mesh { page.filter("mesh", .text(mesh.name)) }
        if let actor = query.actor { page.filter("actor", .text(StorableText.replacingNUL(actor))) }
        return page
    }

    static func chain(after seq: Int64, size: Int) -> PostgresStatement {
        let rows = "FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2"
        return PostgresStatement(
            """
            SELECT \(columns()) FROM (\(PageStatements.weighed(rows, by: octets, order: "seq"))) AS weighed
            WHERE octets_before < \(AuditQuery.mostOctets) ORDER BY seq
            """,
            [.integer(seq), .integer(Int64(min(max(size, 1), 1000)))])
    }

    static func read(_ reader: inout RowReader) throws(PostgresError) -> AuditRow {
        AuditRow(
            seq: try reader.integer(), at: Timestamp(milliseconds: try reader.integer()), actor: try reader.text(),
            source: try reader.text(), action: try reader.text(), mesh: try reader.optionalText(), object: try reader.text(),
            details: try JSONText.read([String: String].self, try reader.text()), requestID: try reader.text(),
            before: try reader.optionalText(), after: try reader.optionalText(), previous: try reader.bytes(),
            hash: try reader.bytes())
    }

    static let head = PostgresStatement(
        """
        SELECT ledger_id, epoch, revision, genesis, seq, hash, sealed_seq, sealed_hash, sealed_at_ms, public_key, signature
        FROM audit_head CROSS JOIN ledger_revision
        """)

    static func readHead(_ reader: inout RowReader) throws(PostgresError) -> AuditHead {
        let position = LedgerPosition(
            ledger: try reader.text(), epoch: try reader.integer(), revision: try reader.integer())
        var head = AuditHead(
            genesis: try reader.bytes(), seq: try reader.integer(), hash: try reader.bytes(), position: position)
        guard let seq = try reader.optionalInteger() else { return head }
        head.seal = AuditSeal(
            seq: seq, hash: try reader.bytes(), at: Timestamp(milliseconds: try reader.integer()),
            publicKey: try reader.bytes(), signature: try reader.bytes())
        return head
    }

    /// Only what is there is signed: the rows may have been read from an old primary.
    static func seal(_ seal: AuditSeal) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE audit_head SET sealed_seq = $1, sealed_hash = $2, sealed_at_ms = $3, public_key = $4, signature = $5
            WHERE (sealed_seq IS NULL OR sealed_seq < $1) AND EXISTS (SELECT FROM audit WHERE seq = $1 AND audit.hash = $2)
            """,
            [
                .integer(seal.seq), .bytes(seal.hash), .integer(seal.at.milliseconds), .bytes(seal.publicKey),
                .bytes(seal.signature),
            ])
    }
}
