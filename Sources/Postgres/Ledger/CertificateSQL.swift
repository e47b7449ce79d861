internal import Authority
internal import AuthorityService
internal import PKI

/// The issuance ledger's statements, and its rows as records.
enum CertificateSQL {
    /// All records in one statement: a batch of 100 costs little more than a single row.
    ///
    /// The rows keep the batch's order: functions in FROM give theirs in order, and nothing here sorts. Through the top of the
    /// partitions, which find the week's table at no measurable cost; what PostgreSQL spends goes into the indexes.
    static func insert(_ certificates: [CertificateRecord]) -> PostgresStatement {
        let count = certificates.count
        func array(_ element: PostgresArray.Element, _ octets: Int) -> PostgresArray {
            PostgresArray(of: element, room: count * (octets + 4))
        }
        var (serial, signedBy, digest) = (array(.bytes, 17), array(.bytes, 17), array(.bytes, 32))
        var (notBefore, notAfter, issuedAt) = (array(.integer, 8), array(.integer, 8), array(.integer, 8))
        var (kind, mesh, authority, issuer) = (array(.text, 8), array(.text, 24), array(.text, 32), array(.text, 16))
        var (identity, token, proxy, tags, node) = (
            array(.text, 64), array(.text, 36), array(.text, 32), array(.text, 64), array(.text, 32)
        )
        for record in certificates {
            serial.append(record.serial.bytes)
            kind.append(record.kind.rawValue)
            mesh.append(record.mesh?.name)
            authority.append(record.certificateAuthority)
            issuer.append(record.issuer.text)
            signedBy.append(record.signedBy.bytes)
            identity.append(record.identity?.uri)
            notBefore.append(record.notBefore.milliseconds)
            notAfter.append(record.notAfter.milliseconds)
            digest.append(record.digest.bytes)
            issuedAt.append(record.issuedAt.milliseconds)
            token.append(record.origin?.tokenID)
            proxy.append(record.origin?.proxy)
            tags.append(record.origin.map { JSONText.write(StorableText.storable($0.tags)) })
            node.append(record.origin?.node)
        }
        return PostgresStatement(
            """
            INSERT INTO certificate (serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node)
            SELECT serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags::jsonb, node
            FROM unnest($1::bytea[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[],
                $8::bigint[], $9::bigint[], $10::bytea[], $11::bigint[], $12::text[], $13::text[], $14::text[],
                $15::text[])
                AS given (serial, kind, mesh, certificate_authority, issuer, signed_by, identity,
                not_before_ms, not_after_ms, digest, issued_at_ms, token_id, proxy, tags, node)
            """,
            [
                serial, kind, mesh, authority, issuer, signedBy, identity, notBefore, notAfter, digest, issuedAt, token, proxy,
                tags, node,
            ].map { .array($0) })
    }

    /// As `insert`, but for those whose serial is in its week already.
    static func insertMissing(_ certificates: [CertificateRecord]) -> PostgresStatement {
        var statement = insert(certificates)
        statement.sql += "\nON CONFLICT DO NOTHING"
        return statement
    }

    private static let columns = """
        seq, serial, kind, mesh, certificate_authority, issuer, signed_by, identity, not_before_ms, not_after_ms, digest,
        issued_at_ms, token_id, proxy, tags::text, node
        """

    /// Wherever it is, which without the end is asked of each week, by an index of its own.
    static func select(_ serial: SerialNumber) -> PostgresStatement {
        PostgresStatement("SELECT \(columns) FROM certificate WHERE serial = $1 LIMIT 1", [.bytes(serial.bytes)])
    }

    /// The certificates at `places`, of which there is one at least; `table` has them or has them not.
    ///
    /// Each is one step into the index of serials: with a limit PostgreSQL looks at them one by one, whatever it believes about the
    /// table. One alone has a statement of its own, which is planned in half of the time.
    static func select(_ places: [LedgerPlace], from table: String) -> PostgresStatement {
        if places.count == 1 {
            return PostgresStatement(
                "SELECT \(columns) FROM \(table) WHERE serial = $1 AND not_after_ms = $2 LIMIT 1",
                [.bytes(places[0].serial.bytes), .integer(places[0].notAfter.milliseconds)])
        }
        return PostgresStatement(
            """
            SELECT \(columns) FROM unnest($1::bytea[], $2::bigint[]) AS asked (asked_serial, asked_end) CROSS JOIN LATERAL (
                SELECT * FROM \(table) WHERE serial = asked_serial AND not_after_ms = asked_end LIMIT 1
            ) AS found
            """,
            [.bytesArray(places.map(\.serial.bytes)), .integerArray(places.map(\.notAfter.milliseconds))])
    }

