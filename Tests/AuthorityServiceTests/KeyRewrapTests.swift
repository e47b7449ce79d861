import Authority
import AuthorityService
import Logging
import PKI
import PKICrypto
import TestSupport
import Testing

/// The key-encryption key is exchanged for another one while the service runs.
@Suite("Exchange of the key-encryption key", .timeLimit(.minutes(2)))
struct KeyRewrapTests {
    private let disk = MemoryLedger.Disk()
    private let old: KeyEncryptionKey
    private let new: KeyEncryptionKey

    init() throws {
        old = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        new = try KeyEncryptionKey(bytes: SecretBytes.random(32))
    }

    private var counts: [String: Int] { KeyInventory(of: disk.store.state).counts }

    private func replica(_ ring: KeyRing) throws -> MeshAuthority {
        try MeshAuthority(
            ledger: MemoryLedger(disk: disk), keyRing: ring, clock: .system,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// A service with both keys, and more rows than one transaction takes.
    private func started(meshes: Int = 60) async throws -> MeshAuthority {
        let service = try replica(KeyRing(old, others: [new]))
        try await service.start()
        for number in 0..<meshes {
            _ = try await service.put(
                Service.mesh("m\(number)"), ifMatch: nil, by: Service.administrator)
        }
        return service
    }

    private func rewrap(_ ledger: MemoryLedger, _ ring: KeyRing) async throws -> Int {
        try await KeyRewrap(ledger: ledger, ring: ring, actor: "local:test", now: MemoryLedger.systemTime).run { _, _ in }
    }

    private func token(_ service: MeshAuthority, _ mesh: String) async throws -> String {
        try await service.issueDataplaneToken(
            DataplaneTokenRequest(
                mesh: MeshName(mesh), name: "p", tags: ["kuma.io/service": ["web"]], validFor: nil),
            by: Service.administrator)
    }

    @Test func `a ledger in doubt is not written to, whether it was so before or becomes so meanwhile`() async throws {
        _ = try await started()
        let before = counts
        let ring = KeyRing(new, others: [old])
        let backup = disk.store
        var seen = try await MemoryLedger(disk: disk).position()
        let ledger = MemoryLedger(disk: disk)
        seen.revision += 1
        let failure = await #expect(throws: KeyRewrap.Refusal.self) {
            try await KeyRewrap(ledger: ledger, ring: ring, actor: "local:test", seen: seen, now: MemoryLedger.systemTime)
                .run { _, _ in }
        }
        #expect(failure.map { "\($0)".contains("'signet ledger confirm'") } == true)
        #expect(counts == before)
        seen.revision -= 1
        await #expect(throws: (any Error).self) {
            try await KeyRewrap(ledger: ledger, ring: ring, actor: "local:test", seen: seen, now: MemoryLedger.systemTime)
                .run { _, _ in
                    var lost = backup
                    lost.state.authority.revision -= 1
                    disk.restore(lost)
                }
        }
        #expect(counts == before)
    }

    @Test func `interrupted after a transaction it goes on, and at its end no row is under the old key`() async throws {
        let service = try await started()
        let all = try #require(counts[old.id])
        #expect(all > KeyRewrap.batch && counts.count == 1)
        let ring = KeyRing(new, others: [old])
        let ledger = MemoryLedger(disk: disk)
        // The second transaction is durable, and its answer is lost.
        ledger.inject(.delayed(opened()), into: .commit)
        ledger.inject(.persistedThenFailed, into: .commit)
        await #expect(throws: LedgerFailure.self) { try await rewrap(ledger, ring) }
        #expect(counts[new.id] == all)
        // One that failed without effect.
        let again = MemoryLedger(disk: disk)
        again.inject(.unavailable, into: .commit)
        await #expect(throws: LedgerFailure.self) { try await rewrap(again, KeyRing(old, others: [new])) }
        #expect(counts == [new.id: all])
        #expect(try await rewrap(again, ring) == 0)

        // The service issued on meanwhile, and does so now.
        try await service.start()
        _ = try await token(service, "m7")
        let audited = disk.store.audit.filter { $0.action == "keys-rewrapped" }
        #expect(audited.count == 2 && audited.allSatisfy { $0.actor == "local:test" && $0.object == new.id })
        #expect(audited.compactMap { $0.details["rows"].flatMap(Int.init) }.reduce(0, +) == all)

        let fresh = try replica(KeyRing(new))
        try await fresh.start()
        _ = try await token(fresh, "m8")
        let stale = try replica(KeyRing(old))
        let failure = await #expect(throws: AuthorityError.self) { try await stale.start() }
        #expect("\(String(describing: failure))".contains(new.id), "\(String(describing: failure))")
    }

    private func opened() -> LedgerGate {
        let gate = LedgerGate()
        gate.open()
        return gate
    }

    @Test func `what is written under the old key meanwhile is taken in, too`() async throws {
        let service = try await started(meshes: 1)
        #expect(try await rewrap(MemoryLedger(disk: disk), KeyRing(new, others: [old])) > 0)
        _ = try await service.put(Service.mesh("late"), ifMatch: nil, by: Service.administrator)
        #expect(counts[old.id] == 2)
        #expect(try await rewrap(MemoryLedger(disk: disk), KeyRing(new, others: [old])) == 2)
        #expect(counts.keys.sorted() == [new.id])
    }

    @Test func `without the key of some row nothing is written`() async throws {
        _ = try await started(meshes: 1)
        let before = disk.store
        let failure = await #expect(throws: KeyRewrap.Refusal.self) {
            try await rewrap(MemoryLedger(disk: disk), KeyRing(new))
        }
        #expect(failure == .keysMissing([old.id: counts[old.id] ?? 0]))
        #expect(disk.store.state.serviceKeys == before.state.serviceKeys)
        #expect(disk.store.state.authority.revision == before.state.authority.revision)
    }

    @Test func `while a replica lives that has not the new key, nothing is written, and it is named`() async throws {
        let service = try replica(KeyRing(old))
        try await service.start()
        let failure = await #expect(throws: KeyRewrap.Refusal.self) {
            try await rewrap(MemoryLedger(disk: disk), KeyRing(new, others: [old]))
        }
        #expect(failure == .replicasWithout([service.instance], keyEncryptionKey: new.id))
        #expect(counts.keys.sorted() == [old.id])
    }

    @Test func `a row that does not open is not written over, and is named`() async throws {
        _ = try await started(meshes: 1)
        var store = disk.store
        let name = try #require(store.state.serviceKeys.keys.first)
        store.state.serviceKeys[name]?.ciphertext[20] ^= 1
        disk.restore(store)
        let failure = await #expect(throws: KeyRewrap.Refusal.self) {
            try await rewrap(MemoryLedger(disk: disk), KeyRing(new, others: [old]))
        }
        guard case .rowDoesNotOpen(.doesNotOpen(let context)) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(context.name == name)
        #expect(counts.keys.sorted() == [old.id] && disk.store.state.serviceKeys == store.state.serviceKeys)
    }
}
