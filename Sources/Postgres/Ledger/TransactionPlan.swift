internal import Authority
internal import AuthorityService
internal import PKI

/// A `LedgerTransaction` as SQL: the statements in their order, and what each one's failure means.
struct TransactionPlan {
    struct Step {
        var statement: PostgresStatement
        /// What is in conflict when a constraint refuses the statement, or it touches no row although it must.
        var what: String
        var mustTouchARow: Bool
        /// Words for particular constraints, where `what` is not the one in conflict.
        var constraints: [String: String] = [:]
    }

    private(set) var steps: [Step] = []

    init(_ transaction: LedgerTransaction) throws(PostgresError) {
        for write in transaction.writes { try add(write, at: transaction.audit.at) }
        for write in transaction.writes { addFinalCheck(of: write) }
        add(AuditSQL.insert([transaction.audit]), "the audit trail")
    }

    /// What a violated constraint stands for. `step` is nil when it was found at the end of the transaction.
    func conflict(_ report: PostgresServerError, step: Int?) -> String {
        if let step, steps.indices.contains(step) {
            return report.constraint.flatMap { steps[step].constraints[$0] } ?? steps[step].what
        }
        switch report.constraint {
        case "cross_mesh_access_from_mesh_fkey", "cross_mesh_access_to_mesh_fkey": return "a mesh of a CrossMeshAccess"
        case "issuer_certificate_authority_fkey": return "the certificate authority of an issuer"
        case "mesh_issuer_issuer_fkey": return "an issuer of a mesh"
        case "rotation_event_rotation_fkey": return "the rotation of an event"
        case "mesh_issuer_mesh_fkey", "mesh_service_mesh_fkey", "token_signing_key_mesh_fkey": return "the mesh"
        default: return report.constraint ?? "a row"
        }
    }

    private mutating func add(
        _ statement: PostgresStatement, _ what: String, mustTouchARow: Bool = false, constraints: [String: String] = [:]
    ) {
        steps.append(Step(statement: statement, what: what, mustTouchARow: mustTouchARow, constraints: constraints))
    }

