internal import Authority
internal import AuthorityService
internal import PKI

/// The issuance ledger's statements, and its rows as records.
enum CertificateSQL {
    /// All records in one statement: a batch of 100 costs little more than a single row.
    static func insert(_ certificates: [CertificateRecord]) -> PostgresStatement {
        let certificates = certificates.map { StorableText.storable($0) }
        return PostgresStatement(
            """
            INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node)
            SELECT serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags::jsonb, node
            FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[],
                $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::text[], $13::text[], $14::text[],
                $15::text[])
                WITH ORDINALITY AS given (serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node, place)
            ORDER BY place
            """,
            [
                .bytesArray(certificates.map(\.serial.bytes)),
                .textArray(certificates.map(\.kind.rawValue)),
                .textArray(certificates.map(\.mesh?.name)),
                .textArray(certificates.map(\.certificateAuthority)),
                .textArray(certificates.map(\.issuer.text)),
                .bytesArray(certificates.map(\.signedBy.bytes)),
                .textArray(certificates.map(\.identity?.uri)),
                .integerArray(certificates.map(\.notBefore.milliseconds)),
                .integerArray(certificates.map(\.notAfter.milliseconds)),
                .bytesArray(certificates.map(\.digest.bytes)),
                .integerArray(certificates.map(\.issuedAt.milliseconds)),
                .textArray(certificates.map(\.origin?.tokenID)),
                .textArray(certificates.map(\.origin?.proxy)),
                .textArray(certificates.map { record in record.origin.map { JSONText.write($0.tags) } }),
                .textArray(certificates.map(\.origin?.node)),
            ])
    }

    private static let columns = """
        seq, serial, kind, mesh, certificate_authority, issuer, signed_by, identity, not_before_ms, not_after_ms, digest,
        issued_at_ms, token_id, proxy, tags::text, node
        """

    static func select(_ serial: SerialNumber) -> PostgresStatement {
        PostgresStatement("SELECT \(columns) FROM certificate WHERE serial = $1", [.bytes(serial.bytes)])
    }

    static func select(_ query: CertificateQuery) -> PageStatements {
        var page = PageStatements(table: "certificate", columns: columns, size: query.size, cursor: query.cursor)
        if let mesh = query.mesh { page.filter("mesh", .text(mesh.name)) }
        if let kind = query.kind { page.filter("kind", .text(kind.rawValue)) }
        if let identity = query.identity { page.filter("identity", .text(identity.uri)) }
        return page
    }

    /// For each mesh the earliest end among the leaves that no later one of the same identity and proxy replaced.
    ///
    /// Reads the unexpired leaves of the mesh, one or two for each proxy, through the index of ends, and keeps the last of each
    /// proxy. Which of these an expired one replaced in turn, because leaves were made to live shorter meanwhile, is asked in
    /// the order of their ends until the first that none did: nearly always once. OFFSET 0 and the scalar subquery keep the
    /// planner from asking it of all.
    static func earliestLeafExpiry(at now: Timestamp) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT name, (
                SELECT not_after_ms FROM (
                    SELECT * FROM (
                        SELECT DISTINCT ON (identity, proxy) identity, proxy, seq, not_after_ms FROM certificate
                        WHERE mesh = name AND kind = 'leaf' AND not_after_ms > $1
                        ORDER BY identity, proxy, seq DESC
                    ) AS newest ORDER BY not_after_ms OFFSET 0
                ) AS candidate
                WHERE (
                    SELECT seq FROM certificate AS later
                    WHERE later.identity = candidate.identity AND later.seq > candidate.seq AND later.kind = 'leaf'
                        AND later.mesh = name AND later.proxy IS NOT DISTINCT FROM candidate.proxy
                    LIMIT 1
                ) IS NULL
                ORDER BY not_after_ms LIMIT 1
            ) FROM mesh
            """, [.integer(now.milliseconds)])
    }

    /// Whoever holds an unexpired leaf in one of the meshes, by the index of ends: of the mesh, or of the mesh and issuer.
    static func outstandingLeaves(
        in meshes: Set<MeshName>, issuer: IssuerID?, issuedBefore: Timestamp?, at now: Timestamp, limit: Int
    ) -> PostgresStatement {
        var parameters: [PostgresValue] = [
            .textArray(meshes.map(\.name).sorted()), .integer(now.milliseconds), .integer(Int64(max(limit, 0))),
            .integer(issuedBefore?.milliseconds ?? .max),
        ]
        if let issuer { parameters.append(.text(issuer.text)) }
        return PostgresStatement(
            """
            SELECT mesh, identity, coalesce(proxy, '') AS proxy, node, max(not_after_ms) AS not_after_ms FROM certificate
            WHERE mesh = ANY ($1) AND kind = 'leaf' AND not_after_ms > $2 AND issued_at_ms < $4 AND identity IS NOT NULL
                \(issuer == nil ? "" : "AND issuer = $5")
            GROUP BY mesh, identity, coalesce(proxy, ''), node
            ORDER BY max(not_after_ms) DESC, mesh COLLATE "C", identity COLLATE "C", coalesce(proxy, '') COLLATE "C",
                node COLLATE "C" NULLS FIRST
            LIMIT $3
            """, parameters)
    }

    static func readOutstandingLeaf(_ reader: inout RowReader) throws(PostgresError) -> OutstandingLeaf {
        OutstandingLeaf(
            mesh: try LedgerText.mesh(try reader.text()), identity: try LedgerText.identity(try reader.text()),
            proxy: try reader.text(), node: try reader.optionalText(),
            notAfter: Timestamp(milliseconds: try reader.integer()))
    }

    static func read(_ reader: inout RowReader) throws(PostgresError) -> (Int64, CertificateRecord) {
        let seq = try reader.integer()
        var record = CertificateRecord(
            serial: SerialNumber(bytes: try reader.bytes()),
            kind: try reader.text(as: "a kind of certificate") { CertificateRecord.Kind(rawValue: $0) },
            mesh: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.mesh(text) },
            certificateAuthority: try reader.text(),
            issuer: try reader.text(as: "an issuer id") { IssuerID($0) },
            signedBy: SerialNumber(bytes: try reader.bytes()),
            identity: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.identity(text) },
            notBefore: Timestamp(milliseconds: try reader.integer()),
            notAfter: Timestamp(milliseconds: try reader.integer()),
            digest: try LedgerText.fingerprint(try reader.bytes()),
            issuedAt: Timestamp(milliseconds: try reader.integer()),
            origin: nil)
        let tokenID = try reader.optionalText()
        let proxy = try reader.optionalText()
        let tags = try reader.optionalText()
        let node = try reader.optionalText()
        if let tokenID, let proxy, let tags {
            record.origin = CertificateRecord.Origin(
                tokenID: tokenID, proxy: proxy, tags: try JSONText.read([String: [String]].self, tags), node: node)
        }
        return (seq, record)
    }
}
