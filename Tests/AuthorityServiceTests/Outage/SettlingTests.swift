import Authority
import PKI
import PKICrypto
import TestSupport
import Testing

@testable import AuthorityService

/// What a replica does before it is one that the ledger knows of: with a disk that fails, with much to write, at a start in doubt, and
/// at a stop.
@Suite struct SettlingTests {
    private static func service(
        over ledger: MemoryLedger = MemoryLedger(), clock: TestClock = TestClock(), key: KeyEncryptionKey? = nil,
        journal: IssueJournal? = nil, rotationInterval: Duration = .milliseconds(20)
    ) throws -> Service {
        var settings = AuthoritySettings()
        settings.revisionPollInterval = .milliseconds(20)
        settings.rotationInterval = rotationInterval
        settings.heartbeatInterval = .zero
        return try Service(ledger: ledger, clock: clock, keyEncryptionKey: key, settings: settings, journal: journal)
    }

    private static func journal(_ scratch: ScratchDirectory, on disk: SlowDisk) throws -> IssueJournal {
        try IssueJournal(directory: scratch.journal, patience: .milliseconds(100)) { disk.sync($0) }
    }

    private static func spoil(_ disk: SlowDisk, hangs: Bool) {
        if hangs { disk.setHanging(true) } else { disk.setFailingDirectories(true) }
    }

    private static func mend(_ disk: SlowDisk) {
        disk.setHanging(false)
        disk.setFailingDirectories(false)
    }

    // MARK: - A disk that fails

    @Test(arguments: [false, true])
    func `a journal's disk that fails when a server takes over stops no change and no sign of life`(hangs: Bool) async throws {
        let (disk, scratch, ledger) = (SlowDisk(), try ScratchDirectory(), MemoryLedger())
        defer { Self.mend(disk) }
        let service = try Self.service(over: ledger, journal: Self.journal(scratch, on: disk))
        try await service.authority.start()
        Self.spoil(disk, hangs: hangs)
        try? await service.authority.outage.journal?.probe()
        #expect(service.authority.ledgerStatus.journalFailure != nil)
        ledger.failOver(to: ledger.disk.store)
        await service.authority.catchUp()
        try await service.makeMesh("payments")
        try await service.authority.tell(nil)
        #expect(service.authority.state.meshes.count == 2 && ledger.disk.store.timeline == 2)
    }

