import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@testable import Postgres

private typealias Fixture = LedgerFixture

/// The audit trail's chain, and what is seen of it after somebody had his hands in the database.
@Suite("The chain of the audit trail", .timeLimit(.minutes(2)))
struct AuditChainTests {
    /// Six entries, the last of which is signed; then what an owner of the database does, and the fault that it must show.
    struct Tampering: Sendable, CustomStringConvertible {
        var description: String
        var statements: [String]
        var fault: AuditFault
        /// The head of four entries is kept elsewhere.
        var isHeadKept = false
    }

    private static let unlock = "ALTER TABLE audit DISABLE TRIGGER USER"
    private static let anew = """
        DO $$
        DECLARE entry audit; last bytea;
        BEGIN
            SELECT hash INTO last FROM audit WHERE seq = 2;
            FOR entry IN SELECT * FROM audit WHERE seq > 2 ORDER BY seq LOOP
                UPDATE audit SET previous = last WHERE seq = entry.seq;
                UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = entry.seq RETURNING hash INTO last;
            END LOOP;
            UPDATE audit_head SET hash = last;
        END $$
        """
    private static let rewound = "UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)"
    private static let forged = """
        INSERT INTO audit (seq, at_ms, actor, source, action, object, details, request_id, previous, hash)
        OVERRIDING SYSTEM VALUE
        SELECT before.seq + 1, 5, 'user:mallory', 'here', 'mesh-created', 'x', '{}', '', before.hash, '\\x00'
        FROM audit AS before WHERE seq =
        """

    private static let edits: [Tampering] = [
        "at_ms = at_ms + 1", "actor = 'user:mallory'", "source = 'elsewhere'", "action = 'mesh-deleted'", "mesh = 'm'",
        "mesh = 'no mesh'", "object = ''", #"details = '{"a": "c"}'"#, #"details = '{"a": "b", "c": ""}'"#,
        #"details = '["a"]'"#, "details = '{}'", "request_id = 'r-2'", "before_act = NULL", "after_act = '{}'",
        "previous = hash", "hash = previous", "hash = '\\x00'",
    ].map { edit in
        Tampering(
            description: edit, statements: [unlock, "UPDATE audit SET \(edit) WHERE seq = 3"], fault: .altered(seq: 3))
    }

