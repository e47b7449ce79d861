internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of `Ledger.load`, and their results as the state.
enum LoadSQL {
    static let position = PostgresStatement("SELECT ledger_id, epoch, revision FROM ledger_revision")
    private static let positionWithTimeline = PostgresStatement(
        "SELECT ledger_id, epoch, revision, \(timeline) FROM ledger_revision")

    /// The timeline that the server writes: another one from the moment on in which it took over, which the control file learns only
    /// with its next checkpoint. Nil in recovery, where nothing is written.
    static let timeline = """
        CASE WHEN NOT pg_is_in_recovery()
            THEN ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int::bigint END
        """

    static let sight = sight(timeline)
    static let sightWithoutTimeline = sight("NULL::bigint")

    private static func sight(_ timeline: String) -> PostgresStatement {
        PostgresStatement(
            """
            SELECT ledger_id, epoch, revision, \(timeline), (extract(epoch FROM clock_timestamp()) * 1000)::bigint
            FROM ledger_revision
            """)
    }

    static func readSight(_ result: PostgresResult) throws(PostgresError) -> LedgerSight {
        var reader = try afterPosition(result)
        return LedgerSight(
            position: try readPosition(result), timeline: try reader.optionalInteger(),
            time: Timestamp(milliseconds: try reader.integer()))
    }

    /// Of a row that is a position, and the timeline after it.
    static func readTimeline(_ result: PostgresResult) throws(PostgresError) -> Int64? {
        var reader = try afterPosition(result)
        return try reader.optionalInteger()
    }

    /// Fails by a division by zero where the ledger is another one than was seen at `known`, or has not got there, or where the server
    /// writes another timeline. Locks nothing.
    static func confirm(_ known: LedgerPosition, timeline: Int64?) -> PostgresStatement {
        let isSameServer = timeline == nil ? "" : " AND (\(LoadSQL.timeline)) = $4"
        return PostgresStatement(
            """
            SELECT 1 / (ledger_id = $1 AND (epoch, revision) >= ($2::bigint, $3::bigint)\(isSameServer))::int
            FROM ledger_revision
            """,
            [.text(known.ledger), .integer(known.epoch), .integer(known.revision)] + (timeline.map { [.integer($0)] } ?? []))
    }

    static func readPosition(_ result: PostgresResult) throws(PostgresError) -> LedgerPosition {
        var reader = try row(of: result)
        return LedgerPosition(
            ledger: try reader.text(), epoch: try reader.integer(), revision: try reader.integer())
    }

    private static func row(of result: PostgresResult) throws(PostgresError) -> RowReader {
        guard let row = result.rows.first else {
            throw .unexpectedResult(detail: "the ledger has no revision: run 'signet migrate'")
        }
        return RowReader(row)
    }

    private static func afterPosition(_ result: PostgresResult) throws(PostgresError) -> RowReader {
        var reader = try row(of: result)
        _ = (try reader.text(), try reader.integer(), try reader.integer())
        return reader
    }

    /// In the order that `read` expects.
    static func statements(withTimeline: Bool) -> [PostgresStatement] {
        [withTimeline ? positionWithTimeline : position] + contents
    }

    private static let contents = [
        MeshSQL.selectAll,
        CertificateAuthoritySQL.selectAll,
        PostgresStatement(
            """
            SELECT id, certificate_authority, certificate, serial, fingerprint, key_fingerprint, not_before_ms,
                not_after_ms, revoked_at_ms, kek_id, wrapped_data_key, ciphertext, token_key::text
            FROM issuer JOIN issuer_key ON issuer = id
            """),
        PostgresStatement("SELECT mesh, issuer, state FROM mesh_issuer"),
        PostgresStatement(
            """
            SELECT id, mesh, public_key, created_at_ms, ends_at_ms, kek_id, wrapped_data_key, ciphertext
            FROM token_signing_key ORDER BY created_at_ms, id
            """),
        PostgresStatement("SELECT name, kek_id, wrapped_data_key, ciphertext FROM service_key"),
        // Until nothing that descends from the token can live: its own end, and a year and a day after its revocation, since
        // a leaf lives a year at most. The day is for clocks that differ.
        PostgresStatement(
            """
            SELECT id FROM token WHERE revoked_at_ms IS NOT NULL
                AND greatest(expires_at_ms, revoked_at_ms + 31536000000)
                    > (extract(epoch FROM now()) * 1000)::bigint - 86400000
            """),
        PostgresStatement("SELECT identity FROM revoked_identity"),
        serviceIdentities,
        PostgresStatement("SELECT document::text, revision, created_at_ms, modified_at_ms FROM cross_mesh_access"),
        RotationSQL.selectRunning,
        MeshServiceSQL.selectAll,
    ]

