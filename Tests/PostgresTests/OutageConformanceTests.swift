import Authority
import AuthorityService
import Foundation
import Glibc
import PKI
import TestSupport
import Testing

@testable import Postgres

/// What both ledgers promise of outages: which ledger it is, what a replica may do without it, and certificates of a journal.
@Suite("Every ledger around an outage", .timeLimit(.minutes(2)))
struct OutageConformanceTests {
    typealias Fixture = LedgerFixture

    private static func transaction(after position: LedgerPosition?, _ writes: [LedgerWrite] = []) throws -> LedgerTransaction {
        var transaction = try Fixture.transaction(writes)
        transaction.after = position
        return transaction
    }

    @Test("says which one it is, and how far", arguments: LedgerKind.allCases)
    func position(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let first = try await ledger.position()
            #expect(first.epoch == 1 && first.revision == 0 && !first.ledger.isEmpty)
            #expect(try await ledger.load().position == first)
            _ = try await ledger.commit(Self.transaction(after: first))
            #expect(try await ledger.position() == LedgerPosition(ledger: first.ledger, epoch: 1, revision: 1))
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `takes no transaction from whoever has seen more of it, another one, or a later epoch`(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let now = try await ledger.position()
            var seen = [now, now, now]
            seen[0].revision = 1
            seen[1].epoch = 2
            seen[2].ledger = "another"
            for known in seen {
                let failure = await #expect(throws: LedgerFailure.self) {
                    _ = try await ledger.commit(Self.transaction(after: known))
                }
                guard case .behind = failure else {
                    Issue.record("\(String(describing: failure))")
                    continue
                }
            }
            #expect(try await ledger.position() == now)
            #expect(try await ledger.audit(AuditQuery()).items.isEmpty)
            #expect(try await ledger.commit(Self.transaction(after: now)) == 1)
        }
    }

    @Test("goes on in the epoch that is confirmed, beyond what was seen, and only once", arguments: LedgerKind.allCases)
    func confirmed(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let found = try await ledger.position()
            let confirm = LedgerWrite.confirmLedger(found: found, seen: 70, epoch: 5)
            _ = try await ledger.commit(Self.transaction(after: nil, [confirm]))
            let now = try await ledger.position()
            #expect(now == LedgerPosition(ledger: found.ledger, epoch: 5, revision: 70 + LedgerPosition.stride))
            #expect(try await ledger.load().position == now)
            await #expect(throws: LedgerFailure.conflict(what: "the ledger's epoch")) {
                _ = try await ledger.commit(Self.transaction(after: nil, [confirm]))
            }
            // Whoever has not followed yet is told to look, not that something was lost.
            await #expect(throws: LedgerFailure.conflict(what: "the ledger, which an operator confirmed,")) {
                _ = try await ledger.commit(Self.transaction(after: found))
            }
            #expect(try await ledger.commit(Self.transaction(after: now)) == now.revision + 1)
        }
    }

    @Test("takes the certificates of a journal that it has not, and leaves the others", arguments: LedgerKind.allCases)
    func restored(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let records = try (1...6).map { try Fixture.leaf(UInt64($0), mesh: "a") }
            try await ledger.record(Array(records[1..<3]))
            #expect(try await ledger.restore(records) == 4)
            #expect(try await ledger.restore(records) == 0)
            try await ledger.restore([])
            let found = try await ledger.certificates(CertificateQuery(mesh: records[0].mesh)).items
            #expect(found.count == 6 && Set(found) == Set(records))
            #expect(try await ledger.revision() == 0)
        }
    }

    @Test(arguments: LedgerKind.allCases)
    func `takes nothing of a replica's own from whoever has seen more of it, or another one`(
        _ kind: LedgerKind
    ) async throws {
        try await kind.withLedger { ledger in
            let now = try await ledger.position()
            let record = try Fixture.leaf(1, mesh: "a")
            let permit = OfflinePermit(leafLifetimes: [.seconds(60)])
            let entry = try Fixture.audit("x")
            let seal = AuditSeal(seq: 1, hash: [UInt8](repeating: 1, count: 32), at: Fixture.now, publicKey: [1], signature: [1])
            func write(_ number: Int, after known: LedgerPosition) async throws(LedgerFailure) {
                switch number {
                case 0: try await ledger.record([record], after: known)
                case 1: try await ledger.restore([record], after: known)
                case 2: try await ledger.report(nil, permit: permit, of: "a", after: known)
                case 3: try await ledger.permit(permit, of: "a", after: known)
                case 4: try await ledger.append([entry], after: known)
                case 5: try await ledger.announce(keyEncryptionKeys: ["k"], of: "a", after: known)
                case 6: try await ledger.withdrawReport(of: "a", after: known)
                default: try await ledger.seal(seal, after: known)
                }
            }
            var seen = [now, now, now]
            seen[0].revision = 1
            seen[1].epoch = 2
            seen[2].ledger = "another"
            for number in 0..<8 {
                for known in seen {
                    let failure = await #expect(throws: LedgerFailure.self) { try await write(number, after: known) }
                    guard case .behind = failure else {
                        Issue.record("\(number): \(String(describing: failure))")
                        continue
                    }
                }
            }
            #expect(try await ledger.certificates(CertificateQuery(mesh: record.mesh)).items.isEmpty)
            #expect(try await ledger.reports(within: .seconds(86_400)).isEmpty)
            #expect(try await ledger.audit(AuditQuery()).items.isEmpty)
            #expect(try await ledger.auditHead().seal == nil)
            // A later epoch is an operator's word, and a transaction of others no loss.
            _ = try await ledger.commit(Self.transaction(after: now))
            for number in 0..<8 where number != 1 { try await write(number, after: now) }
            let earlier = LedgerPosition(ledger: now.ledger, epoch: 0, revision: 70)
            try await ledger.restore([record, Fixture.leaf(2, mesh: "a")], after: earlier)
            #expect(try await ledger.certificates(CertificateQuery(mesh: record.mesh)).items.count == 2)
            #expect(try await ledger.reports(within: .seconds(86_400)).map(\.replica) == ["a"])
        }
    }

    @Test("tells until when a replica that went may go on, and nothing of one that said goodbye", arguments: LedgerKind.allCases)
    func absent(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let permit = OfflinePermit(signing: .seconds(600), reach: .seconds(200_000))
            try await ledger.permit(permit, of: "a")
            try await ledger.report(ReplicaReport(replica: "b", revision: 3, rotations: [:]), of: "b")
            try await ledger.permit(permit, of: "b")
            // Told with every sign of life, so that a row that was lost is whole with the next.
            try await ledger.report(nil, permit: permit, of: "b", after: nil)
            try await ledger.report(nil, of: "c")
            try await ledger.report(ReplicaReport(replica: "d", revision: 4, rotations: [:]), permit: permit, of: "d", after: nil)
            try await ledger.report(nil, permit: permit, of: "e", after: nil)
            #expect(try await eventually { try await ledger.reports(within: .milliseconds(1)).isEmpty })
            // Neither lives any more by so short a window.
            let rows = try await ledger.replicaRows(livingWithin: .milliseconds(1), known: [:], besides: "z")
            #expect(rows.map(\.replica) == ["a", "b", "c", "d", "e"] && rows.allSatisfy { !$0.isLiving })
            for row in rows where row.replica != "c" {
                let absence = try #require(row.absence)
                #expect(absence.maySign && absence.leavesUntil - absence.signsUntil == .seconds(199_400))
            }
            #expect(rows[2].absence == nil && rows[1].report?.revision == 3 && rows[3].report?.revision == 4)
            let living = try await ledger.replicaRows(livingWithin: .seconds(600), known: [:], besides: "z")
            #expect(living.allSatisfy { $0.isLiving && $0.absence == nil })
            let all = try await ledger.reports(within: .seconds(86_400))
            #expect(all.map { $0.absence == nil } == [false, false, true, false, false])
            try await ledger.withdrawReport(of: "b")
            let left = try await ledger.reports(within: .seconds(86_400))
            #expect(left.map { $0.absence == nil } == [false, true, true, false, false])
            // What it may do changes with the next sign of life, too.
            try await ledger.report(nil, permit: .none, of: "a", after: nil)
            #expect(try await ledger.reports(within: .seconds(86_400)).first?.absence == nil)
        }
    }
}

