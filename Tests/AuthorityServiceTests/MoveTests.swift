import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

/// Whole moves, driven by the rounds of the replicas and by proxies that acknowledge what they are given.
@Suite("Moves of meshes", .timeLimit(.minutes(3)))
struct MoveTests {
    private static let alice = Service.administrator

    /// `payments` with a CA of its own and two proxies, `orders` on the shared `corp` with one, each connected to some replica.
    private struct World {
        let cluster: Cluster
        let payments: [FollowingProxy]
        let orders: FollowingProxy

        init(replicas: Int = 1, retireAfter: RetireAfter = .reissued) async throws {
            cluster = try await Cluster.started(replicas)
            try await cluster.makeMeshes("payments", "orders")
            try await cluster.makeAuthority("corp", meshes: ["orders"], retireAfter: retireAfter)
            try await cluster.whileRunning { [cluster] in try await cluster.awaitEnd() }
            payments = [
                try await FollowingProxy.connected("payments", "api", at: cluster.first),
                try await FollowingProxy.connected(
                    "payments", "web", at: try #require(cluster.replicas.last)),
            ]
            orders = try await FollowingProxy.connected("orders", "job", at: cluster.first)
        }

        var proxies: [FollowingProxy] { payments + [orders] }

        func followAll() async throws { for proxy in proxies { try await proxy.follow() } }

        /// Law 9: by the chains and contexts that they hold.
        func expectTalk(_ at: SourceLocation = #_sourceLocation) throws {
            #expect(try payments[0].accepts(payments[1]), sourceLocation: at)
            #expect(try payments[1].accepts(payments[0]), sourceLocation: at)
        }

        func isOpen() throws -> Bool {
            let (to, from) = (try orders.accepts(payments[0]), try payments[0].accepts(orders))
            return to || from
        }
    }

    @Test(arguments: [1, 2])
    func `a mesh joins: trust first, then its leaves, then the old root goes, and its proxies talk throughout`(replicas: Int)
        async throws
    {
        let world = try await World(replicas: replicas)
        let cluster = world.cluster
        let mesh = try MeshName("payments")
        let old = try #require(cluster.state.activeIssuer(of: mesh)?.id)
        let id = try #require(try await cluster.share("corp", "payments").rotation?.id)
        try await cluster.whileRunning {
            // Nobody has acknowledged: the gate names all who bind the mesh's domain, and the old issuer signs on.
            try await eventually(within: .seconds(10), "the blockers", every: .milliseconds(5)) {
                Set(try await cluster.gate()?.blockers.filter { $0.reason == .pending }.map(\.identity) ?? [])
                    == Set(world.payments.map(\.caller.identity))
            }
            let gate = try #require(try await cluster.gate())
            #expect(!gate.isOpen && gate.pendingCount == 2)
            #expect(gate.blockers.map(\.reason) == [.pending, .pending])
            #expect(gate.blockers.allSatisfy { $0.mesh == mesh })
            for proxy in world.payments { try await proxy.follow(leaf: false) }
            #expect(try !world.isOpen())
            try await cluster.awaitPhase(.issuing)
            // The contexts of the next phases are the same.
            try world.expectTalk()
            #expect(cluster.state.meshIssuers[mesh]?[old] == .outgoing)
            // One leaf of the new root, one of the old: they talk, and the gate waits for the second.
            try await world.payments[0].follow()
            #expect(world.payments[0].leaf?.issuer != old && world.payments[1].leaf?.issuer == old)
            try world.expectTalk()
            try await eventually(within: .seconds(10), "one settled", every: .milliseconds(5)) {
                try await cluster.gate()?.settled == 1
            }
            #expect(try await cluster.gate()?.isOpen == false)
            try await world.payments[1].follow()
            try await cluster.awaitPhase(.withdrawing)
            try world.expectTalk()
            #expect(try !world.isOpen())
            // Only one of two gave the old root up.
            try await world.payments[0].follow()
            try world.expectTalk()
            #expect(try await cluster.gate()?.isOpen == false)
            try await world.payments[1].follow()
            try await cluster.awaitEnd()
            try await world.followAll()
            try world.expectTalk()
            #expect(try world.orders.accepts(world.payments[0]))
            #expect(try world.payments[1].accepts(world.orders))
        }
        let rotation = try #require(cluster.rotations.first { $0.rotation.id == id }?.rotation)
        #expect(rotation.phase == .completed && rotation.endedAt != nil)
        let phases = cluster.disk.store.audit.filter { $0.object == id }.map(\.action)
        #expect(phases == ["rotation-issuing", "rotation-withdrawing", "rotation-completed"])
        let overview = try await cluster.authority.rotation(id)
        #expect(overview.gate == nil && overview.rotation == rotation)
    }

