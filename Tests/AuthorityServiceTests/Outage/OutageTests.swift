import Authority
import Foundation
import Glibc
import Logging
import PKI
import PKICrypto
import Synchronization
import TestSupport
import Testing

@testable import AuthorityService

/// The service while its ledger is away, in doubt, or its clock is wrong.
@Suite struct OutageTests {
    /// A service with a journal, over a ledger of its own or another's.
    fileprivate struct Bench {
        let service: Service
        let scratch: ScratchDirectory

        static func started(
            over ledger: MemoryLedger = MemoryLedger(), in scratch: ScratchDirectory? = nil, clock: TestClock = TestClock(),
            serviceClock: ServiceClock? = nil, key: KeyEncryptionKey? = nil, disk: SlowDisk? = nil
        ) async throws -> Bench {
            let scratch = try scratch ?? ScratchDirectory()
            var settings = AuthoritySettings()
            settings.revisionPollInterval = .milliseconds(20)
            settings.rotationInterval = .milliseconds(20)
            settings.heartbeatInterval = .zero
            let service = try Service(
                ledger: ledger, clock: clock, keyEncryptionKey: key, settings: settings,
                journal: disk.map { disk in
                    try IssueJournal(directory: scratch.journal, patience: .milliseconds(100)) { disk.sync($0) }
                } ?? IssueJournal(directory: scratch.journal), serviceClock: serviceClock)
            try await service.authority.start()
            return Bench(service: service, scratch: scratch)
        }

        var authority: MeshAuthority { service.authority }
        var ledger: MemoryLedger { service.ledger }

        func cutOff() { ledger.setLasting(.unavailable) }
        func reconnect() { ledger.setLasting(nil) }

        /// The ledger's serials, each as often as it is there.
        var serials: [SerialNumber] { ledger.disk.store.certificates.map(\.serial) }

        func issue(_ caller: Caller) async throws -> DeliveredLeaf {
            try await authority.issueLeaf(for: caller, node: "node-1")
        }

        func whileRunning(_ body: @escaping @Sendable () async throws -> Void) async throws {
            try await service.whileRunning(body)
        }
    }

    @Test func `leaves go on while the ledger is away, and each is in it exactly once when it is back`() async throws {
        let bench = try await Bench.started()
        let caller = try await bench.service.caller()
        bench.cutOff()
        var leaves: [DeliveredLeaf] = []
        for _ in 0..<5 { leaves.append(try await bench.issue(caller)) }
        #expect(!bench.authority.isReady && bench.authority.obstacle?.contains("journal") == true)
        #expect(bench.authority.ledgerStatus.journaled == 5)
        #expect(Set(bench.serials).isDisjoint(with: leaves.map(\.serial)))
        // They are good leaves, under the issuer that is bound.
        let chain = try Service.chain(of: leaves[0])
        _ = try ChainVerifier(roots: bench.authority.state.boundRoots).verify(chain: chain, at: bench.service.clock.now)
        bench.reconnect()
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the replay") { bench.authority.isReady }
        }
        for leaf in leaves { #expect(bench.serials.filter { $0 == leaf.serial }.count == 1) }
        #expect(access(bench.scratch.leaves, F_OK) != 0)
        leaves.append(try await bench.issue(caller))
        #expect(bench.authority.ledgerStatus.journaled == 0)
    }

    @Test func `one whose recording is in doubt is recorded once, whether it was or not`() async throws {
        for fault in [MemoryLedger.Fault.persistedThenFailed, .notPersistedOutcomeUnknown] {
            let bench = try await Bench.started()
            let caller = try await bench.service.caller()
            bench.ledger.inject(fault, into: .record)
            let leaf = try await bench.issue(caller)
            try await bench.whileRunning {
                try await eventually(within: Cluster.patience, "the replay") { bench.authority.isReady }
            }
            #expect(bench.serials.filter { $0 == leaf.serial }.count == 1)
        }
    }