    static func select(_ query: CertificateQuery) -> PageStatements {
        var page = PageStatements(table: "certificate", columns: columns, size: query.size, cursor: query.cursor)
        if let mesh = query.mesh { page.filter(.text(mesh.name)) { digestAndText("mesh", "\($0)::text") } }
        // Leaves alone have an identity, and an index for it.
        if let kind = query.kind ?? query.identity.map({ _ in CertificateRecord.Kind.leaf }) {
            page.filter("kind", .text(kind.rawValue))
        }
        if let identity = query.identity { page.filter(.text(identity.uri)) { digestAndText("identity", "\($0)::text") } }
        return page
    }

    /// By the digest, which has the index, and by itself, for two texts may have the same.
    private static func digestAndText(_ column: String, _ value: String) -> String {
        "\(digest(column)) = \(digest(value)) AND \(column) = \(value)"
    }

    private static func digest(_ text: String) -> String { "hashtextextended(\(text), 0)" }

    /// The leaves of one of `signing`, with the recheck by name where digests could lead astray.
    private static let ofSigner = """
        \(digestAndText("mesh", "signing.mesh")) AND \(digest("issuer")) = signing.issuer AND kind = 'leaf'
        """

    /// From when on the trust domain is free again; null while a mesh has it.
    static func release(of trustDomain: TrustDomain) -> PostgresStatement {
        PostgresStatement("SELECT free_at_ms FROM trust_domain WHERE name = $1", [.text(trustDomain.name)])
    }

    /// When the last unexpired certificate ends of the mesh that has the trust domain, or had it last. Roots do not count: their
    /// keys go with the mesh.
    static func lastExpiry(of trustDomain: TrustDomain, at now: Timestamp) -> PostgresStatement {
        PostgresStatement(
            """
            WITH RECURSIVE of_mesh AS MATERIALIZED (
                SELECT mesh FROM trust_domain WHERE name = $1
            ), \(signing(meshes: "SELECT mesh FROM of_mesh", since: "$2"))
            SELECT greatest(
                (SELECT max((
                    SELECT not_after_ms FROM certificate
                    WHERE \(ofSigner) AND not_after_ms > $3
                    ORDER BY not_after_ms DESC LIMIT 1
                )) FROM signing WHERE issuer IS NOT NULL),
                (SELECT not_after_ms FROM certificate
                    WHERE mesh = (SELECT mesh FROM of_mesh) AND kind = 'issuing' AND not_after_ms > $3
                    ORDER BY not_after_ms DESC LIMIT 1)
            )
            """,
            [.text(trustDomain.name), .integer(LedgerWeek(containing: now).start.milliseconds), .integer(now.milliseconds)])
    }

    /// For each mesh the earliest end among the leaves that no later one of the same identity and proxy replaced.
    ///
    /// Reads the unexpired leaves of the mesh, one or two for each proxy, through the index of ends, and keeps the last of each
    /// proxy. Which of these an expired one replaced in turn, because leaves were made to live shorter meanwhile, is asked in
    /// the order of their ends until the first that none did: nearly always once. OFFSET 0 and the scalar subquery keep the
    /// planner from asking it of all. Such an expired one ended after the other began: no week before that is opened.
    static func earliestLeafExpiry(at now: Timestamp) -> PostgresStatement {
        PostgresStatement(
            """
            WITH RECURSIVE \(signing(meshes: "SELECT name FROM mesh", since: "$2"))
            SELECT name, (
                SELECT not_after_ms FROM (
                    SELECT * FROM (
                        SELECT DISTINCT ON (identity, proxy) identity, proxy, seq, not_before_ms, not_after_ms
                        FROM signing CROSS JOIN LATERAL (
                            SELECT identity, proxy, seq, not_before_ms, not_after_ms FROM certificate
                            WHERE \(ofSigner) AND not_after_ms > $1
                            OFFSET 0
                        ) AS leaf
                        WHERE signing.mesh = name AND signing.issuer IS NOT NULL
                        ORDER BY identity, proxy, seq DESC
                    ) AS newest ORDER BY not_after_ms OFFSET 0
                ) AS candidate
                WHERE (
                    SELECT seq FROM certificate AS later
                    WHERE \(digestAndText("later.identity", "candidate.identity"))
                        AND later.seq > candidate.seq AND later.kind = 'leaf'
                        AND later.mesh = name AND later.proxy IS NOT DISTINCT FROM candidate.proxy
                        AND later.not_after_ms > candidate.not_before_ms AND later.not_after_ms <= $1
                    LIMIT 1
                ) IS NULL
                ORDER BY not_after_ms LIMIT 1
            ) FROM mesh
            """, [.integer(now.milliseconds), .integer(LedgerWeek(containing: now).start.milliseconds)])
    }