    @Test func `a mesh leaves: the others refuse it from the first push, and inside it nothing breaks`() async throws {
        let world = try await World(replicas: 2)
        let cluster = world.cluster
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            try await cluster.awaitEnd { try await world.followAll() }
            try await world.followAll()
            #expect(try world.isOpen())
            try await cluster.unshare("corp", "payments")
            try await eventually(within: .seconds(10), "the news", every: .milliseconds(2)) {
                cluster.replicas.allSatisfy { $0.authority.state.isMoving(world.payments[0].caller.mesh) }
            }
            try await world.followAll()
            #expect(try !world.isOpen())
            try await cluster.awaitEnd {
                try await world.followAll()
                try world.expectTalk()
            }
            try await world.followAll()
            #expect(try !world.isOpen())
        }
        #expect(cluster.state.activeIssuer(of: try MeshName("payments"))?.certificateAuthority == "payments.ca-1")
    }

    @Test func `with expired, the old root stays until the last leaf under it has ended`() async throws {
        let world = try await World(retireAfter: .expired)
        let cluster = world.cluster
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { try await world.followAll() }
            try await world.followAll()
            try await eventually(within: .seconds(10), "both settled", every: .milliseconds(5)) {
                try await cluster.gate()?.settled == 2
            }
            let gate = try #require(try await cluster.gate())
            #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.unexpired, .unexpired])
            let end = try #require(gate.blockers.compactMap(\.until).max())
            cluster.clock.advance(by: end - cluster.clock.now - .seconds(1))
            try await world.followAll()
            try await cluster.replicas[0].authority.run(for: .milliseconds(60))
            #expect(cluster.running.map(\.rotation.phase) == [.issuing])
            cluster.clock.advance(by: .seconds(2))
            try await cluster.awaitEnd { try await world.followAll() }
            try world.expectTalk()
        }
    }

    @Test func `a page of leaves whose identity was revoked hides nobody whose leaf still counts`() async throws {
        let world = try await World(retireAfter: .expired)
        let cluster = world.cluster
        let lost = world.payments[1]
        lost.close()
        // More than are asked for at once, and all of them end last.
        cluster.clock.advance(by: .seconds(1))
        for number in 0...RotationGate.mostBlockers {
            _ = try await cluster.first.authority.issueLeaf(for: lost.caller, node: "gone-\(number)")
        }
        try await cluster.first.authority.revokeIdentity(lost.caller.identity, by: Self.alice)
        try await cluster.share("corp", "payments")
        let living = [world.payments[0], world.orders]
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { for proxy in living { try await proxy.follow() } }
            for proxy in living { try await proxy.follow() }
            try await eventually(within: .seconds(10), "one settled", every: .milliseconds(5)) {
                try await cluster.gate()?.settled == 1
            }
            #expect(try await cluster.gate()?.blockers.map(\.reason) == [.unexpired])
            try await cluster.replicas[0].authority.run(for: .milliseconds(60))
            #expect(cluster.running.map(\.rotation.phase) == [.issuing])
        }
    }

    @Test func `a proxy that is away with a certificate holds the gate, and its end lets it go`() async throws {
        let world = try await World()
        let cluster = world.cluster
        let away = world.payments[1]
        away.close()
        try await cluster.share("corp", "payments")
        let end = try #require(away.leaf?.notAfter)
        try await cluster.whileRunning {
            try await eventually(within: .seconds(10), "the blocker", every: .milliseconds(5)) {
                try await world.payments[0].follow()
                return try await cluster.gate()?.blockers.map(\.reason) == [.away]
            }
            let blocker = try #require(try await cluster.gate()?.blockers.first)
            #expect(blocker.identity == away.caller.identity && blocker.until == end && blocker.node == "n1")
            cluster.clock.advance(by: end - cluster.clock.now + .seconds(1))
            try await cluster.awaitEnd { try await world.payments[0].follow() }
        }
        #expect(cluster.rotations.last?.rotation.phase == .completed)
    }

    @Test func `a proxy that comes back at another replica, having acknowledged at the first, holds nothing`() async throws {
        let world = try await World(replicas: 2)
        let cluster = world.cluster
        let silent = try await FollowingProxy.connected("payments", "third", at: cluster.first)
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            for proxy in world.payments { try await proxy.follow() }
            try await silent.follow()
            silent.close()
            try await cluster.awaitPhase(.issuing) { for proxy in world.payments { try await proxy.follow() } }
            // Its leaf of the old root holds the next gate until it is back with another.
            try await eventually(within: .seconds(10), "the blocker", every: .milliseconds(5)) {
                for proxy in world.payments { try await proxy.follow() }
                return try await cluster.gate()?.blockers.map(\.proxy) == [silent.caller.proxy]
            }
            silent.open()
            try await cluster.awaitEnd {
                try await world.followAll()
                try await silent.follow()
            }
        }
    }

    @Test func `a proxy with its bundles at one replica and its identity at another is settled when both are`() async throws {
        let world = try await World(replicas: 2)
        let cluster = world.cluster
        let mesh = try MeshName("payments")
        let caller = world.payments[0].caller
        // The node's identity is known at the first replica; its bundle comes from the second, and is never acknowledged.
        let proxies = cluster.replicas[1].authority.proxies
        let stream = proxies.opened(caller, node: "n1", at: cluster.clock.now)
        proxies.report(stream, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "old"))
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            try await eventually(within: .seconds(10), "the blocker", every: .milliseconds(5)) {
                try await world.followAll()
                return try await cluster.gate()?.blockers.contains { $0.resource == "ROOTCA" } == true
            }
            // Away from the second, it is not settled by the first's word alone.
            proxies.closed(stream, at: cluster.clock.now)
            proxies.sweep(at: cluster.clock.now) { _ in .seconds(60) }
            try await eventually(within: .seconds(10), "the blocker who is away", every: .milliseconds(5)) {
                try await world.followAll()
                return try await cluster.gate()?.blockers.map(\.reason) == [.away]
            }
            #expect(cluster.running.map(\.rotation.phase) == [.distributing])
            let back = proxies.opened(caller, node: "n1", at: cluster.clock.now)
            try await cluster.awaitEnd {
                try await world.followAll()
                let version = try cluster.replicas[1].authority.trust(.meshTrust, for: caller).version
                proxies.report(
                    back, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, sentVersion: version, ackedVersion: version)
                )
            }
        }
        #expect(cluster.state.activeIssuer(of: mesh)?.certificateAuthority == "corp")
    }

    @Test func `what was acknowledged before is not what is held while something later is under way`() async throws {
        let world = try await World()
        let cluster = world.cluster
        let caller = world.payments[0].caller
        let proxies = cluster.authority.proxies
        let stream = proxies.opened(caller, node: "other", at: cluster.clock.now)
        let before = try cluster.authority.trust(.meshTrust, for: caller).version
        proxies.report(
            stream, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, sentVersion: before, ackedVersion: before))
        try await cluster.share("corp", "payments")
        let during = try cluster.authority.trust(.meshTrust, for: caller).version
        proxies.report(
            stream, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, sentVersion: during, ackedVersion: before))
        try await cluster.unshare("corp", "payments")
        #expect(try cluster.authority.trust(.meshTrust, for: caller).version == before)
        try await cluster.whileRunning {
            try await eventually(within: .seconds(10), "the blocker", every: .milliseconds(5)) {
                try await world.followAll()
                return try await cluster.gate()?.blockers.map(\.resource) == ["ROOTCA"]
            }
            #expect(cluster.running.map(\.rotation.phase) == [.reverting])
            // Refused is answered: it holds what it acknowledged before.
            proxies.report(
                stream,
                SubscriptionStatus(
                    resource: "ROOTCA", meaning: .meshTrust, sentVersion: during, ackedVersion: before,
                    nack: SubscriptionStatus.Nack(version: during, message: "no", at: cluster.clock.now)))
            try await cluster.awaitEnd()
        }
        #expect(cluster.rotations.last?.rotation.phase == .aborted)
    }

    @Test func `a refusal holds the gate with Envoy's own words, and a later acknowledgement lets it go`() async throws {
        let world = try await World()
        let cluster = world.cluster
        let stubborn = try await FollowingProxy("payments", "third", at: cluster.first, bundles: [.peers])
        stubborn.open()
        try await stubborn.follow()
        try await cluster.share("corp", "payments")
        stubborn.reject(.peers, saying: "Invalid path: /x")
        try await cluster.whileRunning {
            try await eventually(within: .seconds(10), "the blocker", every: .milliseconds(5)) {
                try await world.followAll()
                return try await cluster.gate()?.blockers.map(\.reason) == [.rejected]
            }
            let blocker = try #require(try await cluster.gate()?.blockers.first { $0.reason == .rejected })
            #expect(blocker.detail == "Invalid path: /x" && blocker.resource == "\(SecretName.peers)")
            try await cluster.awaitEnd {
                try await world.followAll()
                try await stubborn.follow()
            }
        }
    }

    @Test func `a leaf that was fetched once holds until it ends, by whichever root`() async throws {
        let world = try await World()
        let cluster = world.cluster
        let fetcher = try await cluster.first.caller(mesh: "payments", service: "cron")
        let leaf = try await cluster.authority.issueLeaf(for: fetcher, node: nil)
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            try await eventually(within: .seconds(10), "the blocker", every: .milliseconds(5)) {
                try await world.followAll()
                return try await cluster.gate()?.blockers.map(\.reason) == [.unsubscribed]
            }
            let blocker = try #require(try await cluster.gate()?.blockers.first)
            #expect(blocker.until == leaf.notAfter && blocker.identity == fetcher.identity)
            cluster.clock.advance(by: leaf.notAfter - cluster.clock.now + .seconds(1))
            try await cluster.awaitEnd { try await world.followAll() }
        }
    }

    @Test(arguments: [Rotation.Phase.distributing, .issuing])
    func `a move is called off, and the mesh is as before`(phase: Rotation.Phase) async throws {
        let world = try await World()
        let cluster = world.cluster
        let mesh = try MeshName("payments")
        let before = try cluster.mesh("payments")
        let issuers = cluster.state.meshIssuers[mesh]?.filter(\.value.isBound)
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            if phase == .issuing {
                try await cluster.awaitPhase(.issuing) { try await world.followAll() }
                try await world.payments[0].follow()
            }
            let outcome = try await cluster.authority.put(before, leave: true, ifMatch: nil, by: Self.alice)
            #expect(outcome.rotation?.phase == .reverting)
            try world.expectTalk()
            try await cluster.awaitEnd {
                try await world.followAll()
                try world.expectTalk()
            }
        }
        #expect(cluster.rotations.last?.rotation.phase == .aborted)
        #expect(cluster.state.meshIssuers[mesh]?.filter(\.value.isBound) == issuers)
        #expect(try cluster.mesh("payments") == before)
        #expect(world.payments.allSatisfy { $0.leaf.map { issuers?[$0.issuer] != nil } ?? false })
    }

    @Test func `from withdrawing there is no way back, and the refusal says so`() async throws {
        let world = try await World()
        let cluster = world.cluster
        let before = try cluster.mesh("payments")
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            try await cluster.approach(.withdrawing) { bundles, leaf in
                for proxy in world.payments { try await proxy.follow(bundles: bundles, leaf: leaf) }
            }
            let error = try await failure {
                try await cluster.authority.put(before, leave: true, ifMatch: nil, by: Self.alice)
            }
            #expect("\(String(describing: error))".contains("withdrawing"))
            try await cluster.awaitEnd { try await world.followAll() }
        }
        #expect(cluster.rotations.last?.rotation.phase == .completed)
    }

    @Test func `of many replicas one takes each transition`() async throws {
        let cluster = try await Cluster.started(4)
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("corp")
        for _ in 0..<3 {
            try await cluster.shareAndComplete("corp", "payments")
            try await cluster.unshare("corp", "payments")
            try await cluster.whileRunning { try await cluster.awaitEnd() }
        }
        for entry in cluster.rotations {
            let actions = cluster.disk.store.audit.filter { $0.object == entry.rotation.id }.map(\.action)
            #expect(actions == ["rotation-issuing", "rotation-withdrawing", "rotation-completed"])
        }
        #expect(cluster.rotations.count == 6)
    }

    @Test func `another replica finishes what one began, and one that is gone holds nobody`() async throws {
        let world = try await World()
        let first = world.cluster
        try await first.share("corp", "payments")
        try await first.whileRunning { try await first.awaitPhase(.issuing) { try await world.followAll() } }
        for proxy in world.proxies { proxy.close() }
        // The first was killed: its row stays until it is too old.
        let second = try Service(
            ledger: MemoryLedger(disk: first.disk, now: { first.clock.now }), clock: first.clock,
            keyEncryptionKey: first.first.keyEncryptionKey, settings: first.authority.settings)
        try await second.authority.start()
        let heir = Cluster(clock: first.clock, disk: first.disk, replicas: [second])
        let proxy = try await FollowingProxy.connected("payments", "api", at: second)
        #expect(proxy.leaf?.issuer == heir.state.activeIssuer(of: proxy.caller.mesh)?.id)
        first.clock.advance(by: .seconds(61))
        try await heir.whileRunning { try await heir.awaitEnd { try await proxy.follow() } }
        #expect(heir.rotations.last?.rotation.phase == .completed)
    }

    @Test func `a replica that starts serves nothing older than what the others went on by before its row was there`()
        async throws
    {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("corp")
        let ledger = MemoryLedger(disk: cluster.disk, now: { cluster.clock.now })
        let second = try Service(
            ledger: ledger, clock: cluster.clock, keyEncryptionKey: cluster.first.keyEncryptionKey,
            settings: cluster.authority.settings)
        for call in [MemoryLedger.Call.load, .report] {
            let gate = LedgerGate()
            ledger.inject(.delayed(gate), into: call)
            async let start: Void = second.authority.start()
            #expect(await gate.awaitArrival())
            if call == .load {
                try await cluster.share("corp", "payments")
            } else {
                try await cluster.unshare("corp", "payments")
            }
            // Whether its row is there yet or not: without it the move ends, with it the move waits for it.
            try await cluster.whileRunning { try? await Task.sleep(for: .milliseconds(100)) }
            gate.open()
            try await start
            #expect(second.authority.state.revision == cluster.state.revision)
            let both = Cluster(clock: cluster.clock, disk: cluster.disk, replicas: [cluster.first, second])
            try await both.whileRunning { try await both.awaitEnd() }
        }
    }

    @Test func `who is about to be signed for under the old root while the state changes gets nothing of it`() async throws {
        let world = try await World()
        let cluster = world.cluster
        let gate = LedgerGate()
        try await cluster.share("corp", "payments")
        for proxy in world.proxies { try await proxy.follow() }
        cluster.first.ledger.inject(.delayed(gate), into: .record)
        let caller = world.payments[0].caller
        async let leaf = failure { try await cluster.authority.issueLeaf(for: caller, node: "late") }
        #expect(await gate.awaitArrival())
        try await cluster.whileRunning { try await cluster.awaitPhase(.issuing) }
        gate.open()
        guard case .conflict? = try await leaf else {
            Issue.record("a leaf of the old root was signed after the replica had confirmed the new state")
            return
        }
    }

    @Test func `re-issue is paced by the proxies that are connected, and an outgoing leaf stays the right one until its turn`()
        async throws
    {
        var settings = AuthoritySettings()
        settings.skipDefaultMesh = true
        settings.reissuePace = 1
        let service = try await Service.started(settings: settings)
        try await service.makeMesh("payments", leafLifetime: .seconds(3600))
        var stream: [ProxyRegistry.StreamID] = []
        let caller = try await service.caller(mesh: "payments")
        for number in 0..<100 {
            stream.append(service.authority.proxies.opened(caller, node: "n\(number)", at: service.clock.now))
        }
        var leaves: [DeliveredLeaf] = []
        for _ in 0..<50 { leaves.append(try await service.authority.issueLeaf(for: caller, node: "n")) }
        #expect(leaves.allSatisfy { service.authority.replacement(of: $0.held, for: caller) == nil })
        _ = try await service.authority.put(
            Cluster.authority("corp"), meshes: [caller.mesh], root: nil, ifMatch: nil, by: Self.alice)
        // As the rotation does it, once its gate is open.
        var store = service.ledger.disk.store
        let entry = try #require(store.rotations.first)
        let issuers = store.state.authority.meshIssuers
        var rotation = entry.rotation
        rotation.phase = .issuing
        rotation.phaseSince = service.clock.now
        store.rotations = [AuthorityState.RotationEntry(rotation: rotation, revision: entry.revision)]
        store.state.authority.meshIssuers = issuers
        store.state.authority.meshIssuers[caller.mesh] = [rotation.from: .outgoing, rotation.to: .active]
        store.state.authority.revision += 1
        service.ledger.disk.restore(store)
        _ = try await service.makeMesh("unrelated")
        let now = service.clock.now
        let turns = leaves.compactMap { service.authority.replacement(of: $0.held, for: caller) }
        #expect(turns.count == 50 && turns.allSatisfy { now <= $0 && $0 < now + .seconds(100) })
        // Drawn by the serials: not all in one half of the time but once in 2^49.
        #expect(turns.contains { $0 < now + .seconds(50) } && turns.contains { $0 >= now + .seconds(50) })
        #expect(leaves.allSatisfy { service.authority.heldLeaf(version: $0.version, by: caller) != nil })
        store.state.authority.meshIssuers[caller.mesh] = [rotation.from: .retired, rotation.to: .active]
        store.state.authority.revision += 5
        service.ledger.disk.restore(store)
        _ = try await service.makeMesh("another")
        #expect(leaves.allSatisfy { service.authority.replacement(of: $0.held, for: caller).map { $0 < now } == true })
        #expect(leaves.allSatisfy { service.authority.heldLeaf(version: $0.version, by: caller) == nil })
    }
}

extension MeshAuthority {
    /// Runs for a while, and then is stopped: for what must not happen meanwhile.
    fileprivate func run(for time: Duration) async throws {
        await withTaskGroup { group in
            group.addTask { try? await self.run() }
            group.addTask { try? await Task.sleep(for: time) }
            await group.next()
            group.cancelAll()
        }
    }
}