    private mutating func add(_ write: LedgerWrite, at: Timestamp) throws(PostgresError) {
        switch write {
        case .confirmLedger(let found, let seen, let epoch):
            add(
                PostgresStatement(
                    """
                    UPDATE ledger_revision SET epoch = $1, revision = greatest(revision, $2) + $3
                    WHERE epoch = $4 AND ledger_id = $5
                    """,
                    [
                        .integer(epoch), .integer(seen), .integer(LedgerPosition.stride), .integer(found.epoch),
                        .text(found.ledger),
                    ]),
                "the ledger's epoch", mustTouchARow: true)
        case .deleteCertificateAuthority(let name, let revision):
            let what = "certificate authority '\(name)'"
            add(CertificateAuthoritySQL.deleteMeshIssuers(of: name), what)
            add(CertificateAuthoritySQL.deleteIssuers(of: name), what)
            add(CertificateAuthoritySQL.delete(name, revision: revision), what, mustTouchARow: true)
        case .deleteCrossMeshAccess(let name, let revision):
            add(
                PostgresStatement(
                    "DELETE FROM cross_mesh_access WHERE name = $1 AND revision = $2", [.text(name), .integer(revision)]),
                "CrossMeshAccess '\(name)'", mustTouchARow: true)
        case .deleteMesh(let name, let revision, let freeAt):
            addDeletion(of: name, revision: revision, freeAt: freeAt, at: at)
        case .deleteMeshService(let mesh, let name, let revision):
            add(
                MeshServiceSQL.delete(name, in: mesh, revision: revision), "MeshService '\(name)' of mesh '\(mesh)'",
                mustTouchARow: true)
        case .insertCertificateAuthority(let authority, let at):
            add(try CertificateAuthoritySQL.insert(authority, at: at), "certificate authority '\(authority.name)'")
        case .insertCrossMeshAccess(let access, let at):
            add(
                PostgresStatement(
                    """
                    INSERT INTO cross_mesh_access
                        (name, from_mesh, to_mesh, document, revision, created_at_ms, modified_at_ms)
                    SELECT $1, $2, $3, $4::jsonb, revision, $5, $5 FROM ledger_revision
                    """, try TransactionPlan.columns(of: access) + [.integer(at.milliseconds)]),
                "CrossMeshAccess '\(access.name)'")
        case .insertIssuer(let issuer, let key): try addInsertion(of: issuer, key: key)
        case .insertMesh(let mesh, let at): try addInsertion(of: mesh, at: at)
        case .insertMeshIssuer(let mesh, let issuer, let state):
            add(
                PostgresStatement(
                    "INSERT INTO mesh_issuer (mesh, issuer, state) VALUES ($1, $2, $3)",
                    [.text(mesh.name), .text(issuer.text), .text(state.rawValue)]),
                "issuer '\(issuer)' of mesh '\(mesh)'",
                constraints: ["mesh_issuer_one_active": "the active issuer of mesh '\(mesh)'"])
        case .insertMeshService(let service, let at):
            add(MeshServiceSQL.insert(service, at: at), "MeshService '\(service.name)' of mesh '\(service.mesh)'")
        case .insertRotation(let rotation):
            add(
                RotationSQL.insert(rotation), "rotation '\(rotation.id)'",
                constraints: TransactionPlan.oneReplacement(of: rotation))
            addMeshes(of: rotation)
        case .insertRotationEvent(let rotation, let event):
            add(RotationEventSQL.insert(event, of: rotation), "an event of rotation '\(rotation)'")
        case .insertServiceKey(let name, let key):
            add(
                PostgresStatement(
                    "INSERT INTO service_key (name, kek_id, wrapped_data_key, ciphertext) VALUES ($1, $2, $3, $4)",
                    [.text(name)] + TransactionPlan.columns(of: key)), "the service key '\(name)'")
        case .insertToken(let token):
            add(TokenSQL.insert(token), "token '\(token.id)'")
        case .insertTokenSigningKey(let key):
            add(
                PostgresStatement(
                    """
                    INSERT INTO token_signing_key
                        (id, mesh, public_key, created_at_ms, ends_at_ms, kek_id, wrapped_data_key, ciphertext)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                    """,
                    [
                        .text(key.id), .optionalText(key.mesh?.name), .bytes(key.publicKey),
                        .integer(key.createdAt.milliseconds), .optionalInteger(key.endsAt?.milliseconds),
                    ] + TransactionPlan.columns(of: key.sealedKey)), "the token signing key '\(key.id)'")
        case .recordCertificate(let certificate):
            add(CertificateSQL.insert([certificate]), "the certificate with serial \(certificate.serial)")
        case .replaceCertificateAuthority(let authority, let revision, let at):
            add(
                try CertificateAuthoritySQL.replace(authority, revision: revision, at: at),
                "certificate authority '\(authority.name)'", mustTouchARow: true)
        case .replaceCrossMeshAccess(let access, let revision, let at):
            add(
                PostgresStatement(
                    """
                    UPDATE cross_mesh_access SET from_mesh = $2, to_mesh = $3, document = $4::jsonb, modified_at_ms = $5,
                        revision = (SELECT revision FROM ledger_revision)
                    WHERE name = $1 AND revision = $6
                    """, try TransactionPlan.columns(of: access) + [.integer(at.milliseconds), .integer(revision)]),
                "CrossMeshAccess '\(access.name)'", mustTouchARow: true)
        case .replaceMesh(let mesh, let revision, let at):
            // The trust domain cannot change: a document with another one touches no row.
            add(
                PostgresStatement(
                    """
                    UPDATE mesh SET document = $1::jsonb, modified_at_ms = $2,
                        revision = (SELECT revision FROM ledger_revision)
                    WHERE name = $3 AND revision = $4 AND trust_domain = $5
                    """,
                    [
                        .text(try JSONText.write(mesh)), .integer(at.milliseconds), .text(mesh.name.name),
                        .integer(revision), .text(mesh.trustDomain.name),
                    ]), "mesh '\(mesh.name)'", mustTouchARow: true)
        case .replaceMeshService(let service, let revision, let at):
            add(
                MeshServiceSQL.replace(service, revision: revision, at: at),
                "MeshService '\(service.name)' of mesh '\(service.mesh)'", mustTouchARow: true)
        case .replaceRotation(let rotation, let revision):
            add(
                RotationSQL.replace(rotation, revision: revision), "rotation '\(rotation.id)'", mustTouchARow: true,
                constraints: TransactionPlan.oneReplacement(of: rotation))
            add(RotationSQL.deleteMeshes(of: rotation.id), "rotation '\(rotation.id)'")
            addMeshes(of: rotation)
        case .requireLease(let lease):
            add(DriverLeaseSQL.require(lease), "the lease of the driver", mustTouchARow: true)
        case .resealKey(let row, let sealed, let from): addResealing(of: row, as: sealed, from: from)
        case .revokeIdentity(let identity, let at):
            add(
                PostgresStatement(
                    "INSERT INTO revoked_identity (identity, revoked_at_ms) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    [.text(identity.uri), .integer(at.milliseconds)]), "identity '\(identity)'")
        case .revokeIssuer(let issuer, let at):
            add(
                PostgresStatement(
                    "UPDATE issuer SET revoked_at_ms = coalesce(revoked_at_ms, $1) WHERE id = $2",
                    [.integer(at.milliseconds), .text(issuer.text)]), "issuer '\(issuer)'", mustTouchARow: true)
        case .revokeToken(let id, let at):
            add(
                PostgresStatement(
                    "UPDATE token SET revoked_at_ms = coalesce(revoked_at_ms, $1) WHERE id = $2",
                    // No id of ours holds a NUL: such a one is just not there.
                    [.integer(at.milliseconds), .text(StorableText.replacingNUL(id))]), "token '\(id)'", mustTouchARow: true)
        case .setMeshIssuer(let mesh, let issuer, let state, let from):
            add(
                PostgresStatement(
                    "UPDATE mesh_issuer SET state = $1 WHERE mesh = $2 AND issuer = $3 AND state = $4",
                    [.text(state.rawValue), .text(mesh.name), .text(issuer.text), .text(from.rawValue)]),
                "issuer '\(issuer)' of mesh '\(mesh)'", mustTouchARow: true,
                constraints: ["mesh_issuer_one_active": "the active issuer of mesh '\(mesh)'"])
        }
    }

    private static func oneReplacement(of rotation: Rotation) -> [String: String] {
        ["rotation_one_replacement": "the rotation of certificate authority '\(rotation.certificateAuthority)'"]
    }

    /// One by one, so that a conflict names the mesh.
    private mutating func addMeshes(of rotation: Rotation) {
        for mesh in rotation.meshes { add(RotationSQL.insertMesh(mesh, of: rotation), "the rotation of mesh '\(mesh)'") }
    }

    /// What holds at the end of the transaction, so that the order of its writes is free, and is no foreign key, since rows of
    /// tokens and of rotations outlive their meshes. A token that is issued while its mesh is deleted must not be there for
    /// the next mesh of the name.
    private mutating func addFinalCheck(of write: LedgerWrite) {
        switch write {
        case .deleteMesh(let mesh, _, _):
            add(RotationSQL.isFree(mesh), "the rotation of mesh '\(mesh)'", mustTouchARow: true)
        case .insertRotation(let rotation):
            for mesh in rotation.meshes { addMeshCheck(mesh) }
        case .insertToken(let token):
            if let mesh = token.mesh { addMeshCheck(mesh) }
        default: break
        }
    }

    private mutating func addMeshCheck(_ mesh: MeshName) {
        add(PostgresStatement("SELECT FROM mesh WHERE name = $1", [.text(mesh.name)]), "the mesh", mustTouchARow: true)
    }

    private mutating func addDeletion(of mesh: MeshName, revision: Int64, freeAt: Timestamp, at: Timestamp) {
        // Its issuers' states, its token signing keys and its services go with the row, by ON DELETE CASCADE. Its tokens stay
        // as records, and mean nothing to the next mesh of the name.
        add(
            PostgresStatement(
                "UPDATE token SET revoked_at_ms = $1 WHERE mesh = $2 AND revoked_at_ms IS NULL",
                [.integer(at.milliseconds), .text(mesh.name)]), "mesh '\(mesh)'")
        add(
            PostgresStatement(
                "UPDATE trust_domain SET free_at_ms = $1 WHERE mesh = $2 AND free_at_ms IS NULL",
                [.integer(freeAt.milliseconds), .text(mesh.name)]), "mesh '\(mesh)'")
        add(
            PostgresStatement(
                "DELETE FROM mesh WHERE name = $1 AND revision = $2", [.text(mesh.name), .integer(revision)]),
            "mesh '\(mesh)'", mustTouchARow: true)
    }

    /// Compare-and-swap on all that was sealed before, so that nothing newer is overwritten.
    private mutating func addResealing(of row: SealedKeyRow, as sealed: SealedKey, from: SealedKey) {
        let (table, column, name, what) =
            switch row {
            case .issuer(let id): ("issuer_key", "issuer", id.text, "the key of issuer '\(id)'")
            case .service(let name): ("service_key", "name", name, "the service key '\(name)'")
            case .tokenSigning(let id): ("token_signing_key", "id", id, "the token signing key '\(id)'")
            }
        add(
            PostgresStatement(
                """
                UPDATE \(table) SET kek_id = $2, wrapped_data_key = $3, ciphertext = $4
                WHERE \(column) = $1 AND kek_id = $5 AND wrapped_data_key = $6 AND ciphertext = $7
                """, [.text(name)] + TransactionPlan.columns(of: sealed) + TransactionPlan.columns(of: from)),
            what, mustTouchARow: true)
    }

    private mutating func addInsertion(of issuer: Issuer, key: IssuerKey) throws(PostgresError) {
        let what = "issuer '\(issuer.id)'"
        add(
            PostgresStatement(
                """
                INSERT INTO issuer (id, certificate_authority, certificate, serial, fingerprint, key_fingerprint,
                    not_before_ms, not_after_ms, revoked_at_ms)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """,
                [
                    .text(issuer.id.text), .text(issuer.certificateAuthority), .bytes(issuer.certificate),
                    .bytes(issuer.serial.bytes), .bytes(issuer.fingerprint.bytes),
                    issuer.keyFingerprint.map { .bytes($0.bytes) } ?? .null, .integer(issuer.notBefore.milliseconds),
                    .integer(issuer.notAfter.milliseconds), .optionalInteger(issuer.revokedAt?.milliseconds),
                ]), what)
        add(
            PostgresStatement(
                """
                INSERT INTO issuer_key (issuer, kek_id, wrapped_data_key, ciphertext, token_key)
                VALUES ($1, $2, $3, $4, $5::jsonb)
                """, [.text(issuer.id.text)] + (try TransactionPlan.columns(of: key))), what)
    }

    private mutating func addInsertion(of mesh: Mesh, at: Timestamp) throws(PostgresError) {
        // The mesh first, so that of two that insert the same one the loser hears of the mesh. Its reference to the trust
        // domain is checked at once, so that row is made before, and taken over only when it is free.
        add(
            PostgresStatement(
                """
                INSERT INTO trust_domain (name, mesh, free_at_ms)
                SELECT $1, $2, NULL WHERE NOT EXISTS (SELECT FROM mesh WHERE name = $2)
                ON CONFLICT (name) DO UPDATE SET mesh = excluded.mesh, free_at_ms = NULL WHERE trust_domain.free_at_ms <= $3
                """, [.text(mesh.trustDomain.name), .text(mesh.name.name), .integer(at.milliseconds)]),
            "trust domain '\(mesh.trustDomain)'")
        add(
            PostgresStatement(
                """
                INSERT INTO mesh (name, trust_domain, document, revision, created_at_ms, modified_at_ms)
                SELECT $1, $2, $3::jsonb, revision, $4, $4 FROM ledger_revision
                """,
                [
                    .text(mesh.name.name), .text(mesh.trustDomain.name), .text(try JSONText.write(mesh)),
                    .integer(at.milliseconds),
                ]), "mesh '\(mesh.name)'", constraints: ["mesh_trust_domain_key": "trust domain '\(mesh.trustDomain)'"])
        // The trust domain is this mesh's now, or it was taken.
        add(
            PostgresStatement(
                "UPDATE trust_domain SET free_at_ms = NULL WHERE name = $1 AND mesh = $2 AND free_at_ms IS NULL",
                [.text(mesh.trustDomain.name), .text(mesh.name.name)]),
            "trust domain '\(mesh.trustDomain)'", mustTouchARow: true)
    }

    private static func columns(of access: CrossMeshAccess) throws(PostgresError) -> [PostgresValue] {
        [
            .text(access.name), .text(access.from.mesh.name), .text(access.to.mesh.name),
            .text(try JSONText.write(access)),
        ]
    }

    private static func columns(of key: IssuerKey) throws(PostgresError) -> [PostgresValue] {
        switch key {
        case .sealed(let sealed): columns(of: sealed) + [.null]
        case .token(let reference):
            // What `issuer_key_one_place` asks of a key that is not here.
            [.text("pkcs11"), .bytes([]), .bytes([]), .text(try JSONText.write(reference))]
        }
    }

    private static func columns(of key: SealedKey) -> [PostgresValue] {
        [.text(key.keyEncryptionKeyID), .bytes(key.wrappedDataKey), .bytes(key.ciphertext)]
    }
}
