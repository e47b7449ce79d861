import Authority
import Foundation
import PKI
import PKICrypto
import TestSupport
import Testing

@testable import AuthorityService

/// What a replica remembers of the audit trail, against whoever owns the database and takes the signature back too.
@Suite("The audit trail that was seen", .timeLimit(.minutes(1)))
struct AuditMemoryTests {
    /// Replicas over one disk, with a directory for the one that keeps a journal.
    private struct Bench {
        let disk = MemoryLedger.Disk()
        let clock = TestClock()
        let key: KeyEncryptionKey
        let scratch: ScratchDirectory

        init() throws {
            key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
            scratch = try ScratchDirectory()
        }

        func replica(hasJournal: Bool = false) async throws -> MeshAuthority {
            let clock = clock
            let service = try Service(
                ledger: MemoryLedger(disk: disk, now: { clock.now }), clock: clock, keyEncryptionKey: key,
                journal: hasJournal ? IssueJournal(directory: scratch.journal) : nil)
            try await service.authority.start()
            return service.authority
        }

        /// A replica that signed and remembered what there is, and is gone.
        func remember() async throws {
            do {
                let replica = try await replica(hasJournal: true)
                try await replica.sealAudit()
                await replica.remember(isLast: true)
            }
            try await eventually(within: .seconds(10), "the lock") { (try? IssueJournal(directory: scratch.journal)) != nil }
        }

        /// As somebody does who owns the database: the end is cut off, and with it the signature.
        func cut(by count: Int) {
            var store = disk.store
            store.audit.removeLast(count)
            store.auditHashes.removeLast(count)
            store.auditSeal = nil
            disk.restore(store)
        }

        /// Entries that change no revision.
        func append(_ count: Int) {
            var store = disk.store
            store.append(
                (0..<count).map {
                    AuditEntry(
                        at: clock.now, actor: "unknown", source: "192.0.2.7:\($0)", action: "credential-refused", mesh: nil,
                        object: "")
                })
            disk.restore(store)
        }

        var sealed: Int64? { disk.store.auditSeal?.seq }
        var count: Int64 { Int64(disk.store.audit.count) }
    }

    private func put(_ mesh: String, _ replica: MeshAuthority) async throws {
        _ = try await replica.put(Service.mesh(mesh), ifMatch: nil, by: Service.administrator)
    }

