import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

@testable import Postgres

/// The ledger in weeks: what goes where, what is made ahead, and what is forgotten.
@Suite("The ledger's weeks", .timeLimit(.minutes(3)))
struct PartitionTests {
    private typealias Fixture = LedgerFixture

    private static let retention = Duration.seconds(90 * 86_400)
    private static let now = MemoryLedger.systemTime()

    private static func leaf(
        _ number: UInt64, endingAt end: Timestamp, mesh: String = "m", issuedAt: Timestamp? = nil
    ) throws -> CertificateRecord {
        var record = try Fixture.leaf(number, mesh: mesh)
        record.notAfter = end.wholeSeconds
        record.issuedAt = issuedAt ?? end - .seconds(86_400)
        record.notBefore = record.issuedAt - .seconds(10)
        return record
    }

    private static func rows(_ sql: String, of database: TestDatabase) async throws -> [String] {
        let deadline = ContinuousClock.now + .seconds(30)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        return try await connection.execute([PostgresStatement(sql)], deadline: deadline)[0].rows.map { row in
            var reader = RowReader(row)
            return try reader.text()
        }
    }

    private static func weeks(of database: TestDatabase) async throws -> [String] {
        try await rows(
            """
            SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'certificate_leaf'::regclass
                AND inhrelid <> 'certificate_stray'::regclass ORDER BY 1
            """, of: database)
    }

    /// Where the certificate with this serial is.
    private static func place(of number: UInt64, in database: TestDatabase) async throws -> [String] {
        try await rows(
            "SELECT tableoid::regclass::text FROM certificate WHERE serial = '\\x\(Fixture.serial(number))'", of: database)
    }