    private static let others: [Tampering] = [
        Tampering(
            description: "an edit with its hash",
            statements: [
                unlock, "UPDATE audit SET object = 'y' WHERE seq = 3",
                "UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = 3",
            ], fault: .misplaced(seq: 4)),
        Tampering(
            description: "an edit of the last with its hash",
            statements: [
                unlock, "UPDATE audit SET object = 'y' WHERE seq = 6",
                "UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = 6",
            ], fault: .sealDiffers(seq: 6)),
        Tampering(
            description: "the past written anew",
            statements: [unlock, "UPDATE audit SET object = 'y' WHERE seq = 3", anew], fault: .headDiffers(seq: 6)),
        Tampering(
            description: "the past written anew, and the signature's digest with it",
            statements: [
                unlock, "UPDATE audit SET object = 'y' WHERE seq = 3", anew, "UPDATE audit_head SET sealed_hash = hash",
            ], fault: .sealInvalid),
        Tampering(
            description: "the past written anew, and the signature taken away",
            statements: [
                unlock, "UPDATE audit SET object = 'y' WHERE seq = 3", anew, "UPDATE audit_head SET sealed_seq = NULL",
            ], fault: .sealMissing),
        Tampering(
            description: "a removal", statements: [unlock, "DELETE FROM audit WHERE seq = 3"],
            fault: .missing(first: 3, last: 3)),
        Tampering(
            description: "a removal of the first", statements: [unlock, "DELETE FROM audit WHERE seq < 3"],
            fault: .missing(first: 1, last: 2)),
        Tampering(
            description: "a removal of the first, with another beginning",
            statements: [
                unlock, "UPDATE audit_head SET genesis = (SELECT hash FROM audit WHERE seq = 2)",
                "DELETE FROM audit WHERE seq < 3",
            ], fault: .sealInvalid),
        Tampering(
            description: "a head that was taken away",
            statements: ["ALTER TABLE audit_head DISABLE TRIGGER USER", "DELETE FROM audit_head"], fault: .headTakenAway),
        Tampering(
            description: "a truncation", statements: [unlock, "DELETE FROM audit WHERE seq > 4"],
            fault: .missing(first: 5, last: 6)),
        Tampering(
            description: "a truncation, and the head with it",
            statements: [unlock, "DELETE FROM audit WHERE seq > 4", rewound], fault: .missing(first: 5, last: 6)),
        Tampering(
            description: "everything removed", statements: [unlock, "TRUNCATE audit"], fault: .missing(first: 1, last: 6)),
        Tampering(
            description: "two entries that changed places",
            statements: [
                unlock,
                """
                UPDATE audit SET object = other.object, previous = other.previous, hash = other.hash
                FROM (SELECT seq, object, previous, hash FROM audit) AS other
                WHERE audit.seq IN (3, 4) AND other.seq = 7 - audit.seq
                """,
            ], fault: .altered(seq: 3)),
        Tampering(
            description: "two entries that changed places, with their hashes",
            statements: [
                unlock,
                """
                UPDATE audit SET object = other.object FROM (SELECT seq, object FROM audit) AS other
                WHERE audit.seq IN (3, 4) AND other.seq = 7 - audit.seq
                """,
                "UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = 3",
                "UPDATE audit SET previous = (SELECT hash FROM audit WHERE seq = 3) WHERE seq = 4",
                "UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = 4",
            ], fault: .misplaced(seq: 5)),
        Tampering(
            description: "an insertion at the end", statements: [unlock, forged + " 6"], fault: .altered(seq: 7)),
        Tampering(
            description: "an insertion at the end, with its hash",
            statements: [unlock, forged + " 6", "UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = 7"],
            fault: .beyondHead(seq: 7)),
        Tampering(
            description: "an insertion in the place of another, with its hash",
            statements: [
                unlock, "DELETE FROM audit WHERE seq = 3", forged + " 2",
                "UPDATE audit SET hash = audit_hash(audit.*) WHERE seq = 3",
            ], fault: .misplaced(seq: 4)),
        Tampering(
            description: "another key's signature of the past written anew",
            statements: [unlock, "UPDATE audit SET object = 'y' WHERE seq = 3", anew, "SELECT 'sign'"],
            fault: .sealedByAnotherKey, isHeadKept: true),
        Tampering(
            description: "an older state with its signature, put back",
            statements: [
                unlock, "DELETE FROM audit WHERE seq > 2",
                "UPDATE audit_head SET seq = 2, hash = (SELECT hash FROM audit WHERE seq = 2)", "SELECT 'seal 2'",
            ], fault: .missing(first: 3, last: 4), isHeadKept: true),
    ]