    @Test(arguments: [false, true])
    func `a trail whose end was cut off is not signed again until an operator confirms it, over a restart too`(
        _ isRestarted: Bool
    ) async throws {
        let bench = try Bench()
        var replica = try await bench.replica()
        bench.append(4)
        try await replica.sealAudit()
        let seen = bench.count
        #expect(bench.sealed == seen)
        if isRestarted { try await bench.remember() }
        bench.cut(by: 2)
        if isRestarted { replica = try await bench.replica(hasJournal: true) }
        try await replica.sealAudit()
        #expect(await replica.auditSealing.fault == .knownMissing(seq: seen) && bench.sealed == nil)
        // Nor when it has grown beyond what was seen.
        try await put("payments", replica)
        bench.append(5)
        try await replica.sealAudit()
        #expect(bench.count > seen && bench.sealed == nil)
        #expect(await replica.auditSealing.fault == .knownDiffers(seq: seen))
        // Not even where a replica that knows of nothing has signed it meanwhile.
        try await bench.replica().sealAudit()
        #expect(bench.sealed == bench.count)
        bench.append(1)
        try await replica.sealAudit()
        #expect(await replica.auditSealing.fault == .knownDiffers(seq: seen) && bench.sealed == bench.count - 1)
        _ = try await replica.confirmLedger(reason: "looked at", by: Service.administrator)
        #expect(bench.disk.store.audit.last?.action == "ledger-confirmed")
        try await replica.sealAudit()
        #expect(await replica.auditSealing.fault == nil && bench.sealed == bench.count)
        await #expect(throws: AuthorityError.self) {
            _ = try await replica.confirmLedger(reason: "again", by: Service.administrator)
        }
    }

    @Test func `a trail that others went on with and signed is no alarm for whoever remembers less of it`() async throws {
        let bench = try Bench()
        try await bench.remember()
        let other = try await bench.replica()
        try await put("payments", other)
        try await other.sealAudit()
        bench.append(3)
        let replica = try await bench.replica(hasJournal: true)
        for _ in 0..<3 {
            try await replica.sealAudit()
            #expect(await replica.auditSealing.fault == nil && bench.sealed == bench.count)
            bench.append(2)
            try await other.sealAudit()
            #expect(await other.auditSealing.fault == nil && bench.sealed == bench.count)
            try await put("m\(bench.count)", replica)
        }
    }

    @Test func `a restored backup that was confirmed is no alarm, for nobody and over a restart`() async throws {
        let bench = try Bench()
        let one = try await bench.replica()
        try await one.sealAudit()
        let backup = bench.disk.store
        for name in ["a", "b", "c"] { try await put(name, one) }
        let two = try await bench.replica()
        for replica in [one, two] { try await replica.sealAudit() }
        try await bench.remember()
        bench.disk.restore(backup)
        // Before anybody has noticed: no word of the trail, since the database itself is not the one that was seen.
        for replica in [one, two] {
            await #expect(throws: LedgerFailure.self) { try await replica.sealAudit() }
            #expect(await replica.auditSealing.fault == nil)
        }
        await #expect(throws: AuthorityError.self) { try await one.refresh() }
        _ = try await one.confirmLedger(reason: "backup of Monday", by: Service.administrator)
        // The other one has not heard of it yet.
        try await two.sealAudit()
        #expect(await two.auditSealing.fault == nil)
        try await one.sealAudit()
        #expect(bench.sealed == bench.count)
        try await two.refresh()
        let third = try await bench.replica(hasJournal: true)
        for replica in [two, third, one] {
            try await put("m\(bench.count)", replica)
            try await replica.sealAudit()
            #expect(await replica.auditSealing.fault == nil && bench.sealed == bench.count)
            for other in [one, two, third] { try await other.refresh() }
        }
        await third.remember(isLast: true)
        let text = try IssueJournalMemory.read(bench.scratch.journal)
        #expect(text.contains(#""epoch":2"#) && !text.contains(#""epoch":1"#))
    }

    @Test func `an old primary that comes back teaches nothing of the trail`() async throws {
        let bench = try Bench()
        let one = try await bench.replica()
        try await one.sealAudit()
        let backup = bench.disk.store
        for name in ["a", "b", "c"] { try await put(name, one) }
        try await one.sealAudit()
        let old = bench.disk.store
        bench.disk.restore(backup)
        await #expect(throws: AuthorityError.self) { try await one.refresh() }
        _ = try await one.confirmLedger(reason: "the standby it is", by: Service.administrator)
        try await one.sealAudit()
        let new = bench.disk.store
        let known = await one.auditSealing.mark
        bench.disk.restore(old)
        await #expect(throws: LedgerFailure.self) { try await one.sealAudit() }
        #expect(await one.auditSealing.mark == known && bench.disk.store.auditSeal == old.auditSeal)
        bench.disk.restore(new)
        bench.append(1)
        try await one.sealAudit()
        #expect(await one.auditSealing.fault == nil && bench.sealed == bench.count)
    }

    @Test func `what a release before remembered is read, and knows nothing of the trail`() throws {
        let text = #"{"position":{"epoch":1,"ledger":"l","revision":7},"replicas":["a"]}"#
        let memory = try JSONDecoder().decode(LedgerMemory.self, from: Data(text.utf8))
        #expect(memory == LedgerMemory(position: LedgerPosition(ledger: "l", epoch: 1, revision: 7), replicas: ["a"]))
        #expect(memory.audit == nil)
    }
}
