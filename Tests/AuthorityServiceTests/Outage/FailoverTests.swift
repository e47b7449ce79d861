import Authority
import PKI
import PKICrypto
import Synchronization
import TestSupport
import Testing

@testable import AuthorityService

/// A server that took over, and lacks what has no revision; and a clock that was wrong from the beginning.
@Suite struct FailoverTests {
    private static func started(
        over ledger: MemoryLedger, clock: TestClock = TestClock(), key: KeyEncryptionKey? = nil, window: Duration = .zero,
        serviceClock: ServiceClock? = nil
    ) async throws -> Service {
        var settings = AuthoritySettings()
        settings.revisionPollInterval = .milliseconds(20)
        settings.rotationInterval = .milliseconds(20)
        settings.heartbeatInterval = .zero
        settings.replicaWindow = window
        let service = try Service(
            ledger: ledger, clock: clock, keyEncryptionKey: key, settings: settings, serviceClock: serviceClock)
        try await service.authority.start()
        return service
    }

    @Test func `a failover that loses certificates alone loses none: each is in the ledger once, and the trail says how many`()
        async throws
    {
        let ledger = MemoryLedger()
        let service = try await Self.started(over: ledger)
        let caller = try await service.caller()
        let early = try await service.authority.issueLeaf(for: caller, node: "n")
        let standby = ledger.disk.store
        var leaves: [DeliveredLeaf] = []
        for _ in 0..<3 { leaves.append(try await service.authority.issueLeaf(for: caller, node: "n")) }
        let late = leaves
        #expect(ledger.disk.store.state.position == standby.state.position)
        ledger.failOver(to: standby)
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "the trail") {
                ledger.disk.store.audit.contains { $0.action == "certificates-restored" && $0.details["certificates"] == "3" }
            }
        }
        let serials = ledger.disk.store.certificates.map(\.serial)
        for leaf in late + [early] { #expect(serials.filter { $0 == leaf.serial }.count == 1) }
        // What they were written to may be lost as well, a moment later.
        ledger.failOver(to: standby)
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "all of them") {
                Set(ledger.disk.store.certificates.map(\.serial)).isSuperset(of: late.map(\.serial))
            }
        }
    }

    @Test func `a server that took over is written to by nobody who has not seen that it did`() async throws {
        let ledger = MemoryLedger()
        let service = try await Self.started(over: ledger)
        let caller = try await service.caller()
        let standby = ledger.disk.store
        let leaf = try await service.authority.issueLeaf(for: caller, node: "n")
        ledger.failOver(to: standby)
        // A sign of life would have a gate believe that what it did is in the ledger.
        await #expect(throws: LedgerFailure.self) { try await service.authority.tell(nil) }
        await #expect(throws: AuthorityError.self) { try await service.makeMesh("payments") }
        await #expect(throws: AuthorityError.self) { _ = try await service.authority.issueLeaf(for: caller, node: "n") }
        #expect(ledger.disk.store.certificates == standby.certificates && ledger.disk.store.audit == standby.audit)
        await service.authority.catchUp()
        #expect(ledger.disk.store.certificates.last?.serial == leaf.serial)
        try await service.authority.tell(nil)
        try await service.makeMesh("payments")
        _ = try await service.authority.issueLeaf(for: caller, node: "n")
    }

    @Test func `a replica that records all the time joins again: two batches under way do not each find the other's beginning`()
        async throws
    {
        let ledger = MemoryLedger()
        let service = try await Self.started(over: ledger)
        let caller = try await service.caller()
        let authority = service.authority
        let gates = (0..<4).map { _ in LedgerGate() }
        let serials = try await withThrowingTaskGroup(of: SerialNumber.self) { group in
            defer { for gate in gates { gate.open() } }
            func begin(_ number: Int) async {
                ledger.inject(.delayed(gates[number]), into: .record)
                group.addTask { try await authority.issueLeaf(for: caller, node: "n").serial }
                #expect(await gates[number].awaitArrival())
            }
            var ended: [SerialNumber] = []
            func end(_ number: Int) async throws {
                gates[number].open()
                ended.append(try #require(try await group.next()))
            }
            await begin(0)
            await begin(1)
            // Confirmed elsewhere.
            var store = ledger.disk.store
            store.state.epoch += 1
            ledger.disk.restore(store)
            await authority.catchUp()
            #expect(await authority.hasJoined)
            // Each of the two was on its way, and may be missing; those that come after them were not.
            try await end(0)
            #expect(await !authority.hasJoined)
            await begin(2)
            try await end(1)
            await begin(3)
            await authority.catchUp()
            #expect(await authority.hasJoined)
            try await end(2)
            try await end(3)
            return ended
        }
        #expect(await authority.hasJoined)
        try await authority.tell(nil)
        let recorded = ledger.disk.store.certificates.map(\.serial)
        #expect(serials.count == 4)
        for serial in serials { #expect(recorded.filter { $0 == serial }.count == 1) }
    }

    @Test func `an old primary that answers once is a doubt until the server that took over answers again`() async throws {
        let ledger = MemoryLedger()
        let service = try await Self.started(over: ledger)
        let caller = try await service.caller()
        let old = ledger.disk.store
        ledger.failOver(to: old)
        await service.authority.catchUp()
        try await service.makeMesh("payments")
        let leaf = try await service.authority.issueLeaf(for: caller, node: "n")
        let new = ledger.disk.store
        ledger.disk.restore(old)
        await service.authority.catchUp()
        #expect(service.authority.ledgerStatus.doubt?.reason == "lost-transactions")
        ledger.disk.restore(new)
        await service.authority.catchUp()
        #expect(service.authority.ledgerStatus.doubt == nil)
        try await service.authority.tell(nil)
        try await service.makeMesh("billing")
        #expect(ledger.disk.store.certificates.filter { $0.serial == leaf.serial }.count == 1)
        // A backup of the new one has its line of history: nothing is believed that comes of it.
        let late = ledger.disk.store
        ledger.disk.restore(new)
        await service.authority.catchUp()
        ledger.disk.restore(late)
        await service.authority.catchUp()
        #expect(service.authority.ledgerStatus.doubt?.reason == "lost-transactions")
    }

    @Test func `no mesh is deleted until every replica has had the time to write again what a failover lost`() async throws {
        let (clock, ledger) = (TestClock(), MemoryLedger())
        let service = try await Self.started(over: ledger, clock: clock, window: .seconds(20))
        try await service.makeMesh("payments")
        let payments = try MeshName("payments")
        ledger.failOver(to: ledger.disk.store)
        await service.authority.catchUp()
        for seconds in [0, 19] {
            clock.advance(by: .seconds(seconds))
            let failure = await #expect(throws: AuthorityError.self) {
                try await service.authority.delete(mesh: payments, ifMatch: nil, by: Service.administrator)
            }
            guard case .ledger(.unavailable) = failure else {
                Issue.record("\(String(describing: failure))")
                continue
            }
        }
        clock.advance(by: .seconds(2))
        try await service.authority.delete(mesh: payments, ifMatch: nil, by: Service.administrator)
    }

    @Test func `while it cannot be written again nothing says that the replica lives, and it is tried until it can`() async throws
    {
        let ledger = MemoryLedger()
        let service = try await Self.started(over: ledger)
        let caller = try await service.caller()
        let kept = ledger.disk.store
        let leaf = try await service.authority.issueLeaf(for: caller, node: "n")
        ledger.setLasting(.unavailable, for: [.restore])
        ledger.failOver(to: kept)
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "some tries") { ledger.count(of: .restore) > 3 }
            #expect(ledger.disk.store.replicas == kept.replicas)
            ledger.setLasting(nil, for: [.restore])
            try await eventually(within: Cluster.patience, "the sign of life") { ledger.disk.store.replicas != kept.replicas }
            #expect(ledger.disk.store.certificates.filter { $0.serial == leaf.serial }.count == 1)
        }
    }

    @Test func `a confirmed backup gets back what each replica recorded lately, and another database gets nothing`() async throws
    {
        let (clock, disk) = (TestClock(), MemoryLedger.Disk())
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        func ledger() -> MemoryLedger { MemoryLedger(disk: disk, now: { clock.now }) }
        let one = try await Self.started(over: ledger(), clock: clock, key: key)
        let two = try await Self.started(over: ledger(), clock: clock, key: key)
        let caller = try await one.caller()
        await two.authority.catchUp()
        let backup = disk.store
        let leaves = [
            try await one.authority.issueLeaf(for: caller, node: "n"), try await two.authority.issueLeaf(for: caller, node: "n"),
        ]
        try await one.makeMesh("payments")
        await two.authority.catchUp()
        disk.restore(backup)
        for service in [one, two] {
            await service.authority.catchUp()
            #expect(service.authority.ledgerStatus.doubt != nil)
        }
        // However long it takes an operator to look.
        clock.advance(by: .seconds(600))
        #expect(disk.store.certificates == backup.certificates)
        _ = try await one.authority.confirmLedger(reason: "backup of Monday", by: Service.administrator)
        await two.authority.catchUp()
        for leaf in leaves { #expect(disk.store.certificates.filter { $0.serial == leaf.serial }.count == 1) }
        // Another database, by its id: these are not its certificates.
        var other = backup
        other.state.ledger = "another"
        disk.restore(other)
        await one.authority.catchUp()
        _ = try await one.authority.confirmLedger(reason: "moved", by: Service.administrator)
        #expect(disk.store.certificates == other.certificates)
    }

    @Test func `what was recorded more than a minute before the last look is not kept`() async throws {
        let (clock, ledger) = (TestClock(), MemoryLedger())
        let service = try await Self.started(over: ledger, clock: clock)
        let caller = try await service.caller()
        let standby = ledger.disk.store
        let early = try await service.authority.issueLeaf(for: caller, node: "n")
        clock.advance(by: .seconds(50))
        let late = try await service.authority.issueLeaf(for: caller, node: "n")
        clock.advance(by: .seconds(11))
        await service.authority.catchUp()
        // How long nobody answers is no part of the minute.
        clock.advance(by: .seconds(600))
        ledger.failOver(to: standby)
        await service.authority.catchUp()
        let serials = Set(ledger.disk.store.certificates.map(\.serial))
        #expect(serials.contains(late.serial) && !serials.contains(early.serial))
    }

    @Test func `nobody drives a rotation until every replica has had the time to write again what a failover lost`() async throws
    {
        let (clock, ledger) = (TestClock(), MemoryLedger())
        let service = try await Self.started(over: ledger, clock: clock, window: .seconds(20))
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "it drives") { ledger.count(of: .lease) > 0 }
            ledger.failOver(to: ledger.disk.store)
            try await eventually(within: Cluster.patience, "the lease given back") { ledger.count(of: .endLease) > 0 }
            let (leases, reports) = (ledger.count(of: .lease), ledger.count(of: .report))
            try await eventually(within: Cluster.patience, "some rounds") { ledger.count(of: .report) > reports + 5 }
            #expect(ledger.count(of: .lease) == leases)
            clock.advance(by: .seconds(21))
            try await eventually(within: Cluster.patience, "it drives again") { ledger.count(of: .lease) > leases }
        }
    }

    @Test
    func `a clock that was wrong from the beginning is found beside the database's: no rotation is driven, leaves are issued`()
        async throws
    {
        let ledger = MemoryLedger()
        let (clock, database) = (TestClock(), TestClock())
        database.advance(by: .seconds(3600))
        ledger.tellTime { database.now }
        let service = try await Self.started(over: ledger, clock: clock)
        let caller = try await service.caller()
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "some rounds") { ledger.count(of: .report) > 10 }
            #expect(ledger.count(of: .lease) == 0)
            #expect(service.authority.outage.databaseClock.distance == .seconds(-3600))
            _ = try await service.authority.issueLeaf(for: caller, node: "n")
            // Half a minute is said, and hinders nobody.
            database.advance(by: .seconds(-3570))
            try await eventually(within: Cluster.patience, "it drives") { ledger.count(of: .lease) > 0 }
            #expect(service.authority.outage.databaseClock.distance == nil)
        }
    }
}
