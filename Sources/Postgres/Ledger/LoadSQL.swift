internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of `Ledger.load`, and their results as the state.
enum LoadSQL {
    /// In the order that `read` expects.
    static let statements = [
        PostgresStatement("SELECT revision FROM ledger_revision"),
        PostgresStatement("SELECT document::text, revision, created_at_ms, modified_at_ms FROM mesh"),
        PostgresStatement("SELECT name, key_algorithm, expiration_ms, owner FROM certificate_authority"),
        PostgresStatement(
            """
            SELECT id, certificate_authority, certificate, serial, fingerprint, not_before_ms, not_after_ms,
                kek_id, wrapped_data_key, ciphertext
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
        // As long after the token's own end as a leaf, renewed by certificate to the last, may still descend from it. The
        // tokens of a deleted mesh were revoked with it.
        PostgresStatement(
            """
            SELECT DISTINCT mesh, service, identity FROM token,
                jsonb_array_elements_text(tags -> 'kuma.io/service') AS service
            WHERE kind = 'dataplane' AND revoked_at_ms IS NULL AND mesh IS NOT NULL AND identity IS NOT NULL
                AND expires_at_ms + 31536000000 > (extract(epoch FROM now()) * 1000)::bigint - 86400000
            """),
        PostgresStatement("SELECT document::text, revision, created_at_ms, modified_at_ms FROM cross_mesh_access"),
    ]

    static func read(_ results: ArraySlice<PostgresResult>) throws(PostgresError) -> LedgerState {
        let results = Array(results)
        guard results.count == statements.count, let revision = results[0].rows.first else {
            throw .unexpectedResult(detail: "the ledger has no revision: run 'signet migrate'")
        }
        var state = LedgerState()
        var revisionReader = RowReader(revision)
        state.authority.revision = try revisionReader.integer()
        try each(results[1]) { reader throws(PostgresError) in
            let mesh = try JSONText.read(Mesh.self, try reader.text())
            state.authority.meshes[mesh.name] = AuthorityState.MeshEntry(
                mesh: mesh, revision: try reader.integer(), createdAt: Timestamp(milliseconds: try reader.integer()),
                modifiedAt: Timestamp(milliseconds: try reader.integer()))
        }
        try each(results[2]) { reader throws(PostgresError) in
            let authority = CertificateAuthority(
                name: try reader.text(), keyAlgorithm: try reader.text(as: "a key algorithm") { KeyAlgorithm(rawValue: $0) },
                expiration: .milliseconds(try reader.integer()),
                owner: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.mesh(text) })
            state.authority.certificateAuthorities[authority.name] = authority
        }
        try each(results[3]) { reader throws(PostgresError) in
            let issuer = Issuer(
                id: try issuerID(&reader), certificateAuthority: try reader.text(), certificate: try reader.bytes(),
                serial: SerialNumber(bytes: try reader.bytes()), fingerprint: try LedgerText.fingerprint(try reader.bytes()),
                notBefore: Timestamp(milliseconds: try reader.integer()),
                notAfter: Timestamp(milliseconds: try reader.integer()))
            state.authority.issuers[issuer.id] = issuer
            state.issuerKeys[issuer.id] = try sealedKey(&reader)
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
            state.authority.serviceIdentities[mesh, default: [:]][service, default: []].insert(identity)
        }
        try each(results[10]) { reader throws(PostgresError) in
            let access = try JSONText.read(CrossMeshAccess.self, try reader.text())
            state.authority.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
                access: access, revision: try reader.integer(), createdAt: Timestamp(milliseconds: try reader.integer()),
                modifiedAt: Timestamp(milliseconds: try reader.integer()))
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