    /// For each mesh and service the identities that tokens grant: by their own `kuma.io/service`, and by the selectors.
    ///
    /// A token counts for as long after its end as a leaf, renewed by certificate to the last, may still descend from it. The
    /// tokens of a deleted mesh were revoked with it. Goes from each distinct grant to the next by the index `token_grant`,
    /// whose order has the longest-lived token of a grant first: a mesh whose proxies get new tokens with each start has
    /// millions of tokens and few grants. The conditions must imply the index's.
    static let serviceIdentities = PostgresStatement(
        """
        WITH RECURSIVE granted AS (
            (
                SELECT mesh, identity, md5(tags::text) AS digest, tags, expires_at_ms FROM token
                WHERE kind = 'dataplane' AND revoked_at_ms IS NULL AND mesh IS NOT NULL AND identity IS NOT NULL
                ORDER BY mesh, identity, md5(tags::text), expires_at_ms DESC LIMIT 1
            )
            UNION ALL
            SELECT following.* FROM granted CROSS JOIN LATERAL (
                SELECT mesh, identity, md5(tags::text), tags, expires_at_ms FROM token
                WHERE kind = 'dataplane' AND revoked_at_ms IS NULL AND mesh IS NOT NULL AND identity IS NOT NULL
                    AND (mesh, identity, md5(tags::text)) > (granted.mesh, granted.identity, granted.digest)
                ORDER BY mesh, identity, md5(tags::text), expires_at_ms DESC LIMIT 1
            ) AS following
        ), living AS MATERIALIZED (
            SELECT mesh, identity, tags FROM granted
            WHERE expires_at_ms + 31536000000 > (extract(epoch FROM now()) * 1000)::bigint - 86400000
        ), selecting AS MATERIALIZED (
            SELECT mesh, name, (SELECT jsonb_object_agg(key, jsonb_build_array(value)) FROM jsonb_each(selector)) AS tags
            FROM mesh_service
        )
        SELECT mesh, service, identity, false FROM living, jsonb_array_elements_text(tags -> 'kuma.io/service') AS service
        UNION
        SELECT living.mesh, selecting.name, living.identity, true FROM living JOIN selecting
            ON selecting.mesh = living.mesh AND living.tags @> selecting.tags
        """)