    @Test func `a replay that is cut short anywhere still leaves each in the ledger once`() async throws {
        for fault in [MemoryLedger.Fault.persistedThenFailed, .unavailable, .notPersistedOutcomeUnknown] {
            let bench = try await Bench.started()
            let caller = try await bench.service.caller()
            bench.cutOff()
            let leaves = [try await bench.issue(caller), try await bench.issue(caller)]
            bench.reconnect()
            bench.ledger.inject(fault, into: .restore)
            try await bench.whileRunning {
                try await eventually(within: Cluster.patience, "the replay") { bench.authority.isReady }
            }
            for leaf in leaves { #expect(bench.serials.filter { $0 == leaf.serial }.count == 1) }
        }
    }

    @Test func `after a crash the next process replays first, and says that the one before is gone`() async throws {
        let disk = MemoryLedger.Disk()
        let clock = TestClock()
        let scratch = try ScratchDirectory()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        func ledger() -> MemoryLedger { MemoryLedger(disk: disk, now: { clock.now }) }
        var first: Bench? = try await Bench.started(over: ledger(), in: scratch, clock: clock, key: key)
        let name = try #require(first?.authority.instance)
        let caller = try #require(try await first?.service.caller())
        first?.cutOff()
        let leaf = try #require(try await first?.issue(caller))
        #expect(disk.store.replicas[name]?.permit.signing == .seconds(3600))
        first = nil
        // A process ends with its last task.
        func awaitLock() async throws {
            try await eventually(within: .seconds(10), "the lock") { (try? IssueJournal(directory: scratch.journal)) != nil }
        }
        try await awaitLock()
        // The ledger is still away at first: the next one waits, and issues nothing.
        let away = ledger()
        away.setLasting(.unavailable)
        await #expect(throws: AuthorityError.self) {
            _ = try await Bench.started(over: away, in: scratch, clock: clock, key: key)
        }
        try await awaitLock()
        let second = try await Bench.started(over: ledger(), in: scratch, clock: clock, key: key)
        #expect(disk.store.certificates.filter { $0.serial == leaf.serial }.count == 1)
        #expect(disk.store.replicas[name]?.permit == OfflinePermit.none)
        #expect(second.authority.isReady && second.authority.ledgerStatus.journaled == 0)
    }