    @Test(arguments: [false, true])
    func `a process that starts on a disk that fails changes what it is asked to, and has a permit once its name is kept`(
        hangs: Bool
    ) async throws {
        let (disk, scratch, ledger) = (SlowDisk(), try ScratchDirectory(), MemoryLedger())
        defer { Self.mend(disk) }
        let journal = try Self.journal(scratch, on: disk)
        let permit = OfflinePermit(leafLifetimes: [.seconds(60)])
        try await journal.remember { $0.replicas = ["earlier"] }
        try await ledger.report(nil, permit: permit, of: "earlier", after: nil)
        let service = try Self.service(over: ledger, journal: journal)
        Self.spoil(disk, hangs: hangs)
        try await service.authority.start()
        try await service.makeMesh("payments")
        let caller = try await service.caller()
        _ = try await service.authority.issueLeaf(for: caller, node: "n")
        let name = service.authority.instance
        #expect(ledger.disk.store.replicas[name]?.permit == OfflinePermit.none)
        #expect(ledger.disk.store.replicas["earlier"]?.permit == permit && journal.remembered.replicas == ["earlier"])
        Self.mend(disk)
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "the permit") {
                ledger.disk.store.replicas[name]?.permit.signing == .seconds(3600)
            }
            try await eventually(within: Cluster.patience, "the goodbye of the one before") {
                ledger.disk.store.replicas["earlier"]?.permit == OfflinePermit.none && journal.remembered.replicas == [name]
            }
        }
    }

    // MARK: - Much to write

    @Test func `steps of the journal are replayed together, as many as fit, and none of them in two parts`() async throws {
        let scratch = try ScratchDirectory()
        let journal = try IssueJournal(directory: scratch.journal) { _ in 0 }
        let sizes = Array(repeating: 1, count: 600) + [200, 200, 300, 1]
        let records = try (0..<sizes.reduce(0, +)).map { try IssueJournalTests.record($0) }
        var start = 0
        for size in sizes {
            try await journal.append(Array(records[start..<start + size]))
            start += size
        }
        var found: [[CertificateRecord]] = []
        let count = try await journal.replay { (step: [CertificateRecord]) throws(LedgerFailure) in found.append(step) }
        #expect(found.map(\.count) == [256, 256, 88, 200, 200, 300, 1])
        #expect(count == records.count && found.flatMap(\.self) == records && journal.count == 0)
    }

    @Test(arguments: [false, true])
    func `what others change is taken up while much is written to the database, and nothing else is written meanwhile`(
        isFailover: Bool
    ) async throws {
        let (scratch, ledger) = (try ScratchDirectory(), MemoryLedger())
        let service = try Self.service(
            over: ledger, journal: IssueJournal(directory: scratch.journal), rotationInterval: .seconds(3600))
        try await service.authority.start()
        let other = try Self.service(over: MemoryLedger(disk: ledger.disk), key: service.keyEncryptionKey)
        try await other.authority.start()
        let caller = try await service.caller()
        let gate = LedgerGate()
        defer { gate.open() }
        let reports = ledger.count(of: .report)
        try await service.whileRunning {
            try await eventually(within: Cluster.patience, "the only round") { ledger.count(of: .report) > reports }
            ledger.setLasting(.delayed(gate), for: [.restore])
            if isFailover {
                _ = try await service.authority.issueLeaf(for: caller, node: "n")
                ledger.failOver(to: ledger.disk.store)
            } else {
                ledger.setLasting(.unavailable, for: [.record])
                _ = try await service.authority.issueLeaf(for: caller, node: "n")
                ledger.setLasting(nil, for: [.record])
            }
            #expect(await gate.awaitArrival())
            let before = ledger.disk.store.replicas
            await other.authority.catchUp()
            try await other.makeMesh("payments")
            try await eventually(within: Cluster.patience, "the mesh") { service.authority.state.meshes.count == 2 }
            let error = try await failure { try await service.makeMesh("orders") }
            guard case .ledger(.unavailable) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            let name = service.authority.instance
            #expect(ledger.disk.store.replicas[name] == before[name])
            gate.open()
            try await eventually(within: Cluster.patience, "the end of it") {
                guard await service.authority.hasJoined else { return false }
                return service.authority.isReady
            }
            try await service.makeMesh("orders")
        }
    }

    // MARK: - A ledger that was confirmed

    @Test func `a replica that started in doubt serves nobody before the ledger was told of it`() async throws {
        let (scratch, ledger, clock) = (try ScratchDirectory(), MemoryLedger(), TestClock())
        let journal = try IssueJournal(directory: scratch.journal)
        let first = try Self.service(over: ledger, clock: clock, journal: journal)
        try await first.authority.start()
        let backup = ledger.disk.store
        try await first.makeMesh("payments")
        await first.authority.catchUp()
        await first.authority.remember(isLast: true)
        ledger.disk.restore(backup)
        let restarted = MemoryLedger(disk: ledger.disk)
        let second = try Self.service(over: restarted, clock: clock, key: first.keyEncryptionKey, journal: journal)
        try await second.authority.start()
        #expect(throws: AuthorityError.self) { try second.authority.confirmServing() }
        let gate = LedgerGate()
        defer { gate.open() }
        restarted.setLasting(.delayed(gate), for: [.report])
        async let confirmed = second.authority.confirmLedger(reason: "backup of Monday", by: Service.administrator)
        #expect(await gate.awaitArrival())
        // The commit rings.
        await second.authority.catchUp()
        try await second.authority.refresh()
        #expect(throws: AuthorityError.self) { try second.authority.confirmServing() }
        gate.open()
        _ = try await confirmed
        try second.authority.confirmServing()
    }

    @Test func `a ledger that was confirmed is read again, though its revision is lower than the one in memory`() async throws {
        let ledger = MemoryLedger()
        let service = try Self.service(over: ledger)
        try await service.authority.start()
        var backup = ledger.disk.store
        try await service.makeMesh("payments")
        backup.state.epoch += 1000
        ledger.disk.restore(backup)
        await service.authority.catchUp()
        #expect(service.authority.ledgerStatus.doubt == nil)
        #expect(service.authority.state.meshes.count == 1)
        #expect(service.authority.state.revision == backup.state.authority.revision)
    }

    // MARK: - A stop

    @Test(arguments: [false, true])
    func `a goodbye comes after what a failover lost was written again, or not at all`(isRefused: Bool) async throws {
        let ledger = MemoryLedger()
        let service = try Self.service(over: ledger)
        try await service.authority.start()
        let caller = try await service.caller()
        let standby = ledger.disk.store
        let leaf = try await service.authority.issueLeaf(for: caller, node: "n")
        if isRefused { ledger.setLasting(.failed(.rejected(detail: "injected")), for: [.restore]) }
        ledger.failOver(to: standby)
        _ = try await service.authority.lookAtLedger()
        try await service.authority.leave()
        #expect(ledger.disk.store.certificates.contains { $0.serial == leaf.serial } == !isRefused)
        #expect(ledger.count(of: .withdrawReport) == (isRefused ? 0 : 1))
    }

    // MARK: - What is said

    @Test func `who is refused a leaf is told whether the database is silent, in doubt, or another`() async throws {
        let ledger = MemoryLedger()
        let service = try Self.service(over: ledger)
        try await service.authority.start()
        let caller = try await service.caller()
        let backup = ledger.disk.store
        try await service.makeMesh("payments")
        ledger.disk.restore(backup)
        await service.authority.catchUp()
        let refusal = try await failure { try await service.authority.issueLeaf(for: caller, node: "n") }
        #expect(refusal?.description.contains("in doubt (lost-transactions)") == true, "\(String(describing: refusal))")
        // With a journal, and nothing told yet.
        let scratch = try ScratchDirectory()
        let other = try Self.service(journal: IssueJournal(directory: scratch.journal))
        try await other.authority.start()
        let second = try await other.caller()
        other.ledger.failOver(to: other.ledger.disk.store)
        other.authority.outage.endPermit()
        let behind = try await failure { try await other.authority.issueLeaf(for: second, node: "n") }
        #expect(behind?.description.contains("another database answers") == true, "\(String(describing: behind))")
        other.ledger.setLasting(.unavailable)
        let silent = try await failure { try await other.authority.issueLeaf(for: second, node: "n") }
        #expect(silent?.description.contains("does not answer") == true, "\(String(describing: silent))")
    }
}
