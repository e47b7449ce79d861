internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of the certificate authorities, and their rows as entries.
enum CertificateAuthoritySQL {
    static func insert(_ authority: CertificateAuthority, at: Timestamp) throws(PostgresError) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO certificate_authority (name, key_algorithm, expiration_ms, owner, origin, rotates_automatically,
                retire_after, is_automatic_held, key_store, revision, created_at_ms, modified_at_ms)
            SELECT $1, $2, $3, $4::text, $5, $6, $7, $8, $9::jsonb, revision, $10, $10 FROM ledger_revision
            """, try columns(of: authority) + [.integer(at.milliseconds)])
    }

    /// Touches no row when the revision is another.
    static func replace(
        _ authority: CertificateAuthority, revision: Int64, at: Timestamp
    ) throws(PostgresError) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE certificate_authority SET key_algorithm = $2, expiration_ms = $3, owner = $4, origin = $5,
                rotates_automatically = $6, retire_after = $7, is_automatic_held = $8, key_store = $9::jsonb,
                modified_at_ms = $10, revision = (SELECT revision FROM ledger_revision)
            WHERE name = $1 AND revision = $11
            """, try columns(of: authority) + [.integer(at.milliseconds), .integer(revision)])
    }

    /// Parts meshes with its issuers: its owner with all, others with those that they are done with. Whoever is bound to one
    /// still makes the deletion a conflict, at the end of the transaction.
    static func deleteMeshIssuers(of name: String) -> PostgresStatement {
        PostgresStatement(
            """
            DELETE FROM mesh_issuer USING issuer, certificate_authority
            WHERE mesh_issuer.issuer = issuer.id AND issuer.certificate_authority = certificate_authority.name
                AND certificate_authority.name = $1
                AND (mesh_issuer.mesh = certificate_authority.owner OR mesh_issuer.state IN ('retired', 'revoked'))
            """, [.text(name)])
    }

    /// The keys go with the issuers' rows, by ON DELETE CASCADE.
    static func deleteIssuers(of name: String) -> PostgresStatement {
        PostgresStatement("DELETE FROM issuer WHERE certificate_authority = $1", [.text(name)])
    }

    /// Touches no row when the revision is another; nil: whichever.
    static func delete(_ name: String, revision: Int64?) -> PostgresStatement {
        guard let revision else {
            return PostgresStatement("DELETE FROM certificate_authority WHERE name = $1", [.text(name)])
        }
        return PostgresStatement(
            "DELETE FROM certificate_authority WHERE name = $1 AND revision = $2", [.text(name), .integer(revision)])
    }

    static let selectAll = PostgresStatement(
        """
        SELECT name, key_algorithm, expiration_ms, owner, origin, key_store::text, rotates_automatically, retire_after,
            is_automatic_held, revision, created_at_ms, modified_at_ms
        FROM certificate_authority
        """)

    static func read(_ reader: inout RowReader) throws(PostgresError) -> AuthorityState.CertificateAuthorityEntry {
        let authority = CertificateAuthority(
            name: try reader.text(), keyAlgorithm: try reader.text(as: "a key algorithm") { KeyAlgorithm(rawValue: $0) },
            expiration: .milliseconds(try reader.integer()),
            owner: try reader.optionalText().map { text throws(PostgresError) in try LedgerText.mesh(text) },
            origin: try reader.text(as: "an origin") { CertificateAuthority.Origin(rawValue: $0) },
            keyStore: try reader.optionalText().map { text throws(PostgresError) in
                .pkcs11(try JSONText.read(TokenLocation.self, text))
            } ?? .database,
            rotatesAutomatically: try reader.boolean(),
            retireAfter: try reader.text(as: "what retirement waits for") { RetireAfter(rawValue: $0) },
            isAutomaticHeld: try reader.boolean())
        return AuthorityState.CertificateAuthorityEntry(
            authority: authority, revision: try reader.integer(), createdAt: Timestamp(milliseconds: try reader.integer()),
            modifiedAt: Timestamp(milliseconds: try reader.integer()))
    }

    private static func columns(of authority: CertificateAuthority) throws(PostgresError) -> [PostgresValue] {
        let keyStore: PostgresValue =
            switch authority.keyStore {
            case .database: .null
            case .pkcs11(let location): .text(try JSONText.write(location))
            }
        return [
            .text(authority.name), .text(authority.keyAlgorithm.rawValue), .integer(authority.expiration.wholeMilliseconds),
            .optionalText(authority.owner?.name), .text(authority.origin.rawValue), .boolean(authority.rotatesAutomatically),
            .text(authority.retireAfter.rawValue), .boolean(authority.isAutomaticHeld), keyStore,
        ]
    }
}