    @Test func `it ends after half of the leaf's life since the ledger last heard of it`() async throws {
        let bench = try await Bench.started()
        try await bench.service.makeMesh("brief", leafLifetime: .seconds(60))
        let caller = try await bench.service.caller(mesh: "brief")
        let other = try await bench.service.caller()
        // What it may do has to be known first.
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the permit") {
                bench.ledger.disk.store.replicas[bench.authority.instance]?.permit.reach == .seconds(3600 + 86_400 + 60)
            }
        }
        bench.cutOff()
        bench.service.clock.advance(by: .seconds(29))
        _ = try await bench.issue(caller)
        bench.service.clock.advance(by: .seconds(1))
        let error = try await failure { try await bench.issue(caller) }
        guard case .ledger(.unavailable(let detail)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("30 s"))
        // Another mesh's leaves live longer, and so does its window.
        _ = try await bench.issue(other)
    }

    @Test func `no document, token or revocation is changed meanwhile, nor before the journal has been replayed`() async throws {
        let bench = try await Bench.started()
        let caller = try await bench.service.caller()
        bench.cutOff()
        _ = try await bench.issue(caller)
        for isBack in [false, true] {
            if isBack {
                bench.reconnect()
                bench.ledger.setLasting(.unavailable, for: [.restore])
            }
            let error = try await failure { try await bench.service.makeMesh("payments") }
            guard case .ledger(.unavailable) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(bench.ledger.disk.store.state.authority.meshes.count == 1)
        }
        bench.reconnect()
        // It is tried before the first change, too.
        try await bench.service.makeMesh("payments")
        #expect(bench.authority.ledgerStatus.journaled == 0)
    }

    @Test func `a replica with something in its journal confirms no phase and does not count as heard of`() async throws {
        let bench = try await Bench.started()
        let caller = try await bench.service.caller()
        bench.cutOff()
        _ = try await bench.issue(caller)
        bench.reconnect()
        bench.ledger.setLasting(.unavailable, for: [.restore])
        let before = bench.ledger.disk.store.replicas
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "some tries") { bench.ledger.count(of: .restore) > 3 }
        }
        #expect(bench.ledger.disk.store.replicas == before)
        #expect(bench.ledger.disk.store.driver == nil)
    }

    @Test func `a journal that cannot be written issues nothing, and goes on by itself when it can`() async throws {
        try await SmallDisk.mounted { disk in
            let bench = try await Bench.started(in: ScratchDirectory(in: disk.path))
            let caller = try await bench.service.caller()
            bench.cutOff()
            _ = try await bench.issue(caller)
            try disk.fill()
            var issued = 1
            // The last page that the journal has already may take a few more.
            try await eventually(within: Cluster.patience, "a refusal", every: .zero) {
                guard let error = try await failure(of: { try await bench.issue(caller) }) else {
                    issued += 1
                    return false
                }
                guard case .ledger(.unavailable) = error else { throw error }
                return true
            }
            #expect(bench.authority.ledgerStatus.journaled == issued)
            disk.empty()
            _ = try await bench.issue(caller)
            #expect(bench.authority.ledgerStatus.journaled == issued + 1)
            bench.reconnect()
            try await bench.whileRunning {
                try await eventually(within: Cluster.patience, "the replay") { bench.authority.isReady }
            }
            #expect(bench.serials.count == Set(bench.serials).count)
        }
    }

    @Test func `a journal that cannot be written is told of while the ledger answers, until it can be again`() async throws {
        let bench = try await Bench.started()
        let directory = bench.scratch.journal
        #expect(bench.authority.ledgerStatus.journalFailure == nil)
        try FileManager.default.removeItem(atPath: directory)
        try await bench.whileRunning {
            // Nobody asks this replica for anything.
            try await eventually(within: Cluster.patience, "what is wrong") {
                bench.authority.ledgerStatus.journalFailure?.description.contains(directory) == true
            }
            #expect(bench.authority.isReady, "the ledger takes what is issued")
            #expect(mkdir(directory, 0o700) == 0)
            try await eventually(within: Cluster.patience, "the journal") { bench.authority.ledgerStatus.journalFailure == nil }
        }
        let caller = try await bench.service.caller()
        bench.cutOff()
        _ = try await bench.issue(caller)
        #expect(access(bench.scratch.leaves, F_OK) == 0 && bench.authority.ledgerStatus.journaled == 1)
    }

    @Test func `without a journal nothing is issued while the ledger is away`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        service.ledger.setLasting(.unavailable)
        await #expect(throws: AuthorityError.ledger(.unavailable(detail: "injected"))) {
            _ = try await service.authority.issueLeaf(for: caller, node: "node-1")
        }
        #expect(service.ledger.disk.store.replicas[service.authority.instance]?.permit == OfflinePermit.none)
    }

    @Test func `a row that was lost has its permit again with the next sign of life`() async throws {
        let bench = try await Bench.started()
        let name = bench.authority.instance
        let permit = try #require(bench.ledger.disk.store.replicas[name]?.permit)
        #expect(permit.signing == .seconds(3600))
        try await bench.whileRunning {
            var lost = bench.ledger.disk.store
            lost.replicas = [:]
            bench.ledger.disk.restore(lost)
            try await eventually(within: Cluster.patience, "the row") { bench.ledger.disk.store.replicas[name] != nil }
            #expect(bench.ledger.disk.store.replicas[name]?.permit == permit)
        }
    }

    @Test func `what an old primary would take goes into the journal, and from there into the right one`() async throws {
        let bench = try await Bench.started()
        let caller = try await bench.service.caller()
        let old = bench.ledger.disk.store
        try await bench.service.makeMesh("payments")
        let right = bench.ledger.disk.store
        // A connection of the pool leads to it still, and nobody has looked since.
        bench.ledger.disk.restore(old)
        let leaf = try await bench.issue(caller)
        #expect(bench.serials == old.certificates.map(\.serial) && bench.authority.ledgerStatus.journaled == 1)
        // Nor is the journal written to it, by whoever has not looked.
        await #expect(throws: AuthorityError.self) { try await bench.authority.settle() }
        #expect(bench.serials == old.certificates.map(\.serial) && bench.authority.ledgerStatus.journaled == 1)
        bench.ledger.disk.restore(right)
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the replay") { bench.authority.isReady }
        }
        #expect(bench.serials.filter { $0 == leaf.serial }.count == 1)
    }

    @Test func `a goodbye is said only when nothing is in the journal, or on its way there`() async throws {
        for _ in 0..<20 {
            let bench = try await Bench.started()
            let name = bench.authority.instance
            let caller = try await bench.service.caller()
            bench.ledger.setLasting(.unavailable, for: [.record])
            async let issued = try? bench.issue(caller)
            try await bench.authority.leave()
            let isGone = bench.ledger.disk.store.replicas[name]?.permit == OfflinePermit.none
            #expect(await issued == nil || !isGone)
        }
    }

    // MARK: - A ledger in doubt

    @Test func `a restored backup is found out across a restart, and is read-only until an operator confirms it`() async throws {
        let disk = MemoryLedger.Disk()
        let clock = TestClock()
        let scratch = try ScratchDirectory()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        func ledger() -> MemoryLedger { MemoryLedger(disk: disk, now: { clock.now }) }
        func serveOnce() async throws -> (token: String, backup: MemoryLedgerStore) {
            let first = try await Bench.started(over: ledger(), in: scratch, clock: clock, key: key)
            let token = try await first.service.token()
            let backup = disk.store
            try await first.service.makeMesh("payments")
            try await first.whileRunning {
                try await eventually(within: Cluster.patience, "the position is kept") {
                    try IssueJournalMemory.read(scratch.journal).contains("\"revision\":\(disk.store.state.authority.revision)")
                }
            }
            return (token, backup)
        }
        let (token, backup) = try await serveOnce()
        try await restartsReadOnly(disk, backup, token, scratch, clock, key)
    }

    private func restartsReadOnly(
        _ disk: MemoryLedger.Disk, _ backup: MemoryLedgerStore, _ token: String, _ scratch: ScratchDirectory, _ clock: TestClock,
        _ key: KeyEncryptionKey
    ) async throws {
        disk.restore(backup)
        let seen = backup.state.authority.revision
        try await eventually(within: .seconds(10), "the lock") { (try? IssueJournal(directory: scratch.journal)) != nil }
        let second = try await Bench.started(
            over: MemoryLedger(disk: disk, now: { clock.now }), in: scratch, clock: clock, key: key)
        #expect(!second.authority.isReady && second.authority.ledgerStatus.doubt?.reason == "lost-transactions")
        // Proxies keep what they have, nothing is written, and an administrator may read.
        let error = try await failure { try await second.authority.authenticate(Service.credentials(token: token)) }
        guard case .ledger(.behind) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        await #expect(throws: AuthorityError.self) { try await second.service.makeMesh("orders") }
        try await second.whileRunning {
            try await eventually(within: Cluster.patience, "some looks") { second.ledger.count(of: .revision) > 3 }
        }
        #expect(disk.store.state.authority.revision == seen && disk.store.audit == backup.audit)
        #expect(second.authority.state.meshes.count == 1)
        // The word of an operator.
        await #expect(throws: AuthorityError.self) {
            _ = try await second.authority.confirmLedger(reason: " ", by: Service.administrator)
        }
        let status = try await second.authority.confirmLedger(reason: "backup of Monday", by: Service.administrator)
        #expect(status.doubt == nil && status.position?.epoch == 2 && second.authority.isReady)
        #expect(disk.store.audit.contains { $0.action == "ledger-confirmed" && $0.actor == "user:alice" })
        // The backup knows nothing of this process; it may do nothing without the ledger that nobody was told of.
        #expect(disk.store.replicas[second.authority.instance] != nil)
        _ = try await second.authority.authenticate(Service.credentials(token: token))
        try await second.whileRunning {
            try await eventually(within: Cluster.patience, "an issuing certificate") {
                _ = try await second.issue(second.service.caller())
                return true
            }
        }
        await #expect(throws: AuthorityError.self) {
            _ = try await second.authority.confirmLedger(reason: "again", by: Service.administrator)
        }
    }

    @Test func `a wrong database that somebody else writes to is not believed for it, until an operator confirms it`()
        async throws
    {
        let clock = TestClock()
        let disk = MemoryLedger.Disk()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        let bench = try await Bench.started(over: MemoryLedger(disk: disk, now: { clock.now }), clock: clock, key: key)
        let backup = disk.store
        try await bench.service.makeMesh("payments")
        disk.restore(backup)
        await #expect(throws: AuthorityError.self) { try await bench.service.makeMesh("orders") }
        // Another replica, which has seen nothing of what was lost.
        let other = try await Bench.started(over: MemoryLedger(disk: disk, now: { clock.now }), clock: clock, key: key)
        for name in ["a", "b", "c"] { try await other.service.makeMesh(name) }
        let written = disk.store.audit
        try await bench.whileRunning {
            let looks = bench.ledger.count(of: .revision)
            try await eventually(within: Cluster.patience, "some looks") { bench.ledger.count(of: .revision) > looks + 3 }
        }
        await #expect(throws: AuthorityError.self) { try await bench.service.makeMesh("orders") }
        #expect(disk.store.audit == written && bench.authority.ledgerStatus.doubt?.reason == "lost-transactions")
        let status = try await bench.authority.confirmLedger(reason: "it is the one", by: Service.administrator)
        #expect(status.doubt == nil && status.position?.epoch == 2 && bench.authority.isReady)
    }

    @Test func `what was issued under one ledger is not written into another by an operator's word`() async throws {
        let clock = TestClock()
        let scratch = try ScratchDirectory()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        let bench = try await Bench.started(in: scratch, clock: clock, key: key)
        let caller = try await bench.service.caller()
        let right = bench.ledger.disk.store
        let foreign = try await Bench.started(clock: clock, key: key).ledger.disk.store
        bench.cutOff()
        let leaf = try await bench.issue(caller)
        bench.reconnect()
        bench.ledger.disk.restore(foreign)
        await #expect(throws: AuthorityError.self) { try await bench.authority.refresh() }
        #expect(bench.authority.ledgerStatus.doubt?.reason == "another-ledger")
        let error = try await failure { try await bench.authority.confirmLedger(reason: "mine", by: Service.administrator) }
        guard case .conflict(let detail) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("1 certificate") && detail.contains(right.state.ledger) && detail.contains("leaves.journal"))
        #expect(bench.ledger.disk.store.audit == foreign.audit && !bench.serials.contains(leaf.serial))
        #expect(access(scratch.leaves, F_OK) == 0 && bench.authority.ledgerStatus.journaled == 1)
        // Led back, it writes them where they are of.
        bench.ledger.disk.restore(right)
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the replay") { bench.authority.isReady }
        }
        #expect(bench.serials.filter { $0 == leaf.serial }.count == 1)
    }

    @Test func `a replica that runs follows a confirmation, and refuses the old primary from then on`() async throws {
        let clock = TestClock()
        let disk = MemoryLedger.Disk()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        let one = try await Bench.started(over: MemoryLedger(disk: disk, now: { clock.now }), clock: clock, key: key)
        let two = try await Bench.started(over: MemoryLedger(disk: disk, now: { clock.now }), clock: clock, key: key)
        let backup = disk.store
        try await one.service.makeMesh("payments")
        try await two.whileRunning {
            try await eventually(within: Cluster.patience, "both know it") {
                two.authority.state.revision == disk.store.state.authority.revision
            }
        }
        let old = disk.store
        disk.restore(backup)
        // A write finds it out before anything is committed.
        await #expect(throws: AuthorityError.self) { try await one.service.makeMesh("orders") }
        #expect(disk.store.audit == backup.audit && one.authority.ledgerStatus.doubt != nil)
        _ = try await one.authority.confirmLedger(reason: "the standby it is", by: Service.administrator)
        try await two.whileRunning {
            try await eventually(within: Cluster.patience, "the other follows") {
                two.authority.ledgerStatus.position?.epoch == 2 && two.authority.isReady
            }
        }
        // The old primary comes back, further than both by its own count.
        disk.restore(old)
        for bench in [one, two] {
            await #expect(throws: AuthorityError.self) { try await bench.service.makeMesh("orders") }
            #expect(bench.authority.ledgerStatus.doubt?.reason == "earlier-epoch" && !bench.authority.isReady)
        }
        #expect(disk.store.audit == old.audit)
    }

    // MARK: - The clock

    @Test func `a clock that runs back stops the issuing until it has caught up`() async throws {
        let wall = TestClock()
        let steady = Mutex(Duration.zero)
        let bench = try await Bench.started(
            clock: wall, serviceClock: ServiceClock({ wall.now }, steady: { steady.withLock { $0 } }))
        func pass(_ seconds: Int64, wall error: Int64 = 0) {
            steady.withLock { $0 += .seconds(seconds) }
            wall.advance(by: .seconds(seconds + error))
        }
        let caller = try await bench.service.caller()
        _ = try await bench.issue(caller)
        pass(1, wall: -3600)
        for _ in 0..<2 {
            #expect(try await failure { try await bench.issue(caller) } == .clockBehind(by: .seconds(3599)))
        }
        #expect(!bench.authority.isReady && bench.authority.obstacle?.contains("clock") == true)
        #expect(bench.authority.ledgerStatus.doubt == nil)
        pass(3600)
        _ = try await bench.issue(caller)
        #expect(bench.authority.isReady)
    }

    @Test(arguments: [3600, 34_560_000] as [Int64])
    func `a jump ahead signs nothing that lives longer, and costs nothing when it is taken back`(leap: Int64) async throws {
        let wall = TestClock()
        let steady = Mutex(Duration.zero)
        let bench = try await Bench.started(
            clock: wall, serviceClock: ServiceClock({ wall.now }, steady: { steady.withLock { $0 } }))
        let caller = try await bench.service.caller()
        _ = try await bench.issue(caller)
        let ahead = Mutex<(leaf: DeliveredLeaf, caller: Caller)?>(nil)
        wall.advance(by: .seconds(leap))
        try await bench.whileRunning {
            // Issuing certificates may have ended by this clock, and are made anew first.
            try await eventually(within: Cluster.patience, "a leaf") {
                let fresh = try await bench.service.caller()
                let leaf = try await bench.issue(fresh)
                #expect(leaf.held.notAfter <= wall.now + .seconds(86_400) && leaf.renewAt > wall.now)
                ahead.withLock { $0 = (leaf, fresh) }
                return true
            }
        }
        wall.advance(by: .seconds(-leap))
        // Whoever comes back with what nobody accepts yet is given another.
        let (early, holder) = try #require(ahead.withLock { $0 })
        #expect(bench.authority.heldLeaf(version: early.version, by: holder) == nil)
        let late = try await bench.service.caller()
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "a leaf that everybody accepts") {
                let leaf = try await bench.issue(late)
                #expect(leaf.held.notAfter <= wall.now + .seconds(86_400))
                let chain = try Service.chain(of: leaf)
                _ = try ChainVerifier(roots: bench.authority.state.boundRoots).verify(chain: chain, at: wall.now)
                return true
            }
        }
        #expect(bench.authority.isReady)
    }
}

