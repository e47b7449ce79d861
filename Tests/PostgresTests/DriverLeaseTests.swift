import Authority
import AuthorityService
import PKI
import Synchronization
import TestSupport
import Testing

@testable import Postgres

/// What both ledgers promise of the one replica that drives.
@Suite("Every ledger's lease of the driver", .timeLimit(.minutes(2)))
struct DriverLeaseTests {
    typealias Fixture = LedgerFixture

    private static let long = Duration.seconds(600)
    private static let lost = LedgerFailure.conflict(what: "the lease of the driver")

    private static func transaction(_ lease: DriverLease) throws -> LedgerTransaction {
        try Fixture.transaction([.requireLease(lease)])
    }

    @Test("is taken, prolonged, refused to others, and given back", arguments: LedgerKind.allCases)
    func givenBack(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let first = DriverLease(holder: "a", fence: 1)
            await #expect(throws: Self.lost) { _ = try await ledger.commit(Self.transaction(first)) }
            #expect(try await ledger.lease(to: "a", for: Self.long) == first)
            #expect(try await ledger.lease(to: "a", for: Self.long) == first)
            #expect(try await ledger.lease(to: "b", for: Self.long) == nil)
            #expect(try await ledger.revision() == 0)
            // What drives may write; nobody else, not even with the number of the future or of another.
            #expect(try await ledger.commit(Self.transaction(first)) == 1)
            for other in [DriverLease(holder: "b", fence: 1), DriverLease(holder: "a", fence: 2)] {
                await #expect(throws: Self.lost) { _ = try await ledger.commit(Self.transaction(other)) }
                // Not its own to end.
                try await ledger.endLease(other)
            }
            #expect(try await ledger.lease(to: "b", for: Self.long) == nil)
            try await ledger.endLease(first)
            await #expect(throws: Self.lost) { _ = try await ledger.commit(Self.transaction(first)) }
            let second = DriverLease(holder: "b", fence: 2)
            #expect(try await ledger.lease(to: "b", for: Self.long) == second)
            // The end of a lease that another has is nothing.
            try await ledger.endLease(first)
            #expect(try await ledger.lease(to: "a", for: Self.long) == nil)
            #expect(try await ledger.commit(Self.transaction(second)) == 2)
            try await ledger.endLease(second)
            #expect(try await ledger.lease(to: "a", for: Self.long) == DriverLease(holder: "a", fence: 3))
            #expect(try await ledger.revision() == 2)
        }
    }

    @Test("passes on once it has run out, and its former holder writes nothing more", arguments: LedgerKind.allCases)
    func takenOver(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let first = try #require(try await ledger.lease(to: "a", for: .milliseconds(300)))
            let isOver = try await eventually { try await ledger.lease(to: "b", for: Self.long) != nil }
            #expect(isOver)
            #expect(try await ledger.lease(to: "b", for: Self.long) == DriverLease(holder: "b", fence: first.fence + 1))
            #expect(try await ledger.lease(to: "a", for: Self.long) == nil)
            let rotation = try Fixture.replacement(1, of: "corp")
            let stale = try Fixture.transaction([.requireLease(first), .insertRotation(rotation)])
            await #expect(throws: Self.lost) { _ = try await ledger.commit(stale) }
            let after = try await ledger.load().authority
            #expect(after.rotations.isEmpty && after.revision == 0)
            let current = DriverLease(holder: "b", fence: first.fence + 1)
            _ = try await ledger.commit(Fixture.transaction([.requireLease(current), .insertRotation(rotation)]))
            #expect(try await ledger.load().authority.rotations.count == 1)
        }
    }

    @Test("that ran out counts for nothing until its holder takes it again", arguments: LedgerKind.allCases)
    func ranOut(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let lease = try #require(try await ledger.lease(to: "a", for: .zero))
            await #expect(throws: Self.lost) { _ = try await ledger.commit(Self.transaction(lease)) }
            #expect(try await ledger.lease(to: "a", for: Self.long) == lease)
            #expect(try await ledger.commit(Self.transaction(lease)) == 1)
        }
    }

    @Test("goes to exactly one of many", arguments: LedgerKind.allCases)
    func race(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            func takers() async throws -> [DriverLease] {
                try await withThrowingTaskGroup(of: DriverLease?.self) { group in
                    for number in 0..<30 { group.addTask { try await ledger.lease(to: "replica-\(number)", for: Self.long) } }
                    return try await group.reduce(into: []) { if let lease = $1 { $0.append(lease) } }
                }
            }
            var last: DriverLease?
            // The first ever, when there is no row yet, and then each after another's end.
            for _ in 0..<5 {
                let winners = try await takers()
                let winner = try #require(winners.first)
                #expect(winners.count == 1)
                #expect(winner.fence == (last?.fence ?? 0) + (winner.holder == last?.holder ? 0 : 1))
                try await ledger.endLease(winner)
                last = winner
            }
        }
    }

    @Test func `who takes the lease over waits for what is being written under it`() async throws {
        let database = try await TestDatabase.make()
        try await database.withLedger { ledger in
            let soon = ContinuousClock.now + .seconds(20)
            let (writer, observer) = (
                try await PostgresConnection.open(database.configuration, deadline: soon),
                try await PostgresConnection.open(database.configuration, deadline: soon)
            )
            let first = try #require(try await ledger.lease(to: "a", for: .milliseconds(500)))
            let held = try await writer.execute([.begin, DriverLeaseSQL.require(first)], deadline: soon)
            try #require(held[1].affected == 1)
            async let taken = Self.take(ledger)
            let isWaiting = try await eventually {
                let waiting = try await observer.execute(
                    [
                        PostgresStatement(
                            """
                            SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
                                AND query LIKE 'INSERT INTO driver_lease%'
                            """)
                    ], deadline: soon)
                return waiting[0].affected == 1
            }
            #expect(isWaiting)
            // What was begun under the lease ends under it, although its time is over.
            let isOver = try await eventually {
                let rows = try await observer.execute(
                    [PostgresStatement("SELECT FROM driver_lease WHERE expires_at <= clock_timestamp()")], deadline: soon)
                return rows[0].affected == 1
            }
            #expect(isOver)
            let end = try await writer.execute([.commit], deadline: soon)
            #expect(end[0].command == "COMMIT")
            #expect(try await taken == DriverLease(holder: "b", fence: first.fence + 1))
        }
    }

    /// Takes the lease, asking again while another's lives.
    private static func take(_ ledger: any Ledger) async throws -> DriverLease? {
        var lease: DriverLease?
        _ = try await eventually {
            lease = try await ledger.lease(to: "b", for: long)
            return lease != nil
        }
        return lease
    }

    @Test func `the lease in memory runs by the ledger's clock, over a restart too`() async throws {
        let clock = Mutex(Fixture.now)
        let ledger = MemoryLedger(now: { clock.withLock { $0 } })
        let lease = try #require(try await ledger.lease(to: "a", for: .seconds(10)))
        clock.withLock { $0 = $0 + .milliseconds(9_999) }
        #expect(try await ledger.lease(to: "b", for: .seconds(10)) == nil)
        #expect(try await ledger.commit(Self.transaction(lease)) == 1)
        clock.withLock { $0 = $0 + .milliseconds(1) }
        await #expect(throws: Self.lost) { _ = try await ledger.commit(Self.transaction(lease)) }
        let other = MemoryLedger(disk: ledger.disk, now: { clock.withLock { $0 } })
        #expect(try await other.lease(to: "b", for: .seconds(10)) == DriverLease(holder: "b", fence: 2))
    }

    @Test func `the lease and the events wait and fail as any other call`() async throws {
        let ledger = MemoryLedger()
        let unavailable = LedgerFailure.unavailable(detail: "injected")
        for call in [MemoryLedger.Call.endLease, .lease, .rotationEvents] { ledger.inject(.unavailable, into: call) }
        await #expect(throws: unavailable) { _ = try await ledger.lease(to: "a", for: Self.long) }
        #expect(ledger.disk.store.driver == nil)
        ledger.inject(.persistedThenFailed, into: .lease)
        await #expect(throws: LedgerFailure.outcomeUnknown(detail: "injected, persisted")) {
            _ = try await ledger.lease(to: "a", for: Self.long)
        }
        let lease = try #require(try await ledger.lease(to: "a", for: Self.long))
        #expect(lease.fence == 1)
        await #expect(throws: unavailable) { try await ledger.endLease(lease) }
        #expect(try await ledger.lease(to: "b", for: Self.long) == nil)
        await #expect(throws: unavailable) { _ = try await ledger.rotationEvents(of: "rot-1") }
        #expect(ledger.count(of: .lease) == 4)
    }
}
