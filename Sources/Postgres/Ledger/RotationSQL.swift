internal import Authority
internal import AuthorityService
internal import PKI

/// The statements of the rotations, and their rows as entries.
enum RotationSQL {
    static func insert(_ rotation: Rotation) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO rotation (id, kind, meshes, certificate_authority, previous_authority, from_issuer, to_issuer, phase,
                phase_since_ms, retire_after, started_at_ms, ended_at_ms, trigger, is_manual, is_paused, cross_certificate,
                cross_not_before_ms, cross_not_after_ms, revision)
            SELECT $1, $2, $3::text::jsonb, $4, $5, $6, $7, $8, $9, $10, $11, $12::bigint, $13, $14, $15, $16::bytea,
                $17::bigint, $18::bigint, revision
            FROM ledger_revision
            """, columns(of: rotation))
    }

    /// Touches no row when the revision is another.
    static func replace(_ rotation: Rotation, revision: Int64) -> PostgresStatement {
        PostgresStatement(
            """
            UPDATE rotation SET kind = $2, meshes = $3::text::jsonb, certificate_authority = $4, previous_authority = $5,
                from_issuer = $6, to_issuer = $7, phase = $8, phase_since_ms = $9, retire_after = $10, started_at_ms = $11,
                ended_at_ms = $12, trigger = $13, is_manual = $14, is_paused = $15, cross_certificate = $16,
                cross_not_before_ms = $17, cross_not_after_ms = $18, revision = (SELECT revision FROM ledger_revision)
            WHERE id = $1 AND revision = $19
            """, columns(of: rotation) + [.integer(revision)])
    }

    /// Parts the rotation from its meshes.
    static func deleteMeshes(of id: String) -> PostgresStatement {
        PostgresStatement("DELETE FROM rotation_mesh WHERE rotation = $1", [.text(id)])
    }

    /// One mesh of the rotation that this transaction wrote; the index of running ones refuses a second. Nothing when the
    /// compare-and-swap before it was lost, so that its loser hears of the rotation.
    static func insertMesh(_ mesh: MeshName, of rotation: Rotation) -> PostgresStatement {
        PostgresStatement(
            """
            INSERT INTO rotation_mesh (rotation, mesh, is_running)
            SELECT id, $2, $3 FROM rotation JOIN ledger_revision USING (revision) WHERE id = $1
            """,
            [.text(rotation.id), .text(mesh.name), .boolean(rotation.phase.isRunning)])
    }

    /// One row unless a rotation of the mesh runs.
    static func isFree(_ mesh: MeshName) -> PostgresStatement {
        PostgresStatement(
            "SELECT WHERE NOT EXISTS (SELECT FROM rotation_mesh WHERE mesh = $1 AND is_running)", [.text(mesh.name)])
    }

    /// In the order that `read` expects.
    private static let columnNames = [
        "seq", "id", "kind", "meshes", "certificate_authority", "previous_authority", "from_issuer", "to_issuer", "phase",
        "phase_since_ms", "retire_after", "started_at_ms", "ended_at_ms", "trigger", "is_manual", "is_paused",
        "cross_certificate", "cross_not_before_ms", "cross_not_after_ms", "revision",
    ]

    private static let columns = columnNames.map { $0 == "meshes" ? "meshes::text" : $0 }.joined(separator: ", ")

    /// Those that run.
    static let selectRunning = PostgresStatement(
        "SELECT \(columns) FROM rotation WHERE phase NOT IN ('aborted', 'completed')")

    static func select(_ id: String) -> PostgresStatement {
        PostgresStatement("SELECT \(columns) FROM rotation WHERE id = $1", [.text(id)])
    }

    static func select(_ query: RotationQuery) -> PageStatements {
        var page = PageStatements(table: "rotation", columns: columns, size: query.size, cursor: query.cursor)
        if let mesh = query.mesh {
            page.filter(.text(mesh.name)) { "id IN (SELECT rotation FROM rotation_mesh WHERE mesh = \($0))" }
        }
        if let authority = query.certificateAuthority {
            // No certificate authority has a name with a NUL.
            page.filter(.text(StorableText.replacingNUL(authority))) {
                "(certificate_authority = \($0) OR previous_authority = \($0))"
            }
        }
        return page
    }

    /// A row that somebody edited into nonsense is an error that names the rotation and the column.
    static func read(_ reader: inout RowReader) throws(PostgresError) -> (Int64, AuthorityState.RotationEntry) {
        let seq = try reader.integer()
        let id = try reader.text()
        do throws(PostgresError) {
            return (seq, try entry(id, &reader))
        } catch {
            let column = columnNames.indices.contains(reader.column - 1) ? columnNames[reader.column - 1] : "\(reader.column)"
            let why = if case .unexpectedResult(let detail) = error { detail } else { "\(error)" }
            throw .unexpectedResult(detail: "the row of the rotation '\(id)' makes no sense in its column '\(column)': \(why)")
        }
    }

    private static func entry(_ id: String, _ reader: inout RowReader) throws(PostgresError) -> AuthorityState.RotationEntry {
        let kind = try reader.text(as: "a kind of rotation") { Rotation.Kind(rawValue: $0) }
        let meshes = try reader.text(as: "a list of mesh names") { try JSONText.read([MeshName].self, $0) }
        let (authority, previous) = (try reader.text(), try reader.text())
        let from = try reader.text(as: "an issuer id") { IssuerID($0) }
        let to = try reader.text(as: "an issuer id") { IssuerID($0) }
        let phase = try reader.text(as: "a phase of a rotation") { Rotation.Phase(rawValue: $0) }
        let phaseSince = Timestamp(milliseconds: try reader.integer())
        let retireAfter = try reader.text(as: "what retirement waits for") { RetireAfter(rawValue: $0) }
        var rotation = Rotation(
            id: id, kind: kind, meshes: meshes, certificateAuthority: authority, previousAuthority: previous, from: from, to: to,
            phase: phase, retireAfter: retireAfter, startedAt: Timestamp(milliseconds: try reader.integer()))
        rotation.phaseSince = phaseSince
        rotation.endedAt = try reader.optionalInteger().map { Timestamp(milliseconds: $0) }
        rotation.trigger = try reader.text(as: "what began a rotation") { Rotation.Trigger(rawValue: $0) }
        rotation.isManual = try reader.boolean()
        rotation.isPaused = try reader.boolean()
        rotation.crossCertificate = try crossCertificate(&reader)
        return AuthorityState.RotationEntry(rotation: rotation, revision: try reader.integer())
    }

    private static func crossCertificate(_ reader: inout RowReader) throws(PostgresError) -> CrossCertificate? {
        let certificate = try reader.optionalBytes()
        let (notBefore, notAfter) = (try reader.optionalInteger(), try reader.optionalInteger())
        switch (certificate, notBefore, notAfter) {
        case (nil, nil, nil): return nil
        case (let certificate?, let notBefore?, let notAfter?):
            return CrossCertificate(
                certificate: certificate, notBefore: Timestamp(milliseconds: notBefore),
                notAfter: Timestamp(milliseconds: notAfter))
        default: throw .unexpectedResult(detail: "a cross certificate is all of three columns, or none of them")
        }
    }

    private static func columns(of rotation: Rotation) -> [PostgresValue] {
        [
            .text(rotation.id), .text(rotation.kind.rawValue), .text(JSONText.write(rotation.meshes.map(\.name))),
            .text(rotation.certificateAuthority), .text(rotation.previousAuthority), .text(rotation.from.text),
            .text(rotation.to.text), .text(rotation.phase.rawValue), .integer(rotation.phaseSince.milliseconds),
            .text(rotation.retireAfter.rawValue), .integer(rotation.startedAt.milliseconds),
            .optionalInteger(rotation.endedAt?.milliseconds), .text(rotation.trigger.rawValue), .boolean(rotation.isManual),
            .boolean(rotation.isPaused), rotation.crossCertificate.map { .bytes($0.certificate) } ?? .null,
            .optionalInteger(rotation.crossCertificate?.notBefore.milliseconds),
            .optionalInteger(rotation.crossCertificate?.notAfter.milliseconds),
        ]
    }
}
