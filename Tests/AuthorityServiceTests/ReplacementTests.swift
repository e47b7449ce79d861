import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

/// Whole replacements of a root, driven by the rounds of the replicas and by proxies that acknowledge what they are given.
@Suite("Replacements of roots", .timeLimit(.minutes(3)))
struct ReplacementTests {
    private static let alice = Service.administrator

    /// A leaf that is issued now, which nobody subscribed to, would hold the rotation's gate: the chain of a CSR-less probe is
    /// therefore that of a node which is known.
    private static func chain(_ proxy: FollowingProxy, in world: SharedWorld) async throws -> [[UInt8]] {
        try Service.chain(of: try await world.authority.issueLeaf(for: proxy.caller, node: proxy.node))
    }

    @Test(arguments: SharedWorld.Ownership.allCases, [1, 2])
    func `trust first, then the leaves with a cross certificate, then the old root goes, and all talk throughout`(
        ownership: SharedWorld.Ownership, replicas: Int
    ) async throws {
        let world = try await SharedWorld(ownership, replicas: replicas)
        let cluster = world.cluster
        let old = try world.active
        let proxy = world.proxies[0]
        let rotation = try await world.rotate()
        let cross = try #require(rotation.crossCertificate)
        #expect(rotation.kind == .replace && rotation.trigger == .operator && rotation.meshes == world.meshes)
        #expect(rotation.from == old && rotation.to != old && rotation.phase == .distributing)
        cluster.expectLaws()
        try await cluster.whileRunning {
            // The gate names every one of them, wherever it is connected, and the old issuer signs on.
            try await cluster.awaitThat("the blockers") {
                Set(try await cluster.gate()?.blockers.map(\.identity) ?? []) == Set(world.identities.map(Optional.some))
            }
            let gate = try #require(try await cluster.gate())
            #expect(!gate.isOpen && gate.blockers.allSatisfy { $0.reason == .pending })
            #expect(try await Self.chain(proxy, in: world).count == 2)
            #expect(try world.active == old)
            // Both roots are in every context once they have followed.
            try await world.follow(leaf: false)
            try await cluster.awaitPhase(.issuing)
            try world.expectTalk()
            for mesh in world.meshes {
                #expect(Set(world.state.boundIssuers(of: mesh).map(\.id)) == [old, rotation.to])
                #expect(world.state.meshIssuers[mesh]?[old] == .outgoing)
            }
            // The first alone has a new leaf.
            try await proxy.follow()
            let leaf = try #require(proxy.leaf)
            #expect(leaf.issuer == rotation.to && world.proxies.dropFirst().allSatisfy { $0.leaf?.issuer == old })
            #expect(try Service.chain(of: leaf).dropFirst(2) == [cross.certificate])
            try world.expectTalk()
            try await world.follow()
            try await cluster.awaitPhase(.withdrawing)
            try world.expectTalk()
            #expect(try await Self.chain(proxy, in: world).dropFirst(2) == [cross.certificate])
            // Half of them gave the old root up.
            try await proxy.follow()
            try world.expectTalk()
            try await cluster.awaitThat("the others, who have not") {
                try await cluster.gate()?.pendingCount == world.proxies.count - 1
            }
            try await world.follow()
            try await cluster.awaitEnd()
            #expect(try await Self.chain(proxy, in: world).count == 2)
            try await world.follow()
            try world.expectTalk()
        }
        world.expectSettled(on: rotation.to)
        let ended = try world.rotation
        #expect(ended.phase == .completed && ended.endedAt != nil && ended.id == rotation.id)
        #expect(try await world.events() == ["distributing", "issuing", "withdrawing", "completed"])
        #expect(
            try world.audited()
                == ["rotation-started", "rotation-issuing", "rotation-withdrawing", "rotation-completed"])
        let root = try #require(world.state.issuers[old]?.certificate)
        for context in world.proxies.flatMap(\.contexts.values) {
            #expect(!context.trustDomains.values.joined().contains(root))
        }
    }

    @Test(arguments: SharedWorld.Ownership.allCases)
    func `chains of issuing are taken by whoever knows the old root, the new one, or both, and only for the cross certificate`(
        ownership: SharedWorld.Ownership
    ) async throws {
        let world = try await SharedWorld(ownership)
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { try await world.follow(leaf: false) }
        }
        let old = try #require(world.state.issuers[rotation.from]?.certificate)
        let new = try #require(world.state.issuers[rotation.to]?.certificate)
        for mesh in world.meshes {
            let domain = try #require(world.state.meshes[mesh]?.mesh.trustDomain)
            let chain = try await Service.chain(
                of: cluster.authority.issueLeaf(for: cluster.first.caller(mesh: mesh.name), node: "n"))
            let now = cluster.clock.now
            for roots in [[old], [new], [old, new]] {
                #expect(try await ChainVerdict.of(chain, roots: roots, in: domain, at: now) == .accepted)
            }
            let uncrossed = Array(chain.prefix(2))
            #expect(try await ChainVerdict.of(uncrossed, roots: [old], in: domain, at: now) == .refused)
            #expect(try await ChainVerdict.of(uncrossed, roots: [new], in: domain, at: now) == .accepted)
            #expect(try await ChainVerdict.of(chain, roots: [], in: domain, at: now) == .refused)
        }
    }

    @Test(arguments: SharedWorld.Ownership.allCases)
    func `the new root and its cross certificate are in the ledger before anybody has them`(ownership: SharedWorld.Ownership)
        async throws
    {
        let world = try await SharedWorld(ownership)
        let rotation = try await world.rotate()
        let cross = try #require(rotation.crossCertificate)
        let records = world.cluster.disk.store.certificates
        let old = try #require(world.state.issuers[rotation.from])
        let new = try #require(world.state.issuers[rotation.to])
        let root = try #require(records.first { $0.kind == .root && $0.issuer == new.id })
        #expect(root.digest == (try CertificateFacts(der: new.certificate).digest) && root.serial == new.serial)
        let record = try #require(records.first { $0.kind == .cross })
        let facts = try CertificateFacts(der: cross.certificate)
        #expect(record.digest == facts.digest && record.serial == facts.serial && record.signedBy == old.serial)
        #expect(record.issuer == new.id && record.certificateAuthority == world.name)
        #expect(record.mesh == (ownership == .own ? world.meshes[0] : nil))
        #expect(record.notBefore == cross.notBefore && record.notAfter == cross.notAfter)
        #expect(facts.notAfter == cross.notAfter && cross.notAfter <= min(old.notAfter, new.notAfter))
        #expect(facts.subjectName == (try CertificateFacts(der: new.certificate).subjectName) && facts.isCA)
        #expect(cross.notAfter >= world.cluster.clock.now + .seconds(7 * 86_400 - 1))
    }

    @Test func `a proxy that was away before it talks both ways with old leaf and bundle during issuing`() async throws {
        let world = try await SharedWorld(.shared, replicas: 2)
        let cluster = world.cluster
        let away = world.proxies[1]
        away.close()
        let old = try world.active
        let others = [world.proxies[0], world.proxies[2]]
        try await world.rotate()
        try await cluster.whileRunning {
            // It holds nothing: the old root and the cross certificate cover it.
            try await cluster.awaitPhase(.issuing) { for proxy in others { try await proxy.follow() } }
            for proxy in others { try await proxy.follow() }
            #expect(away.leaf?.issuer == old && others.allSatisfy { $0.leaf?.issuer != old })
            try world.expectTalk()
            // Its leaf of the old root does hold the next gate, by name and with an end.
            try await cluster.awaitThat("the blocker") { try await cluster.gate()?.blockers.map(\.reason) == [.away] }
            let blocker = try #require(try await cluster.gate()?.blockers.first)
            #expect(blocker.identity == away.caller.identity && blocker.until == away.leaf?.notAfter)
            away.open()
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
            }
        }
        #expect(try world.rotation.phase == .completed)
    }

    @Test func `behind a door, who was away with a bundle of before holds issuing until its certificate ends`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        try await cluster.makeMeshes("web")
        _ = try await cluster.authority.put(
            CrossMeshAccess(
                name: "web-to-payments", from: .init(mesh: try MeshName("web"), services: nil),
                to: .init(mesh: world.meshes[0], services: nil)), ifMatch: nil, by: Self.alice)
        let client = try await FollowingProxy.connected("web", "shop", at: cluster.first)
        try await world.follow()
        #expect(try world.proxies[0].accepts(client))
        client.close()
        cluster.clock.advance(by: .seconds(30))
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitThat("the blocker") {
                try await world.follow()
                let holders = try await cluster.gate()?.blockers.map(\.identity)
                return try world.rotation.phase == .issuing && holders == [client.caller.identity]
            }
            #expect(try world.proxies[0].accepts(client))
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == .issuing)
            client.open()
            try await cluster.awaitEnd {
                try await world.follow()
                try await client.follow()
                #expect(try world.proxies[0].accepts(client))
            }
        }
    }

    @Test func `with expired, the old root stays until the last leaf under it has ended`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        try await world.rotate(retireAfter: .expired)
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { try await world.follow() }
            try await cluster.awaitThat("both settled") {
                try await world.follow()
                return try await cluster.gate()?.settled == 2
            }
            let gate = try #require(try await cluster.gate())
            #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.unexpired, .unexpired])
            let end = try #require(gate.blockers.compactMap(\.until).max())
            cluster.clock.advance(by: end - cluster.clock.now - .seconds(1))
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == .issuing)
            cluster.clock.advance(by: .seconds(2))
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
            }
        }
    }

    @Test func `a CA that nobody uses gets its next root at once, and a mesh that joins later is under it`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("spare")
        cluster.clock.advance(by: .seconds(60))
        let rotation = try await cluster.authority.rotate(
            RotationRequest(certificateAuthority: "spare"), by: Self.alice
        ).rotation
        #expect(rotation.meshes.isEmpty)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        #expect(cluster.rotations.map(\.rotation.phase) == [.completed])
        try await cluster.shareAndComplete("spare", "payments")
        #expect(cluster.state.activeIssuer(of: try MeshName("payments"))?.id == rotation.to)
    }

    @Test(arguments: SharedWorld.Ownership.allCases)
    func `a document with another key type replaces the root in place, and again is nothing`(ownership: SharedWorld.Ownership)
        async throws
    {
        let world = try await SharedWorld(ownership)
        let cluster = world.cluster
        let old = try world.active
        func put(isDryRun: Bool = false) async throws -> [Rotation] {
            switch ownership {
            case .own:
                let mesh = try Service.mesh("payments", leafLifetime: .seconds(60), keyAlgorithm: .ecP384)
                let outcome = try await cluster.authority.put(mesh, isDryRun: isDryRun, ifMatch: nil, by: Self.alice)
                return outcome.rotation.map { [$0] } ?? []
            case .shared:
                var authority = Cluster.authority("corp")
                authority.keyAlgorithm = .ecP384
                return try await cluster.authority.put(
                    authority, meshes: [], root: nil, isDryRun: isDryRun, ifMatch: nil, by: Self.alice
                ).rotations
            }
        }
        let before = world.state
        let would = try await put(isDryRun: true)
        #expect(would.map(\.kind) == [.replace] && world.state == before)
        let rotation = try #require(try await put().first)
        #expect(rotation.kind == .replace && rotation.from == old && rotation.meshes == world.meshes)
        #expect(rotation.crossCertificate != nil && rotation.retireAfter == (ownership == .own ? .expired : .reissued))
        // The same document again asks for what is under way already.
        #expect(try await put().isEmpty && cluster.rotations.filter { $0.rotation.kind == .replace }.count == 1)
        try await cluster.whileRunning {
            try await cluster.awaitEnd {
                if ownership == .own { cluster.clock.advance(by: .seconds(2)) }
                try await world.follow()
                try world.expectTalk()
            }
        }
        world.expectSettled(on: rotation.to)
        let root = try #require(world.state.issuers[rotation.to])
        #expect(try CertificateFacts(der: root.certificate).keyAlgorithm == "EC-P384")
        #expect(world.state.certificateAuthorities[world.name]?.authority.keyAlgorithm == .ecP384)
        #expect(try await put().isEmpty && cluster.running.isEmpty)
    }

    @Test func `a key type is asked for with the rotation too, and stays that of the CA`() async throws {
        let world = try await SharedWorld(.shared)
        let outcome = try await world.authority.rotate(
            RotationRequest(certificateAuthority: "corp", keyAlgorithm: .rsa2048), by: Self.alice)
        try await world.cluster.whileRunning { try await world.cluster.awaitEnd { try await world.follow() } }
        let root = try #require(world.state.issuers[outcome.rotation.to])
        #expect(try CertificateFacts(der: root.certificate).keyAlgorithm == "RSA-2048")
        #expect(world.state.certificateAuthorities["corp"]?.authority.keyAlgorithm == .rsa2048)
        try world.expectTalk()
    }

    @Test func `a dry run at one of several replicas says that who is not here may be elsewhere`() async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let request = RotationRequest(certificateAuthority: world.name, retireAfter: .reissued)
        let forecast = try #require(try await world.authority.rotate(request, isDryRun: true, by: Self.alice).forecast)
        #expect(forecast.connected == 1 && forecast.issuing.map(\.identity) == [world.proxies[1].caller.identity])
        #expect(forecast.issuing.first?.detail.contains("another of the 2") == true)
    }

    @Test func `a dry run changes nothing, and says who would hold which gate and for how long`() async throws {
        let world = try await SharedWorld(.shared)
        let cluster = world.cluster
        world.proxies[1].close()
        world.proxies[2].reject(.peers, saying: "no")
        let before = cluster.disk.store
        let request = RotationRequest(certificateAuthority: "corp", isManual: true)
        let outcome = try await world.authority.rotate(request, isDryRun: true, by: Self.alice)
        #expect(cluster.disk.store.state.authority == before.state.authority)
        #expect(cluster.disk.store.certificates == before.certificates && cluster.disk.store.audit == before.audit)
        #expect(outcome.rotation.isManual && outcome.rotation.meshes == world.meshes)
        let forecast = try #require(outcome.forecast)
        #expect(forecast.isCrossCertified && forecast.connected == 2)
        #expect(forecast.distributing.map(\.identity) == [world.proxies[2].caller.identity])
        #expect(forecast.distributing.map(\.detail) == ["no"])
        #expect(forecast.issuing.map(\.identity) == [world.proxies[1].caller.identity])
        #expect(forecast.issuing.map(\.reason) == [.away])
        #expect(forecast.lastExpiry == world.proxies.compactMap(\.leaf?.notAfter).max())
    }
}