extension OutageTests {
    @Test func `a replica is ready again when its clock has caught up, though nobody asks it for anything`() async throws {
        let wall = TestClock()
        let steady = Mutex(Duration.zero)
        let bench = try await Bench.started(
            clock: wall, serviceClock: ServiceClock({ wall.now }, steady: { steady.withLock { $0 } }))
        let caller = try await bench.service.caller()
        _ = try await bench.issue(caller)
        wall.advance(by: .seconds(-3600))
        #expect(try await failure { try await bench.issue(caller) } == .clockBehind(by: .seconds(3600)))
        try await bench.whileRunning {
            #expect(!bench.authority.isReady)
            steady.withLock { $0 += .seconds(3600) }
            wall.advance(by: .seconds(3600))
            try await eventually(within: Cluster.patience, "readiness") { bench.authority.isReady }
        }
    }

    @Test func `a clock that ran back over a restart issues nothing until it has caught up`() async throws {
        let disk = MemoryLedger.Disk()
        let wall = TestClock()
        let scratch = try ScratchDirectory()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        func started() async throws -> Bench {
            try await Bench.started(over: MemoryLedger(disk: disk, now: { wall.now }), in: scratch, clock: wall, key: key)
        }
        var first: Bench? = try await started()
        let caller = try #require(try await first?.service.caller())
        _ = try await first?.issue(caller)
        try await first?.whileRunning {
            try await eventually(within: Cluster.patience, "the time is kept") {
                try IssueJournalMemory.read(scratch.journal).contains("issuedAt")
            }
        }
        first = nil
        try await eventually(within: .seconds(10), "the lock") { (try? IssueJournal(directory: scratch.journal)) != nil }
        wall.advance(by: .seconds(-3600))
        #expect(try await failure { _ = try await started() } == .clockBehind(by: .seconds(3600)))
        wall.advance(by: .seconds(3600))
        try await eventually(within: .seconds(10), "the lock") { (try? IssueJournal(directory: scratch.journal)) != nil }
        let next = try await started()
        _ = try await next.issue(try await next.service.caller())
    }