    static func read(_ results: ArraySlice<PostgresResult>, withTimeline: Bool) throws(PostgresError) -> LedgerState {
        let results = Array(results)
        guard results.count == contents.count + 1 else {
            throw .unexpectedResult(detail: "the ledger gave \(results.count) answers to \(contents.count + 1) questions")
        }
        var state = LedgerState()
        let position = try readPosition(results[0])
        (state.ledger, state.epoch, state.authority.revision) = (position.ledger, position.epoch, position.revision)
        if withTimeline { state.timeline = try readTimeline(results[0]) }
        try each(results[1]) { reader throws(PostgresError) in
            let entry = try MeshSQL.read(&reader)
            state.authority.meshes[entry.mesh.name] = entry
        }
        try each(results[2]) { reader throws(PostgresError) in
            let entry = try CertificateAuthoritySQL.read(&reader)
            state.authority.certificateAuthorities[entry.authority.name] = entry
        }
        try each(results[3]) { reader throws(PostgresError) in
            let issuer = Issuer(
                id: try issuerID(&reader), certificateAuthority: try reader.text(), certificate: try reader.bytes(),
                serial: SerialNumber(bytes: try reader.bytes()), fingerprint: try LedgerText.fingerprint(try reader.bytes()),
                keyFingerprint: try reader.optionalBytes().map { bytes throws(PostgresError) in
                    try LedgerText.fingerprint(bytes)
                },
                notBefore: Timestamp(milliseconds: try reader.integer()),
                notAfter: Timestamp(milliseconds: try reader.integer()),
                revokedAt: try reader.optionalInteger().map { Timestamp(milliseconds: $0) })
            state.authority.issuers[issuer.id] = issuer
            let sealed = try sealedKey(&reader)
            state.issuerKeys[issuer.id] =
                if let reference = try reader.optionalText() {
                    .token(try JSONText.read(TokenKeyReference.self, reference))
                } else {
                    .sealed(sealed)
                }
        }
        try each(results[4]) { reader throws(PostgresError) in
            let mesh = try LedgerText.mesh(try reader.text())
            let issuer = try issuerID(&reader)
            state.authority.meshIssuers[mesh, default: [:]][issuer] =
                try reader.text(as: "an issuer's state") { IssuerState(rawValue: $0) }
        }
        try each(results[5]) { reader throws(PostgresError) in
            let id = try reader.text()
            let mesh = try reader.optionalText().map { text throws(PostgresError) in try LedgerText.mesh(text) }
            let publicKey = try reader.bytes()
            let createdAt = Timestamp(milliseconds: try reader.integer())
            let endsAt = try reader.optionalInteger().map { Timestamp(milliseconds: $0) }
            state.tokenSigningKeys.append(
                TokenSigningKey(
                    id: id, mesh: mesh, publicKey: publicKey, sealedKey: try sealedKey(&reader), createdAt: createdAt,
                    endsAt: endsAt))
        }
        try each(results[6]) { reader throws(PostgresError) in
            let name = try reader.text()
            state.serviceKeys[name] = try sealedKey(&reader)
        }
        try each(results[7]) { reader throws(PostgresError) in state.authority.revokedTokens.insert(try reader.text()) }
        try each(results[8]) { reader throws(PostgresError) in
            state.authority.revokedIdentities.insert(try LedgerText.identity(try reader.text()))
        }
        try each(results[9]) { reader throws(PostgresError) in
            let mesh = try LedgerText.mesh(try reader.text())
            let service = try reader.text()
            let identity = try LedgerText.identity(try reader.text())
            if try reader.boolean() {
                state.authority.meshServiceIdentities[mesh, default: [:]][service, default: []].insert(identity)
            } else {
                state.authority.serviceIdentities[mesh, default: [:]][service, default: []].insert(identity)
            }
        }
        try each(results[10]) { reader throws(PostgresError) in
            let access = try JSONText.read(CrossMeshAccess.self, try reader.text())
            state.authority.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
                access: access, revision: try reader.integer(), createdAt: Timestamp(milliseconds: try reader.integer()),
                modifiedAt: Timestamp(milliseconds: try reader.integer()))
        }
        try each(results[11]) { reader throws(PostgresError) in
            let (_, entry) = try RotationSQL.read(&reader)
            state.authority.rotations[entry.rotation.id] = entry
        }
        try each(results[12]) { reader throws(PostgresError) in
            let entry = try MeshServiceSQL.read(&reader)
            state.authority.meshServices[entry.service.mesh, default: [:]][entry.service.name] = entry
        }
        return state
    }

    private static func each(
        _ result: PostgresResult, _ body: (inout RowReader) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        for row in result.rows {
            var reader = RowReader(row)
            try body(&reader)
        }
    }

    private static func issuerID(_ reader: inout RowReader) throws(PostgresError) -> IssuerID {
        try reader.text(as: "an issuer id") { IssuerID($0) }
    }

    private static func sealedKey(_ reader: inout RowReader) throws(PostgresError) -> SealedKey {
        SealedKey(
            keyEncryptionKeyID: try reader.text(), wrappedDataKey: try reader.bytes(), ciphertext: try reader.bytes())
    }
}