    /// Who signed leaves of each of `meshes` that end in or after the week that begins at `since`: rows of (mesh, digest of the
    /// issuer), the last of each mesh without one.
    ///
    /// From each to the next by the index of ends, which has the mesh and the issuer in front: a step reads one entry of each week
    /// that is not over. That a leaf has not ended is asked of its issuer's entries then, all of one stretch. A query for the mesh
    /// alone would read every entry of the week, which for leaves that live an hour are hundreds for each proxy.
    private static func signing(meshes: String, since: String) -> String {
        let issuer = digest("issuer")
        func next(_ mesh: String, _ condition: String) -> String {
            """
            SELECT \(issuer) FROM certificate
                    WHERE \(digestAndText("mesh", mesh)) AND kind = 'leaf' AND not_after_ms >= \(since)\(condition)
                    ORDER BY \(issuer) LIMIT 1
            """
        }
        return """
            signing (mesh, issuer) AS (
                SELECT asked.mesh, (\(next("asked.mesh", ""))) FROM (\(meshes)) AS asked (mesh)
                UNION ALL
                SELECT before.mesh, (\(next("before.mesh", " AND \(issuer) > before.issuer")))
                FROM signing AS before WHERE before.issuer IS NOT NULL
            )
            """
    }

    /// Whoever holds an unexpired leaf in one of the meshes, by the index of ends.
    ///
    /// A small limit asks who there is at all: then no more than a few rows of each mesh and issuer are read, those that end last.
    static func outstandingLeaves(
        in meshes: Set<MeshName>, issuer: IssuerID?, issuedBefore: Timestamp?, at now: Timestamp, limit: Int
    ) -> PostgresStatement {
        let limit = Int64(max(limit, 0))
        var parameters: [PostgresValue] = [
            .textArray(meshes.map(\.name).sorted()), .integer(now.milliseconds), .integer(limit),
            .integer(issuedBefore?.milliseconds ?? .max),
        ]
        let signers: String
        var ofIssuer = ""
        if let issuer {
            parameters.append(.text(issuer.text))
            signers = "signing (mesh, issuer) AS (SELECT asked.mesh, \(digest("$5::text")) FROM unnest($1) AS asked (mesh))"
            ofIssuer = " AND issuer = $5"
        } else {
            parameters.append(.integer(LedgerWeek(containing: now).start.milliseconds))
            signers = signing(meshes: "SELECT unnest($1)", since: "$5")
        }
        var bound = "OFFSET 0"
        if limit <= smallLimit {
            parameters.append(.integer(limit * rowsForEachHolder))
            bound = "ORDER BY not_after_ms DESC LIMIT $6"
        }
        return PostgresStatement(
            """
            WITH RECURSIVE \(signers)
            SELECT mesh, identity, proxy, node, max(not_after_ms) AS not_after_ms
            FROM signing CROSS JOIN LATERAL (
                SELECT identity, coalesce(proxy, '') AS proxy, node, not_after_ms FROM certificate
                WHERE \(ofSigner) AND not_after_ms > $2
                    AND issued_at_ms < $4 AND identity IS NOT NULL\(ofIssuer)
                \(bound)
            ) AS leaf
            WHERE signing.issuer IS NOT NULL
            GROUP BY mesh, identity, proxy, node
            ORDER BY max(not_after_ms) DESC, mesh COLLATE "C", identity COLLATE "C", proxy COLLATE "C", node COLLATE "C" NULLS FIRST
            LIMIT $3
            """, parameters)
    }

    /// Up to it the answer is for a person, or a yes or no.
    private static let smallLimit: Int64 = 1000
    /// A proxy renews at half of its leaf's life and so holds two or three; sixteen leave room for those that restart.
    private static let rowsForEachHolder: Int64 = 16

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