    @Test(arguments: edits + others)
    func `what was done by hand is found, and the first entry that shows it is named`(_ tampering: Tampering) async throws {
        let database = try await TestDatabase.make()
        let key = try PrivateKey.generate(.ecP256)
        try await database.withLedger { ledger in
            try await Self.append(1...2, to: ledger)
            try await Self.seal(ledger, with: key)
            let early = try #require(try await ledger.auditHead().seal)
            try await Self.append(3...4, to: ledger)
            try await Self.seal(ledger, with: key)
            let kept = try await ledger.auditHead()
            try await Self.append(5...6, to: ledger)
            try await Self.seal(ledger, with: key)
            #expect(try await Self.verify(ledger, kept: kept) == .init(count: 6, seq: 6, sealedSeq: 6))
            for statement in tampering.statements {
                switch statement {
                case "SELECT 'sign'":
                    try await Self.run(["UPDATE audit_head SET sealed_seq = NULL"], in: database)
                    try await Self.seal(ledger, with: try PrivateKey.generate(.ecP256))
                case "SELECT 'seal 2'":
                    try await Self.run(["UPDATE audit_head SET sealed_seq = NULL"], in: database)
                    try await ledger.seal(early)
                default: try await Self.run([statement], in: database)
                }
            }
            await #expect(throws: tampering.fault) {
                _ = try await Self.verify(ledger, kept: tampering.isHeadKept ? kept : nil)
            }
        }
    }

    @Test(arguments: [
        "UPDATE audit SET object = 'y'", "DELETE FROM audit", "TRUNCATE audit", "DELETE FROM audit WHERE seq = 99",
        "DELETE FROM audit_head", "TRUNCATE audit_head",
    ])
    func `the table itself refuses what is no insertion`(_ statement: String) async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            try await Self.append(1...2, to: ledger)
            await #expect(throws: PostgresError.self) { try await Self.run([statement], in: database) }
            #expect(try await ledger.audit(AuditQuery()).items.map(\.object) == ["entry 2", "entry 1"])
        }
    }

    @Test func `the database and this program compute the same digest, whatever a stranger wrote`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            try await ledger.append([
                try Fixture.audit(
                    "é e\u{301} 🦊 \u{FFFE}\u{1F}\"\\",
                    details: ["é": "1", "e\u{301}z": "2", "": "", "Z": "\n", "a": "\0"]),
                AuditEntry(
                    at: Timestamp(milliseconds: -1), actor: "", source: "", action: "", mesh: try MeshName("m"), object: "",
                    before: "", after: "{\"a\":\"\\u0000 é\"}"),
                AuditEntry(
                    at: Timestamp(milliseconds: .max), actor: "a", source: "b", action: "c", mesh: nil, object: "d",
                    requestID: "r", before: nil, after: ""),
            ])
            let head = try await ledger.auditHead()
            var chain = AuditChain(hash: head.genesis)
            for row in try await ledger.auditChain(after: 0, size: 10) { try chain.follow(row) }
            #expect(chain.seq == 3 && chain.hash == head.hash && head.seq == 3)
        }
    }

    @Test func `two replicas and fifty callers append to one chain without a gap`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { first in
            try await database.withLedger { second in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<50 {
                        let ledger = number % 2 == 0 ? first : second
                        group.addTask {
                            try await Self.untilReached {
                                if number % 3 == 0 {
                                    try await ledger.append([
                                        try Fixture.audit("refusal \(number)"), try Fixture.audit("another \(number)"),
                                    ])
                                } else {
                                    _ = try await ledger.commit(
                                        try Fixture.transaction(
                                            [.insertToken(Fixture.token("t\(number)", mesh: nil))], "token \(number)"))
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                try await Self.seal(second, with: try PrivateKey.generate(.ecP256))
                let count: Int64 = 50 + 17
                #expect(try await Self.verify(first) == .init(count: count, seq: count, sealedSeq: count))
                let objects = try await first.auditChain(after: 0, size: 1000).map(\.object)
                #expect(Set(objects).count == Int(count))
                // An entry is part of its transaction, and the chain is in the order of the commits.
                let committed = objects.filter { $0.hasPrefix("token") }
                #expect(try await first.revision() == Int64(committed.count))
            }
        }
    }

    @Test func `a transaction that fails leaves no entry, and the chain goes on as if it had not been`() async throws {
        try await TestDatabase.make().withLedger { ledger in
            try await Self.append(1...1, to: ledger)
            let before = try await ledger.auditHead()
            let token = try Fixture.token("t", mesh: "nowhere")
            await #expect(throws: LedgerFailure.self) {
                _ = try await ledger.commit(try Fixture.transaction([.insertToken(token)], "failed"))
            }
            #expect(try await ledger.auditHead() == before)
            try await Self.append(2...2, to: ledger)
            #expect(try await ledger.auditChain(after: 0, size: 9).map(\.seq) == [1, 2])
        }
    }

    @Test func `a replica of the release before extends the chain without knowing it`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            try await Self.append(1...1, to: ledger)
            try await Self.run([Self.olderInsert], in: database)
            try await Self.append(2...2, to: ledger)
            try await Self.seal(ledger, with: try PrivateKey.generate(.ecP256))
            #expect(try await Self.verify(ledger) == .init(count: 3, seq: 3, sealedSeq: 3))
        }
    }

    @Test func `a trail from before the chain is chained as it is, its gaps included`() async throws {
        let database = try await TestDatabase.makeEmpty()
        let before = SchemaMigration.all.filter { $0.version < SchemaMigration.auditChain.version }
        func migrator(_ migrations: [SchemaMigration]) -> SchemaMigrator {
            SchemaMigrator(
                database.configuration, migrations: migrations, limit: .seconds(60), logger: TestDatabase.logger)
        }
        _ = try await migrator(before).migrate()
        try await Self.run(
            Array(repeating: Self.olderInsert, count: 5) + ["DELETE FROM audit WHERE seq IN (1, 3)"], in: database)
        _ = try await migrator(SchemaMigration.all).migrate()
        try await database.withLedger { ledger in
            try await Self.append(1...1, to: ledger)
            try await Self.seal(ledger, with: try PrivateKey.generate(.ecP256))
            #expect(try await Self.verify(ledger) == .init(count: 4, seq: 6, sealedSeq: 6))
            #expect(try await ledger.auditChain(after: 0, size: 9).map(\.seq) == [2, 4, 5, 6])
        }
    }

    @Test("takes no older seal for a newer one, and pages by who did it", arguments: LedgerKind.allCases)
    func sealsAndPages(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let key = try PrivateKey.generate(.ecP256)
            try await Self.append(1...1, to: ledger)
            #expect(try await ledger.auditHead().seal == nil)
            try await Self.seal(ledger, with: key)
            let early = try #require(try await ledger.auditHead().seal)
            var other = try Fixture.audit("entry 2")
            other.actor = "user:alice"
            try await ledger.append([other])
            try await Self.seal(ledger, with: key)
            let late = try #require(try await ledger.auditHead().seal)
            #expect(early.seq == 1 && late.seq == 2)
            try await ledger.seal(early)
            #expect(try await ledger.auditHead().seal == late)
            #expect(try await ledger.audit(AuditQuery(actor: "user:alice")).items.map(\.object) == ["entry 2"])
            #expect(try await ledger.audit(AuditQuery(actor: "user:bob")).items.isEmpty)
            #expect(try await Self.verify(ledger) == .init(count: 2, seq: 2, sealedSeq: 2))
            #expect(try await ledger.auditChain(after: 1, size: 1).map(\.seq) == [2])
        }
    }

    @Test("signs only what is there, and says in the same moment which ledger it is", arguments: LedgerKind.allCases)
    func signsWhatIsThere(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let key = try PrivateKey.generate(.ecP256)
            try await Self.append(1...2, to: ledger)
            let head = try await ledger.auditHead()
            #expect(try await head.position == ledger.position())
            for (seq, hash) in [(2, head.genesis), (3, head.hash), (1, head.hash)] {
                let chain = AuditChain(after: Int64(seq), hash: hash)
                try await ledger.seal(
                    AuditSeal(chain, genesis: head.genesis, at: Fixture.now, with: key), after: head.position)
                #expect(try await ledger.auditHead() == head)
            }
            try await Self.seal(ledger, with: key)
            #expect(try await ledger.auditHead().seal?.seq == 2)
        }
    }

    @Test("a page ends early where its entries are large, and the next one goes on", arguments: LedgerKind.allCases)
    func largeEntries(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            // The third is larger than a page by itself.
            for (number, octets) in [3 << 20, 3 << 20, 9 << 20, 3 << 20, 3 << 20, 3 << 20, 0, 0].enumerated() {
                var entry = try Fixture.audit("entry \(number + 1)")
                if octets > 0 { (entry.before, entry.after) = (Self.text(octets / 2), Self.text(octets / 2)) }
                try await ledger.append([entry])
            }
            var after: Int64 = 0
            var chain: [[Int64]] = []
            while case let rows = try await ledger.auditChain(after: after, size: 1000), let last = rows.last {
                chain.append(rows.map(\.seq))
                after = last.seq
            }
            #expect(chain == [[1, 2, 3], [4, 5, 6], [7, 8]])
            var cursor: PageCursor?
            var pages: [[Int64]] = []
            repeat {
                let page = try await ledger.audit(AuditQuery(cursor: cursor, size: 1000))
                pages.append(page.items.map(\.seq))
                cursor = page.next
                #expect(page.total == 8)
            } while cursor != nil && pages.count < 9
            #expect(pages == [[8, 7, 6, 5, 4], [3], [2, 1]])
            // By number as ever.
            let two = try await ledger.audit(AuditQuery(size: 2))
            #expect(two.items.map(\.seq) == [8, 7] && two.next != nil)
            let rest = try await ledger.audit(AuditQuery(hasDocuments: false, size: 1000))
            #expect(rest.items.count == 8 && rest.next == nil)
            #expect(rest.items.allSatisfy { $0.before == nil && $0.after == nil && !$0.hash.isEmpty })
        }
    }

    // MARK: -

    /// PostgreSQL keeps what is alike in little room, and that is not what counts.
    private static func text(_ octets: Int) -> String { "\"" + String(repeating: "x", count: octets - 2) + "\"" }

    private static let olderInsert = """
        INSERT INTO audit (at_ms, actor, source, action, mesh, object, details, request_id)
        SELECT at_ms, 'user:admin', 'here', 'mesh-created', 'payments', 'payments', '{"a": "b"}'::jsonb, 'r'
        FROM unnest('{1800000000000}'::bigint[]) AS given (at_ms)
        """

    /// Fifty callers of eight connections may have to come again on a busy machine; what was refused so had no effect.
    private static func untilReached(_ body: () async throws -> Void) async throws {
        for _ in 0..<10 {
            do {
                return try await body()
            } catch LedgerFailure.unavailable {
                continue
            }
        }
        try await body()
    }

    private static func append(_ numbers: ClosedRange<Int>, to ledger: any Ledger) async throws {
        for number in numbers {
            var entry = try Fixture.audit("entry \(number)", details: ["a": "b"])
            entry.before = #"{"mesh m":{"n":"\#(number)"}}"#
            try await ledger.append([entry])
        }
    }

    /// As a replica does.
    private static func seal(_ ledger: any Ledger, with key: PrivateKey) async throws {
        let head = try await ledger.auditHead()
        var chain = AuditChain(hash: head.genesis)
        for row in try await ledger.auditChain(after: 0, size: 1000) { try chain.follow(row) }
        try await ledger.seal(AuditSeal(chain, genesis: head.genesis, at: Fixture.now, with: key))
    }

    /// As `signet audit verify` does.
    private static func verify(_ ledger: any Ledger, kept: AuditHead? = nil) async throws -> AuditVerification.Outcome {
        var verification = try AuditVerification(head: try await ledger.auditHead(), kept: kept)
        while true {
            let rows = try await ledger.auditChain(after: verification.seq, size: 2)
            guard !rows.isEmpty else { break }
            for row in rows { try verification.follow(row) }
        }
        return try verification.finish(latest: try await ledger.auditHead())
    }

    private static func run(_ statements: [String], in database: TestDatabase) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        let connection = try await PostgresConnection.open(database.configuration, deadline: deadline)
        _ = try await connection.execute(statements.map { PostgresStatement($0) }, deadline: deadline)
    }
}