/// What PostgreSQL alone can show.
@Suite("PostgreSQL around an outage", .timeLimit(.minutes(2)))
struct PostgresOutageTests {
    private static func run(_ sql: String, in database: TestDatabase) async throws {
        try await run(sql, in: database.configuration)
    }

    private static func run(_ sql: String, in configuration: PostgresConfiguration) async throws {
        let deadline = ContinuousClock.now + .seconds(40)
        let connection = try await PostgresConnection.open(configuration, deadline: deadline)
        defer { connection.close() }
        _ = try await connection.execute([PostgresStatement(sql)], deadline: deadline)
    }

    @Test("a row is kept for as long as the replica may have issued leaves that live")
    func keptRow() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            for (name, reach) in [("short", 100_000), ("long", 300_000)] {
                try await ledger.permit(OfflinePermit(signing: .seconds(60), reach: .seconds(reach)), of: name)
            }
            try await Self.run("UPDATE replica SET seen_at = seen_at - interval '200000 seconds'", in: database)
            let kept = try await ledger.reports(within: .seconds(86_400))
            #expect(kept.map(\.replica) == ["long"])
            let absence = try #require(kept.first?.absence)
            #expect(!absence.maySign)
        }
    }

    @Test("a leaf that is in no week that was made is known by its serial, too")
    func strayLeaf() async throws {
        try await TestDatabase.make().withLedger { ledger in
            let leaf = try LedgerFixture.leaf(1, mesh: "a", lifetime: .seconds(400 * 86_400))
            try await ledger.record([leaf])
            try await ledger.restore([leaf])
            #expect(try await ledger.certificates(CertificateQuery(mesh: leaf.mesh)).items.count == 1)
        }
    }

    @Test("what one database refuses that was seen in another goes into that one, on connections of its own")
    func oldPrimary() async throws {
        let (old, new) = (try await TestDatabase.make(), try await TestDatabase.make())
        // One is made of the other, as by replication, and goes on without it.
        let position = try await old.withLedger { try await $0.position() }
        try await Self.run("UPDATE ledger_revision SET ledger_id = '\(position.ledger)', revision = 7", in: new)
        let seen = try await new.withLedger { try await $0.position() }
        #expect(position.doubt(about: seen) == nil && seen.doubt(about: position) != nil)
        let records = try (1...3).map { try LedgerFixture.leaf(UInt64($0), mesh: "a") }
        try await old.withLedger { ledger in
            for _ in 0..<3 {
                for isReplay in [false, true] {
                    let failure = await #expect(throws: LedgerFailure.self) {
                        if isReplay {
                            try await ledger.restore(records, after: seen)
                        } else {
                            try await ledger.record(records, after: seen)
                        }
                    }
                    guard case .behind = failure else {
                        Issue.record("\(String(describing: failure))")
                        continue
                    }
                }
            }
            let found = try await ledger.certificates(CertificateQuery(mesh: records[0].mesh)).items
            #expect(found.isEmpty)
        }
        try await new.withLedger { ledger in
            try await ledger.restore(records, after: seen)
            #expect(try await ledger.certificates(CertificateQuery(mesh: records[0].mesh)).items.count == 3)
        }
    }

    @Test("a server that was promoted is another at once, and takes nothing from whoever has not seen that it was")
    func promoted() async throws {
        let folder = "/tmp/signet-promotion-\(getpid())"
        let cluster = PrivateCluster(
            dataDirectory: folder, durability: .volatile, maximumConnections: 30, logger: TestDatabase.logger)
        let configuration = try await cluster.start()
        do {
            _ = try await SchemaMigrator(configuration, logger: TestDatabase.logger).migrate()
            try await TestDatabase.withLedger(configuration) { ledger in
                try await expectFence(of: ledger) {
                    await cluster.stop()
                    // A recovery that finds no more of the log ends as a promotion does.
                    let data = folder + "/data"
                    try #require(FileManager.default.createFile(atPath: data + "/recovery.signal", contents: nil))
                    chmod(data + "/recovery.signal", 0o666)
                    let settings = try #require(FileHandle(forWritingAtPath: data + "/postgresql.auto.conf"))
                    _ = try settings.seekToEnd()
                    try settings.write(contentsOf: Data("restore_command = '/bin/false'\n".utf8))
                    try settings.close()
                    _ = try await cluster.start()
                }
            }
        } catch {
            await cluster.stop()
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
        await cluster.stop()
        try FileManager.default.removeItem(atPath: folder)
    }

    private func expectFence(of ledger: PostgresLedger, through promotion: () async throws -> Void) async throws {
        let records = try (1...3).map { try LedgerFixture.leaf(UInt64($0), mesh: "a") }
        let first = try await ledger.sight(after: nil)
        #expect(first.timeline == 1)
        let time = try #require(first.time)
        #expect(abs((MemoryLedger.systemTime() - time).components.seconds) < 30)
        try await ledger.record([records[0]], after: first.position)
        try await promotion()
        for _ in 0..<3 {
            for isReplay in [false, true] {
                let failure = await #expect(throws: LedgerFailure.self) {
                    if isReplay {
                        try await ledger.restore(records, after: first.position)
                    } else {
                        try await ledger.record(records, after: first.position)
                    }
                }
                guard case .behind = failure else {
                    Issue.record("\(String(describing: failure))")
                    continue
                }
            }
        }
        var transaction = try LedgerFixture.transaction([])
        transaction.after = first.position
        let refused = transaction
        let failure = await #expect(throws: LedgerFailure.self) { _ = try await ledger.commit(refused) }
        guard case .unavailable = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        // Nothing but the timeline differs, and the control file does not tell it before the next checkpoint.
        let second = try await ledger.sight(after: nil)
        #expect(second.timeline == 2 && second.position == first.position)
        #expect(try await ledger.restore(records, after: first.position) == 2)
        #expect(try await ledger.commit(refused) == first.position.revision + 1)
    }

    @Test("a server that does not tell its timeline is a ledger all the same")
    func noTimeline() async throws {
        let database = try await TestDatabase.make()
        try await Self.run(
            """
            CREATE FUNCTION public.pg_walfile_name(pg_lsn) RETURNS text LANGUAGE plpgsql
                AS $$ BEGIN RAISE feature_not_supported; END $$
            """, in: database)
        try await Self.run("ALTER DATABASE \(database.configuration.database) SET search_path = public, pg_catalog", in: database)
        try await database.withLedger { ledger in
            let sight = try await ledger.sight(after: nil)
            #expect(sight.timeline == nil && sight.time != nil)
            try await ledger.record([try LedgerFixture.leaf(1, mesh: "a")], after: sight.position)
            var transaction = try LedgerFixture.transaction([])
            transaction.after = sight.position
            #expect(try await ledger.commit(transaction) == sight.position.revision + 1)
        }
    }

    @Test("a server that does not tell its timeline is asked for it once a minute, not with every look")
    func refusedTimeline() async throws {
        let database = try await TestDatabase.make()
        try await Self.run("CREATE SEQUENCE public.asked", in: database)
        // What a sequence counted stays, though the transaction fails.
        try await Self.run(
            """
            CREATE FUNCTION public.pg_walfile_name(pg_lsn) RETURNS text LANGUAGE plpgsql
                AS $$ BEGIN PERFORM nextval('public.asked'); RAISE feature_not_supported; END $$
            """, in: database)
        try await Self.run("ALTER DATABASE \(database.configuration.database) SET search_path = public, pg_catalog", in: database)
        try await database.withLedger { ledger in
            func asked() async throws -> Int64 {
                let statement = PostgresStatement("SELECT last_value FROM public.asked WHERE is_called")
                return try await ledger.first("asked", statement) { reader throws(PostgresError) in try reader.integer() } ?? 0
            }
            for _ in 0..<3 {
                let sight = try await ledger.sight(after: nil)
                #expect(sight.timeline == nil)
            }
            #expect(try await asked() == 1)
            #expect(try await ledger.load().timeline == nil)
            #expect(try await asked() == 1)
            ledger.timelineRefusedAt.withLock { $0 = .now - .seconds(61) }
            for _ in 0..<3 {
                let sight = try await ledger.sight(after: nil)
                #expect(sight.timeline == nil)
            }
            #expect(try await asked() == 2)
        }
    }

    @Test("a standby that answers once leaves the fence to the server before it as it was")
    func standbyAnswers() async throws {
        let database = try await TestDatabase.make()
        try await Self.run("CREATE TABLE public.standby AS SELECT false AS is_standby", in: database)
        try await Self.run(
            """
            CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT is_standby FROM public.standby'
            """, in: database)
        try await Self.run("ALTER DATABASE \(database.configuration.database) SET search_path = public, pg_catalog", in: database)
        try await database.withLedger { ledger in
            #expect(try await ledger.load().timeline == nil)
            let timeline = try #require(try await ledger.sight(after: nil).timeline)
            #expect(try await ledger.load().timeline == timeline)
            try await Self.run("UPDATE public.standby SET is_standby = true", in: database)
            #expect(try await ledger.sight(after: nil).timeline == nil)
            #expect(ledger.timeline.withLock { $0 } == timeline)
            #expect(try await ledger.load().timeline == nil)
        }
    }

    @Test("a connection on which the ledger is behind what was seen is not used again")
    func behind() async throws {
        try await TestDatabase.make().withLedger { ledger in
            func process() async throws -> Int64? {
                try await ledger.first("process", PostgresStatement("SELECT pg_backend_pid()::bigint")) {
                    reader throws(PostgresError) in try reader.integer()
                }
            }
            let before = try await process()
            var known = try await ledger.sight(after: nil).position
            _ = try await ledger.sight(after: known)
            #expect(try await process() == before)
            let timeline = ledger.timeline.withLock { $0 }
            known.revision += 1
            let behind = try await ledger.sight(after: known)
            #expect(known.doubt(about: behind.position) != nil && ledger.timeline.withLock { $0 } == timeline)
            #expect(try await process() != before)
        }
    }

    @Test("each database that is migrated is a ledger of its own")
    func ownLedger() async throws {
        var ids: Set<String> = []
        for _ in 0..<2 {
            let database = try await TestDatabase.makeEmpty()
            _ = try await SchemaMigrator(database.configuration, logger: TestDatabase.logger).migrate()
            ids.insert(try await database.withLedger { ledger in try await ledger.position().ledger })
        }
        #expect(ids.count == 2)
    }
}