    @Test func `a local disk that hangs signs nothing, and holds up neither what follows nor who asks`() async throws {
        let disk = SlowDisk()
        defer { disk.setHanging(false) }
        let bench = try await Bench.started(disk: disk)
        let other = try await Bench.started(
            over: MemoryLedger(disk: bench.ledger.disk), key: bench.service.keyEncryptionKey)
        let caller = try await bench.service.caller()
        disk.setHanging(true)
        try await bench.whileRunning {
            try await other.service.makeMesh("payments")
            try await eventually(within: Cluster.patience, "the mesh") { bench.authority.state.meshes.count == 2 }
            try await other.service.makeMesh("orders")
            try await eventually(within: Cluster.patience, "the next mesh") { bench.authority.state.meshes.count == 3 }
            // The ledger is there: leaves need no journal.
            _ = try await bench.issue(caller)
        }
        bench.cutOff()
        for _ in 0..<5 {
            guard case .ledger(.unavailable) = try await failure(of: { try await bench.issue(caller) }) else {
                Issue.record("it signed what is nowhere recorded")
                return
            }
        }
        #expect(bench.authority.ledgerStatus.journaled == 0)
        disk.setHanging(false)
        try await eventually(within: Cluster.patience, "the journal") {
            _ = try await bench.issue(caller)
            return true
        }
        #expect(bench.authority.ledgerStatus.journaled == 1)
    }

