import AuthorityService
import TestSupport
import Testing

@Suite("The ledger in memory, with faults", .timeLimit(.minutes(1)))
struct MemoryLedgerTests {
    @Test func `a failed commit has no effect, a persisted one has`() async throws {
        let ledger = MemoryLedger()
        ledger.inject(.unavailable, into: .commit)
        ledger.inject(.notPersistedOutcomeUnknown, into: .commit)
        ledger.inject(.persistedThenFailed, into: .commit)
        let transaction = try LedgerFixture.creation("m")
        await #expect(throws: LedgerFailure.unavailable(detail: "injected")) { _ = try await ledger.commit(transaction) }
        await #expect(throws: LedgerFailure.outcomeUnknown(detail: "injected, not persisted")) {
            _ = try await ledger.commit(transaction)
        }
        #expect(try await ledger.revision() == 0)
        await #expect(throws: LedgerFailure.outcomeUnknown(detail: "injected, persisted")) {
            _ = try await ledger.commit(transaction)
        }
        // A new ledger over the same disk is a restart.
        #expect(try await MemoryLedger(disk: ledger.disk).revision() == 1)
        #expect(ledger.count(of: .commit) == 3)
    }

    @Test func `a delayed call waits for the gate`() async throws {
        let ledger = MemoryLedger()
        let gate = LedgerGate()
        ledger.inject(.delayed(gate), into: .record)
        async let recorded: Void = ledger.record([LedgerFixture.leaf(1, mesh: "m")])
        #expect(await gate.awaitArrival())
        #expect(try await ledger.certificates(CertificateQuery()).total == 0)
        gate.open()
        try await recorded
        #expect(try await ledger.certificates(CertificateQuery()).total == 1)
    }

    @Test func `a lasting fault lasts until it is taken away`() async throws {
        let ledger = MemoryLedger()
        ledger.setLasting(.unavailable)
        for _ in 0..<3 {
            await #expect(throws: LedgerFailure.unavailable(detail: "injected")) { _ = try await ledger.load() }
        }
        ledger.setLasting(nil)
        _ = try await ledger.load()
    }
}