    @Test func `weeks begin on Thursdays, and one ends where the next begins`() {
        let week = LedgerWeek(containing: Timestamp(seconds: 1_795_046_400))
        #expect(
            week.name == "20261119" && week.start.iso8601 == "2026-11-19T00:00:00Z" && week.end.iso8601 == "2026-11-26T00:00:00Z")
        #expect(LedgerWeek(containing: week.start - .milliseconds(1)).end == week.start)
        #expect(LedgerWeek(containing: week.end - .milliseconds(1)) == week && LedgerWeek(containing: week.end).start == week.end)
        #expect(LedgerWeek(containing: Timestamp(milliseconds: -1)).number == -1)
    }

    @Test func `a fresh ledger has the weeks of the next month, and a leaf is in the week of its end`() async throws {
        let database = try await TestDatabase.make()
        let first = LedgerWeek(containing: Self.now)
        #expect(
            try await Self.weeks(of: database) == (0..<5).map { PartitionSQL.name(of: LedgerWeek(number: first.number + $0)) })
        var root = try Self.leaf(2, endingAt: Self.now + .seconds(315_360_000))
        root.kind = .root
        try await database.withLedger { try await $0.record([Self.leaf(1, endingAt: Self.now + .seconds(86_400)), root]) }
        let week = LedgerWeek(containing: (Self.now + .seconds(86_400)).wholeSeconds)
        #expect(try await Self.place(of: 1, in: database) == [PartitionSQL.name(of: week)])
        #expect(try await Self.place(of: 2, in: database) == ["certificate_chain"])
    }

    @Test func `a serial is refused twice in a week, and its whole batch with it`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            let end = LedgerWeek(containing: Self.now).end
            try await ledger.record([Self.leaf(1, endingAt: end)])
            for second in [end, end + .seconds(3600)] {
                let failure = await #expect(throws: LedgerFailure.self) {
                    try await ledger.record([Self.leaf(2, endingAt: end), Self.leaf(1, endingAt: second)])
                }
                #expect(failure == .conflict(what: "one of the serials"))
            }
            #expect(try await ledger.certificate(Fixture.serial(2)) == nil)
            // In another week the random bits of the serial alone keep it from happening.
            try await ledger.record([Self.leaf(1, endingAt: end - .seconds(1))])
            #expect(try await ledger.certificates(CertificateQuery(mesh: MeshName("m"))).total == 2)
        }
    }

    @Test func `a leaf that ends in no week is kept, found, and moved once its week is made`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            let end = (Self.now + .seconds(200 * 86_400)).wholeSeconds
            let record = try Self.leaf(1, endingAt: end, issuedAt: Self.now)
            try await ledger.record([record])
            #expect(try await Self.place(of: 1, in: database) == ["certificate_stray"])
            #expect(try await ledger.certificate(record.serial, notAfter: end) == record)
            let short = try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention)
            #expect(short.strays == 1 && short.made.isEmpty && short.dropped.isEmpty)
            let long = try await ledger.upkeep(at: Self.now, horizon: end, retention: Self.retention)
            #expect(
                long.strays == 0
                    && long.made.count == Int(LedgerWeek(containing: end).number - LedgerWeek(containing: Self.now).number) - 4)
            #expect(try await Self.place(of: 1, in: database) == [PartitionSQL.name(of: LedgerWeek(containing: end))])
            #expect(try await ledger.certificate(record.serial, notAfter: end) == record)
            // Its number stayed what it was, and the next one is another.
            try await ledger.record([Self.leaf(2, endingAt: end)])
            #expect(
                try await ledger.certificates(CertificateQuery(mesh: MeshName("m"))).items.map(\.serial)
                    == [2, 1].map { Fixture.serial($0) })
            let failure = await #expect(throws: LedgerFailure.self) { try await ledger.record([record]) }
            #expect(failure == .conflict(what: "the certificate with serial \(record.serial)"))
        }
    }

    @Test func `weeks are made ahead from whatever the date is, once, and across a week's end`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            let end = LedgerWeek(containing: Self.now + .seconds(400 * 86_400)).end
            let before = try await ledger.upkeep(
                at: end - .milliseconds(1), horizon: end - .milliseconds(1), retention: Self.retention)
            #expect(before.made.map(\.end) == [end])
            let after = try await ledger.upkeep(at: end, horizon: end + .seconds(7 * 86_400), retention: Self.retention)
            #expect(after.made.map(\.start) == [end, end + .seconds(7 * 86_400)])
            let again = try await ledger.upkeep(at: end, horizon: end + .seconds(7 * 86_400), retention: Self.retention)
            #expect(again == LedgerUpkeep())
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `retention forgets whole weeks that ended long enough ago, and nothing else`(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let over = LedgerWeek(containing: Self.now - Self.retention - .seconds(8 * 86_400))
            #expect(over.end <= Self.now - Self.retention)
            let kept = LedgerWeek(number: over.number + 2)
            #expect(kept.end > Self.now - Self.retention)
            // As they were made when they were to come.
            let made = try await ledger.upkeep(at: over.start, horizon: Self.now, retention: Self.retention)
            #expect(made.made.first == over && made.dropped == [])
            var root = try Self.leaf(5, endingAt: over.start)
            root.kind = .root
            var issuing = root
            (issuing.kind, issuing.serial) = (.issuing, Fixture.serial(6))
            var needed = root
            (needed.serial, needed.issuer) = (Fixture.serial(7), Fixture.issuer(9, of: "m.ca-1").id)
            _ = try await ledger.commit(Fixture.creation("m", issuer: 9))
            try await ledger.record([
                Self.leaf(1, endingAt: over.start), Self.leaf(2, endingAt: over.end - .seconds(1)),
                Self.leaf(3, endingAt: kept.start),
                Self.leaf(4, endingAt: Self.now + .seconds(60)), root, issuing, needed,
            ])
            let done = try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention)
            // The root of an issuer that is there stays with it.
            #expect(done.dropped == ["certificate_leaf_\(over.name)"] && done.removed == 2 && done.strays == 0)
            let left = try await ledger.certificates(CertificateQuery(mesh: MeshName("m"))).items.map(\.serial)
            #expect(Set(left) == Set([3, 4, 7].map { Fixture.serial($0) }))
            let trail = try await ledger.audit(AuditQuery()).items.filter { $0.action.hasPrefix("ledger-") }
            #expect(trail.map(\.action).sorted() == ["ledger-partition-dropped", "ledger-rows-removed"])
            let dropped = try #require(trail.first { $0.action == "ledger-partition-dropped" })
            #expect(dropped.object == "certificate_leaf_\(over.name)" && dropped.actor == "system" && dropped.at == Self.now)
            #expect(dropped.details["ended-before"] == over.end.iso8601)
            let again = try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention)
            #expect(again.dropped.isEmpty && again.removed == 0)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `a replica whose clock is far ahead forgets nothing that has not ended by the database's`(_ kind: LedgerKind)
        async throws
    {
        try await kind.withLedger { ledger in
            let record = try Self.leaf(1, endingAt: Self.now + .seconds(86_400))
            _ = try await ledger.upkeep(at: Self.now, horizon: record.notAfter, retention: Self.retention)
            try await ledger.record([record])
            let ahead = Self.now + .seconds(400 * 86_400)
            let done = try await ledger.upkeep(at: ahead, horizon: ahead, retention: .seconds(86_400))
            #expect(done.dropped.isEmpty && done.removed == 0)
            #expect(try await ledger.certificate(record.serial, notAfter: record.notAfter) == record)
        }
    }

    @Test func `of many replicas at once one drops each week, while others record`() async throws {
        let database = try await TestDatabase.make()
        let over = LedgerWeek(containing: Self.now - Self.retention - .seconds(30 * 86_400))
        try await database.withLedger { ledger in
            _ = try await ledger.upkeep(at: over.start, horizon: Self.now, retention: Self.retention)
            try await ledger.record([Self.leaf(1, endingAt: over.start)])
        }
        let before = try await Self.weeks(of: database)
        let expected = before.filter { name in
            LedgerWeek(containing: Self.now - Self.retention).start.iso8601.filter { $0 != "-" }.prefix(8) > name.suffix(8)
        }
        #expect(expected.count > 2)
        try await database.withLedger { first in
            try await database.withLedger { second in
                try await withThrowingTaskGroup(of: [String].self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            let ledger = number % 2 == 0 ? first : second
                            return try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention).dropped
                        }
                        group.addTask {
                            for part in 0..<20 {
                                let serial = UInt64(1000 + number * 100 + part)
                                try await second.record([Self.leaf(serial, endingAt: Self.now + .seconds(60))])
                            }
                            return []
                        }
                    }
                    var dropped = try await group.reduce(into: []) { $0 += $1 }
                    // Whoever was told that another does it leaves what remains to the next round.
                    dropped += try await first.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention).dropped
                    #expect(dropped.sorted() == expected)
                }
                let trail = try await first.audit(AuditQuery()).items.filter { $0.action == "ledger-partition-dropped" }
                #expect(trail.map(\.object).sorted() == expected)
                #expect(try await first.certificates(CertificateQuery(mesh: MeshName("m"))).total == 160)
            }
        }
    }

    @Test func `a week that somebody holds is left for the next round, and nobody waits long`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            let over = LedgerWeek(containing: Self.now - Self.retention - .seconds(8 * 86_400))
            _ = try await ledger.upkeep(at: over.start, horizon: over.start, retention: Self.retention)
            let deadline = ContinuousClock.now + .seconds(30)
            let reader = try await PostgresConnection.open(database.configuration, deadline: deadline)
            _ = try await reader.execute(
                [.begin, PostgresStatement("SELECT count(*) FROM \(PartitionSQL.name(of: over))")], deadline: deadline)
            let failure = await #expect(throws: LedgerFailure.self) {
                _ = try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention)
            }
            guard case .unavailable = failure else { throw failure ?? .rejected(detail: "nothing was thrown") }
            _ = try await reader.execute([.commit], deadline: deadline)
            let done = try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention)
            #expect(done.dropped == [PartitionSQL.name(of: over)])
        }
    }

    // MARK: - From before there were weeks

    /// The statement that the release before this one records certificates with.
    private static let olderInsert = """
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
        """

    /// Those with which it reads them, and how many rows each gives of one leaf in the mesh `m`.
    private static let olderReads: [(sql: String, rows: Int)] = [
        ("SELECT seq, serial, kind, tags::text, node FROM certificate WHERE serial = '\\x\(Fixture.serial(1))'", 1),
        ("SELECT seq, serial FROM certificate WHERE mesh = 'm' AND seq < 1000 ORDER BY seq DESC LIMIT 101", 2),
        ("SELECT seq, serial FROM certificate WHERE identity = 'spiffe://m/api' ORDER BY seq DESC LIMIT 101", 1),
        ("SELECT max(not_after_ms) FROM certificate WHERE mesh = 'm' AND kind IN ('issuing', 'leaf')", 1),
        (
            """
            SELECT name, (
                SELECT not_after_ms FROM (
                    SELECT * FROM (
                        SELECT DISTINCT ON (identity, proxy) identity, proxy, seq, not_after_ms FROM certificate
                        WHERE mesh = name AND kind = 'leaf' AND not_after_ms > 0
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
            ) FROM (VALUES ('m')) AS mesh (name)
            """, 1
        ),
        (
            """
            SELECT mesh, identity, coalesce(proxy, '') AS proxy, node, max(not_after_ms) AS not_after_ms FROM certificate
            WHERE mesh = ANY ('{m}') AND kind = 'leaf' AND not_after_ms > 0 AND issued_at_ms < 9000000000000
                AND identity IS NOT NULL
            GROUP BY mesh, identity, coalesce(proxy, ''), node
            ORDER BY max(not_after_ms) DESC, mesh COLLATE "C" LIMIT 10
            """, 1
        ),
    ]

    private static func write(_ records: [CertificateRecord], byOlderReleaseOn connection: PostgresConnection) async throws {
        var statement = CertificateSQL.insert(records)
        statement.sql = olderInsert
        _ = try await connection.execute([statement], deadline: ContinuousClock.now + .seconds(10))
    }

    private static func migrate(_ database: TestDatabase, to version: Int) async throws {
        _ = try await SchemaMigrator(
            database.configuration, migrations: Array(SchemaMigration.all.prefix(version)), limit: .seconds(60),
            logger: TestDatabase.logger
        ).migrate()
    }

    @Test func `an older ledger goes on under the new one, and the release before writes and reads beside it`() async throws {
        let database = try await TestDatabase.makeEmpty()
        try await Self.migrate(database, to: 4)
        let connection = try await PostgresConnection.open(
            database.configuration, deadline: ContinuousClock.now + .seconds(10))
        var root = try Self.leaf(9, endingAt: Self.now + .seconds(315_360_000), issuedAt: Self.now)
        (root.kind, root.identity, root.origin) = (.root, nil, nil)
        let first = try Self.leaf(1, endingAt: Self.now + .seconds(3600), issuedAt: Self.now)
        try await Self.write([first, root], byOlderReleaseOn: connection)
        // Between the steps, as after them.
        try await Self.migrate(database, to: 6)
        try await Self.write(
            [Self.leaf(2, endingAt: Self.now + .seconds(3600), mesh: "n", issuedAt: Self.now)], byOlderReleaseOn: connection)
        try await Self.migrate(database, to: SchemaMigration.all.count)
        for (sql, rows) in Self.olderReads {
            let found = try await connection.execute([PostgresStatement(sql)], deadline: ContinuousClock.now + .seconds(10))[0]
            #expect(found.rows.count == rows, "\(sql)")
        }
        try await database.withLedger { ledger in
            #expect(try await ledger.certificate(first.serial, notAfter: first.notAfter) == first)
            // Up to a day later into the old table, which every statement still asks, and then into the weeks.
            let soon = try Self.leaf(3, endingAt: Self.now + .seconds(90_000), issuedAt: Self.now + .seconds(3600))
            let later = try Self.leaf(
                4, endingAt: Self.now + .seconds(2 * 86_400 + 60), issuedAt: Self.now + .seconds(2 * 86_400))
            try await ledger.record([soon])
            try await Self.write([later], byOlderReleaseOn: connection)
            #expect(try await Self.place(of: 3, in: database) == ["certificate_early"])
            #expect(try await Self.place(of: 4, in: database) == [PartitionSQL.name(of: LedgerWeek(containing: later.notAfter))])
            let mesh = try MeshName("m")
            let page = try await ledger.certificates(CertificateQuery(mesh: mesh))
            #expect(page.items.map(\.serial) == [4, 3, 9, 1].map { Fixture.serial($0) } && page.total == 4)
            let ofIdentity = try await ledger.certificates(CertificateQuery(mesh: mesh, identity: SPIFFEID("spiffe://m/api")))
            #expect(ofIdentity.items.map(\.serial) == [4, 3, 1].map { Fixture.serial($0) })
            let outstanding = try await ledger.outstandingLeaves(
                in: [mesh], issuer: nil, issuedBefore: nil, at: Self.now, limit: 10)
            #expect(outstanding.map(\.notAfter) == [later.notAfter])
            let failure = await #expect(throws: LedgerFailure.self) { try await ledger.record([first]) }
            #expect(failure == .conflict(what: "the certificate with serial \(first.serial)"))
        }
    }

    @Test func `an empty ledger has no old table`() async throws {
        let database = try await TestDatabase.make()
        #expect(try await Self.rows("SELECT coalesce(to_regclass('certificate_early')::text, 'none')", of: database) == ["none"])
    }

    @Test func `the old table goes when its last leaf is forgotten, and what the service needs of it stays`() async throws {
        let database = try await TestDatabase.makeEmpty()
        try await Self.migrate(database, to: 4)
        let deadline = ContinuousClock.now + .seconds(30)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        let past = Self.now - .seconds(200 * 86_400)
        var root = try Self.leaf(9, endingAt: Self.now + .seconds(315_360_000), issuedAt: past)
        (root.kind, root.identity, root.origin) = (.root, nil, nil)
        let last = try Self.leaf(2, endingAt: Self.now - .seconds(80 * 86_400), issuedAt: past)
        try await Self.write(
            [Self.leaf(1, endingAt: past + .seconds(60), issuedAt: past), last, root], byOlderReleaseOn: connection)
        try await Self.migrate(database, to: SchemaMigration.all.count)
        // As if all that had been half a year ago.
        let bound = (past + .seconds(86_400)).milliseconds
        _ = try await connection.execute(
            [
                "ALTER TABLE certificate DETACH PARTITION certificate_early",
                "ALTER TABLE certificate DETACH PARTITION certificate_current",
                "ALTER TABLE certificate ATTACH PARTITION certificate_early FOR VALUES FROM (MINVALUE) TO (\(bound))",
                "ALTER TABLE certificate ATTACH PARTITION certificate_current FOR VALUES FROM (\(bound)) TO (MAXVALUE)",
            ].map { PostgresStatement($0) }, deadline: deadline)
        try await database.withLedger { ledger in
            // One leaf is kept for ten days more.
            #expect(try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: Self.retention).dropped.isEmpty)
            #expect(try await ledger.certificate(last.serial, notAfter: last.notAfter) == last)
            let done = try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: .seconds(79 * 86_400))
            #expect(done.dropped == ["certificate_early"])
            let left = try await ledger.certificates(CertificateQuery(mesh: MeshName("m"))).items
            #expect(left == [root])
            #expect(try await Self.place(of: 9, in: database) == ["certificate_early_chain"])
            #expect(try await ledger.audit(AuditQuery()).items.map(\.object) == ["certificate_early"])
            #expect(try await ledger.upkeep(at: Self.now, horizon: Self.now, retention: .seconds(79 * 86_400)).dropped.isEmpty)
        }
    }
}
