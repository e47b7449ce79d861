import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// A replica that is cut off signs under the issuer that it knew, and nothing that depends on it is done until that is over or told.
@Suite("A replica that is cut off", .timeLimit(.minutes(3)))
struct AbsenceTests {
    /// A replica with a journal beside the world's own.
    private static func joined(_ world: SharedWorld, _ scratch: ScratchDirectory) async throws -> Service {
        let first = world.cluster.first
        let service = try Service(
            ledger: MemoryLedger(disk: world.cluster.disk, now: { world.cluster.clock.now }), clock: world.cluster.clock,
            keyEncryptionKey: first.keyEncryptionKey, settings: first.authority.settings,
            journal: IssueJournal(directory: scratch.journal))
        try await service.authority.start()
        return service
    }

    /// So long that nobody counts it as living any more; the proxies renew meanwhile.
    private static func becomesAbsent(_ world: SharedWorld) async throws {
        world.cluster.clock.advance(by: .seconds(21))
        try await world.cluster.first.ledger.report(nil, of: world.authority.instance)
    }

    @Test func `the old root stays while it may have signed, and then while what it signed lives`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let old = try world.active
        let scratch = try ScratchDirectory()
        let second = try await Self.joined(world, scratch)
        let caller = try await cluster.first.caller(mesh: "payments", service: "far")
        second.ledger.setLasting(.unavailable)
        try await Self.becomesAbsent(world)
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(.issuing) { bundles, leaf in
                for proxy in world.proxies { try await proxy.follow(bundles: bundles, leaf: leaf) }
            }
            // It knows nothing of all this, and signs under the root that it knew.
            let leaf = try await second.authority.issueLeaf(for: caller, node: "n9")
            #expect(leaf.issuer == old && cluster.state.meshIssuers[world.meshes[0]]?[old] == .outgoing)
            try await world.follow()
            try await cluster.awaitThat("the absent one alone") {
                try await cluster.gate()?.blockers.map(\.proxy) == [second.authority.instance]
            }
            let gate = try #require(try await cluster.gate())
            #expect(gate.blockers.map(\.reason) == [.absent] && !gate.isOpen)
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == .issuing)
            #expect(!cluster.disk.store.certificates.contains { $0.serial == leaf.serial })
            // It comes back: what it signed is told, and waited for as every other leaf.
            second.ledger.setLasting(nil)
            try await second.whileRunning {
                try await cluster.awaitThat("its leaf") {
                    try await world.follow()
                    return try await cluster.gate()?.blockers.map(\.identity) == [caller.identity]
                }
                #expect(cluster.disk.store.certificates.filter { $0.serial == leaf.serial }.count == 1)
                #expect(try await cluster.gate()?.blockers.map(\.reason) == [.away])
                #expect(try world.rotation.phase == .issuing)
                let next = try await second.authority.issueLeaf(for: caller, node: "n9")
                #expect(next.issuer == rotation.to)
                cluster.clock.advance(by: leaf.held.notAfter - cluster.clock.now + .seconds(1))
                try await cluster.awaitThat("the end") {
                    try await world.follow()
                    return cluster.running.isEmpty
                }
            }
        }
        #expect(try world.rotation.phase == .completed)
        withExtendedLifetime(scratch) {}
    }

    @Test func `one that never comes back is waited for until the last leaf of its permit has ended`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let permit = OfflinePermit(leafLifetimes: [.seconds(60)])
        try await cluster.first.ledger.permit(permit, of: "ghost")
        let seenAt = cluster.clock.now
        try await Self.becomesAbsent(world)
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(.issuing) { bundles, leaf in
                for proxy in world.proxies { try await proxy.follow(bundles: bundles, leaf: leaf) }
            }
            try await world.follow()
            try await cluster.awaitThat("the ghost alone") {
                try await world.follow()
                return try await cluster.gate()?.blockers.map(\.proxy) == ["ghost"]
            }
            #expect(try await cluster.gate()?.blockers.map(\.until) == [seenAt + permit.reach])
            cluster.clock.advance(by: permit.reach - .seconds(22))
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == .issuing)
            cluster.clock.advance(by: .seconds(2))
            try await cluster.awaitThat("the end") {
                try await world.follow()
                return cluster.running.isEmpty
            }
        }
        #expect(try world.rotation.phase == .completed)
    }

    @Test func `an operator who knows that it is gone forces the gate, and it is named`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        try await cluster.first.ledger.permit(OfflinePermit(leafLifetimes: [.seconds(60)]), of: "ghost")
        try await Self.becomesAbsent(world)
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(.issuing) { bundles, leaf in
                for proxy in world.proxies { try await proxy.follow(bundles: bundles, leaf: leaf) }
            }
            try await world.follow()
            try await cluster.awaitThat("the ghost alone") {
                try await world.follow()
                return try await cluster.gate()?.blockers.map(\.reason) == [.absent]
            }
            let forced = try await world.steer(.advance(force: true), reason: "scrapped, disk and all")
            #expect(forced.leftBehind.map(\.proxy) == ["ghost"])
            try await cluster.awaitThat("the end") {
                try await world.follow()
                return cluster.running.isEmpty
            }
        }
    }

    @Test func `a revocation waits for nobody, and names who may sign under the revoked root until when`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let old = try world.active
        try await cluster.first.ledger.permit(OfflinePermit(leafLifetimes: [.seconds(60)]), of: "ghost")
        let seenAt = cluster.clock.now
        try await Self.becomesAbsent(world)
        let outcome = try await world.authority.revoke(
            issuer: old, of: world.name, reason: "stolen", by: Service.administrator)
        #expect(outcome.revoked == [old] && cluster.state.boundIssuers(of: world.meshes[0]).map(\.id) != [old])
        let gate = try #require(try await cluster.gate())
        let absent = gate.blockers.filter { $0.reason == .absent }
        #expect(absent.map(\.proxy) == ["ghost"] && absent.map(\.until) == [seenAt + .seconds(30)])
        cluster.clock.advance(by: .seconds(10))
        try await cluster.whileRunning {
            try await cluster.awaitThat("the end") {
                try await world.follow()
                return cluster.running.isEmpty
            }
        }
    }

    @Test func `the trust domain of a deleted mesh is free only when what it may have issued has ended`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        for proxy in world.proxies { proxy.close() }
        let permit = OfflinePermit(leafLifetimes: [.seconds(86_400)])
        try await cluster.first.ledger.permit(permit, of: "ghost")
        let seenAt = cluster.clock.now
        try await Self.becomesAbsent(world)
        let domain = try TrustDomain("payments")
        try await world.authority.delete(mesh: MeshName("payments"), ifMatch: nil, by: Service.administrator)
        let freeAt = try #require(cluster.disk.store.trustDomains[domain]?.freeAt)
        #expect(freeAt >= seenAt + permit.reach)
    }

    @Test func `nor is it free before what a replica may issue that lost the database a moment ago`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        for proxy in world.proxies { proxy.close() }
        let permit = OfflinePermit(leafLifetimes: [.seconds(86_400)])
        try await cluster.first.ledger.permit(permit, of: "ghost")
        let seenAt = cluster.clock.now
        cluster.clock.advance(by: .seconds(5))
        try await world.authority.delete(mesh: MeshName("payments"), ifMatch: nil, by: Service.administrator)
        let freeAt = try #require(cluster.disk.store.trustDomains[TrustDomain("payments")]?.freeAt)
        // It may be heard of once more before it knows of this.
        #expect(freeAt >= seenAt + permit.reach + world.authority.settings.replicaWindow)
    }
}