    @Test func `a journal that the database refuses keeps nobody from following what others change, and is named at the start`()
        async throws
    {
        let bench = try await Bench.started()
        let other = try await Bench.started(
            over: MemoryLedger(disk: bench.ledger.disk), key: bench.service.keyEncryptionKey)
        let caller = try await bench.service.caller()
        bench.cutOff()
        _ = try await bench.issue(caller)
        bench.reconnect()
        bench.ledger.setLasting(.failed(.rejected(detail: "injected")), for: [.restore])
        try await other.service.makeMesh("payments")
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the mesh") { bench.authority.state.meshes.count == 2 }
        }
        #expect(bench.authority.ledgerStatus.journaled == 1)
        let error = try await failure { try await bench.authority.start() }
        #expect(error?.description.contains(bench.scratch.journal) == true, "\(String(describing: error))")
    }

    @Test func `each replay has an audit entry of its own`() async throws {
        let bench = try await Bench.started()
        let caller = try await bench.service.caller()
        for (round, count) in [1, 2].enumerated() {
            bench.cutOff()
            for _ in 0..<count { _ = try await bench.issue(caller) }
            bench.reconnect()
            try await bench.service.makeMesh("mesh-\(round)")
        }
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the entries") {
                bench.ledger.disk.store.audit.contains { $0.action == "journal-replayed" }
            }
        }
        let replays = bench.ledger.disk.store.audit.filter { $0.action == "journal-replayed" }
        #expect(replays.map { $0.details["certificates"] } == ["1", "2"])
    }

    @Test func `a clock that jumped ahead signs nothing without the ledger: it would outlive the permit`() async throws {
        let wall = TestClock()
        let steady = Mutex(Duration.zero)
        let bench = try await Bench.started(
            clock: wall, serviceClock: ServiceClock({ wall.now }, steady: { steady.withLock { $0 } }))
        let caller = try await bench.service.caller()
        _ = try await bench.issue(caller)
        bench.cutOff()
        wall.advance(by: .seconds(61))
        let error = try await failure { try await bench.issue(caller) }
        guard case .ledger(.unavailable(let detail)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(detail.contains("clock") && bench.authority.ledgerStatus.journaled == 0)
        wall.advance(by: .seconds(-61))
        _ = try await bench.issue(caller)
        #expect(bench.authority.ledgerStatus.journaled == 1)
    }

    @Test func `after a ledger was confirmed nothing is signed without it until it was told of this replica`() async throws {
        let clock = TestClock()
        let disk = MemoryLedger.Disk()
        let ledger = MemoryLedger(disk: disk, now: { clock.now })
        let bench = try await Bench.started(over: ledger, clock: clock)
        let caller = try await bench.service.caller()
        _ = try await bench.issue(caller)
        var backup = disk.store
        backup.replicas = [:]
        try await bench.service.makeMesh("payments")
        disk.restore(backup)
        await #expect(throws: AuthorityError.self) { try await bench.service.makeMesh("orders") }
        // The word arrives, and the ledger is away again before it was told of this replica.
        ledger.setLasting(.unavailable, for: [.report, .permit, .announce])
        _ = try? await bench.authority.confirmLedger(reason: "backup of Monday", by: Service.administrator)
        #expect(disk.store.state.epoch == 2 && disk.store.replicas.isEmpty)
        bench.cutOff()
        await #expect(throws: AuthorityError.self) { _ = try await bench.issue(caller) }
        #expect(bench.authority.ledgerStatus.journaled == 0)
        bench.reconnect()
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "the permit") {
                disk.store.replicas[bench.authority.instance]?.permit.signing == .seconds(3600)
            }
        }
        bench.cutOff()
        _ = try await bench.issue(caller)
        #expect(bench.authority.ledgerStatus.journaled == 1)
    }

    @Test func `a replica whose clock jumped drives no rotation, since what lives may seem to have ended`() async throws {
        let wall = TestClock()
        let steady = Mutex(Duration.zero)
        let bench = try await Bench.started(
            clock: wall, serviceClock: ServiceClock({ wall.now }, steady: { steady.withLock { $0 } }))
        wall.advance(by: .seconds(3600))
        try await bench.whileRunning {
            try await eventually(within: Cluster.patience, "some rounds") { bench.ledger.count(of: .report) > 10 }
            #expect(bench.ledger.count(of: .lease) == 0)
            wall.advance(by: .seconds(-3600))
            try await eventually(within: Cluster.patience, "it drives") { bench.ledger.count(of: .lease) > 0 }
        }
    }
}

/// What a journal's directory remembers of its ledger, as text.
enum IssueJournalMemory {
    static func read(_ directory: String) throws -> String {
        try String(contentsOfFile: directory + "/ledger.json", encoding: .utf8)
    }
}
