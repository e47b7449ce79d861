import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

/// A root is compromised: afterwards nothing of it is trusted anywhere, every mesh has exactly one root, and all who are there
/// are brought there.
@Suite("Revocations of roots", .timeLimit(.minutes(3)))
struct RevocationTests {
    private static let alice = Service.administrator

    @discardableResult
    private static func revoke(
        _ issuer: IssuerID, of name: String, in cluster: Cluster, root: ProvidedRoot? = nil
    ) async throws -> RevocationOutcome {
        let outcome = try await cluster.authority.revoke(
            issuer: issuer, of: name, reason: "its key was found on a laptop", root: root, by: alice)
        #expect(outcome.revoked.first == issuer)
        for revoked in outcome.revoked { try expectGone(revoked, in: cluster) }
        return outcome
    }

    /// Bound to nobody, in no context, and each mesh has one root.
    private static func expectGone(_ issuer: IssuerID, in cluster: Cluster, at location: SourceLocation = #_sourceLocation) throws
    {
        cluster.expectLaws(location)
        let state = cluster.state
        #expect(state.issuers[issuer]?.revokedAt == cluster.clock.now, sourceLocation: location)
        guard let certificate = state.issuers[issuer]?.certificate else { return }
        for entry in state.meshes.values {
            let mesh = entry.mesh
            #expect(state.boundIssuers(of: mesh.name).count == 1, "\(mesh.name)", sourceLocation: location)
            #expect(state.boundIssuers(of: mesh.name) == [state.activeIssuer(of: mesh.name)], sourceLocation: location)
            #expect(
                state.activeIssuer(of: mesh.name)?.certificateAuthority == mesh.enabledAuthority, sourceLocation: location)
            let use = state.meshIssuers[mesh.name]?[issuer]
            #expect(use == nil || use == .revoked, sourceLocation: location)
            let asking = Caller(
                mesh: mesh.name, identity: try SPIFFEID("spiffe://\(mesh.trustDomain)/x"), proxy: "x",
                tags: ["kuma.io/service": ["x"]], tokenID: "x")
            for name in [SecretName.meshTrust, .allTrust, .peers, .destinations] {
                guard let context = try? cluster.authority.trust(name, for: asking).context else { continue }
                #expect(
                    !context.trustDomains.values.joined().contains(certificate)
                        && context.trustedCA?.contains(certificate) != true,
                    sourceLocation: location)
            }
        }
        // What was superseded has ended, with its mark.
        let live = cluster.running.map(\.rotation).filter { $0.kind != .revoke }
        #expect(live.allSatisfy { $0.from != issuer && $0.to != issuer }, sourceLocation: location)
    }

    /// Runs until the revocation has been followed by everybody.
    private static func complete(_ cluster: Cluster, _ proxies: [FollowingProxy]) async throws {
        try await cluster.whileRunning {
            try await cluster.awaitEnd { for proxy in proxies { try await proxy.follow() } }
        }
        for proxy in proxies {
            #expect(proxy.leaf?.issuer == cluster.state.activeIssuer(of: proxy.caller.mesh)?.id)
            for other in proxies where other.caller.mesh == proxy.caller.mesh { #expect(try proxy.accepts(other)) }
        }
    }

    @Test(arguments: SharedWorld.Ownership.allCases, [1, 2])
    func `every mesh has a new root at once, and the revocation ends when all that are connected hold bundle and leaf`(
        ownership: SharedWorld.Ownership, replicas: Int
    ) async throws {
        let world = try await SharedWorld(ownership, replicas: replicas)
        let cluster = world.cluster
        let old = try world.active
        let root = try #require(world.state.issuers[old]?.certificate)
        let outcome = try await Self.revoke(old, of: world.name, in: cluster)
        #expect(try outcome.revoked == [old] && outcome.newIssuer == world.active)
        let rotation = try #require(outcome.rotation)
        #expect(rotation.kind == .revoke && rotation.phase == .withdrawing && rotation.meshes == world.meshes)
        #expect(rotation.from == old && rotation.to == outcome.newIssuer && rotation.crossCertificate == nil)
        let entry = try #require(cluster.disk.store.audit.last { $0.action == "issuer-revoked" })
        #expect(entry.object == old.text && entry.actor == "user:alice")
        #expect(entry.details["reason"] == "its key was found on a laptop" && entry.details["rotation"] == rotation.id)
        let chain = try await Service.chain(
            of: cluster.authority.issueLeaf(for: world.proxies[0].caller, node: world.proxies[0].node))
        #expect(chain.count == 2)
        let (late, others) = (world.proxies[0], world.proxies.dropFirst())
        try await cluster.whileRunning {
            try await cluster.awaitThat("the names of all") {
                Set(try await cluster.gate()?.blockers.map(\.identity) ?? []) == Set(world.identities.map(Optional.some))
            }
            // The bundle alone is not enough, nor the leaf.
            try await world.follow(leaf: false)
            try await cluster.linger()
            #expect(try await cluster.gate()?.pendingCount == world.proxies.count)
            for proxy in others { try await proxy.follow() }
            try await cluster.awaitThat("the one that is late") {
                try await cluster.gate()?.blockers.map(\.identity) == [late.caller.identity]
            }
            try await cluster.linger()
            #expect(try world.rotation.phase == .withdrawing)
            cluster.clock.advance(by: .seconds(3))
            try await late.follow()
            try await cluster.awaitEnd()
        }
        let ended = try world.rotation
        #expect(ended.phase == .completed && ended.id == rotation.id)
        #expect(ended.endedAt == ended.startedAt + .seconds(3))
        #expect(try await world.events() == ["withdrawing", "completed"])
        for context in world.proxies.flatMap(\.contexts.values) {
            #expect(!context.trustDomains.values.joined().contains(root))
        }
        try world.expectTalk()
        world.expectSettled(on: try #require(outcome.newIssuer))
    }

    @Test func `no leaf under it is good: not held, not verified, no new connection by it; live ones stay for the next`()
        async throws
    {
        let world = try await SharedWorld(.shared)
        let cluster = world.cluster
        let service = cluster.first
        let proxy = world.proxies[0]
        let leaf = try #require(proxy.leaf)
        let chain = try Service.chain(of: leaf)
        let credentials = Service.credentials(chain: chain, requiresCertificate: true)
        let live = try await service.authority.authenticate(credentials)
        let before = try #require(service.authority.heldLeaf(version: leaf.version, by: proxy.caller))
        #expect(before.serial == leaf.serial)
        // Its call comes after the revocation.
        #expect(service.authority.verifyHandshake(chain: chain, source: "test") == nil)
        try await Self.revoke(world.active, of: "corp", in: cluster)
        #expect(service.authority.heldLeaf(version: leaf.version, by: proxy.caller) == nil)
        let due = try #require(service.authority.replacement(of: before, for: proxy.caller))
        #expect(due < cluster.clock.now)
        let refused = try await failure { try await service.authority.authenticate(credentials) }
        #expect(service.authority.verifyHandshake(chain: chain, source: "test") != nil)
        #expect({ if case .refused? = refused { true } else { false } }(), "\(refused.text)")
        for mesh in world.meshes {
            #expect(try !service.authority.verify(chain: chain, mesh: mesh, service: nil).isAccepted)
        }
        // Over the open stream comes the next one.
        #expect(throws: Never.self) { try service.authority.standing(of: live) }
        let next = try await service.authority.issueLeaf(for: live, node: "n1")
        #expect(next.issuer == (try world.active))
        let again = Service.credentials(chain: try Service.chain(of: next), requiresCertificate: true)
        #expect(try await service.authority.authenticate(again).identity == proxy.caller.identity)
        try await Self.complete(cluster, world.proxies)
    }

    @Test(arguments: SharedWorld.Ownership.allCases, [Rotation.Phase.distributing, .issuing, .withdrawing])
    func `the old root of a replacement that runs is revoked`(ownership: SharedWorld.Ownership, phase: Rotation.Phase)
        async throws
    {
        let world = try await SharedWorld(ownership)
        let cluster = world.cluster
        let replaced = try await Self.replace(world, until: phase)
        let outcome = try await Self.revoke(replaced.from, of: world.name, in: cluster)
        #expect(outcome.revoked == [replaced.from])
        let superseded = try #require(cluster.rotations.first { $0.rotation.id == replaced.id }?.rotation)
        #expect(superseded.endedAt == cluster.clock.now)
        if phase == .distributing {
            // Whoever stole the one may have the other: a third is made.
            #expect(superseded.phase == .aborted && outcome.newIssuer != nil && outcome.newIssuer != replaced.to)
            #expect(world.meshes.allSatisfy { world.state.meshIssuers[$0]?[replaced.to] == .retired })
        } else {
            #expect(superseded.phase == .completed && outcome.newIssuer == nil)
            #expect(try world.active == replaced.to)
        }
        #expect(try await world.authority.rotation(replaced.id).events.last?.event == "superseded")
        // No chain carries the cross certificate, which the stolen key may have made for anybody.
        let leaf = try await cluster.authority.issueLeaf(for: world.proxies[0].caller, node: world.proxies[0].node)
        #expect(try Service.chain(of: leaf).count == 2)
        try await Self.complete(cluster, world.proxies)
        try world.expectTalk()
    }

    @Test(arguments: SharedWorld.Ownership.allCases, [Rotation.Phase.distributing, .issuing, .withdrawing, .completed])
    func `the new root of a replacement is revoked, and with it the one that vouched for it`(
        ownership: SharedWorld.Ownership, phase: Rotation.Phase
    ) async throws {
        let world = try await SharedWorld(ownership)
        let cluster = world.cluster
        let replaced = try await Self.replace(world, until: phase)
        let outcome = try await Self.revoke(replaced.to, of: world.name, in: cluster)
        #expect(outcome.revoked == [replaced.to, replaced.from])
        let new = try #require(outcome.newIssuer)
        #expect(try world.active == new && new != replaced.to && new != replaced.from)
        let superseded = try #require(cluster.rotations.first { $0.rotation.id == replaced.id }?.rotation)
        #expect(superseded.phase == (phase == .completed ? .completed : .aborted))
        try await Self.complete(cluster, world.proxies)
        try world.expectTalk()
    }

    @Test func `a new root whose cross certificate has ended takes its predecessor along no more`() async throws {
        let world = try await SharedWorld(.own)
        let replaced = try await Self.replace(world, until: .completed)
        let cross = try #require(replaced.crossCertificate)
        world.cluster.clock.advance(by: cross.notAfter - world.cluster.clock.now + .seconds(1))
        let outcome = try await Self.revoke(replaced.to, of: world.name, in: world.cluster)
        #expect(outcome.revoked == [replaced.to])
        #expect(world.state.issuers[replaced.from]?.revokedAt == nil)
    }

    @Test(arguments: [Rotation.Phase.distributing, .issuing], ["payments.ca-1", "corp"])
    func `a mesh that is moving in`(phase: Rotation.Phase, compromised: String) async throws {
        let (cluster, proxies) = try await Self.moving(in: true, until: phase)
        let payments = try MeshName("payments")
        let move = try #require(cluster.running.first?.rotation)
        let issuer = compromised == "corp" ? move.to : move.from
        let outcome = try await Self.revoke(issuer, of: compromised, in: cluster)
        #expect(outcome.revoked == [issuer])
        let active = try #require(cluster.state.activeIssuer(of: payments))
        #expect(active.certificateAuthority == "corp")
        // Of its own, it is in the new one at once; of the new one, there is another.
        #expect((active.id == move.to) == (compromised != "corp"))
        // The mesh's own CA is not left without a root for its return.
        let new = try #require(outcome.newIssuer)
        #expect(cluster.state.issuers[new]?.certificateAuthority == compromised)
        #expect(outcome.rotation?.meshes.contains(payments) == true && outcome.rotation?.to == active.id)
        try await Self.complete(cluster, proxies)
        #expect(try proxies[0].accepts(proxies[1]) && proxies[1].accepts(proxies[0]))
    }

    @Test(arguments: [Rotation.Phase.distributing, .issuing], ["payments.ca-1", "corp"])
    func `a mesh that is moving out`(phase: Rotation.Phase, compromised: String) async throws {
        let (cluster, proxies) = try await Self.moving(in: false, until: phase)
        let (payments, orders) = (try MeshName("payments"), try MeshName("orders"))
        let move = try #require(cluster.running.first?.rotation)
        let issuer = compromised == "corp" ? move.from : move.to
        let outcome = try await Self.revoke(issuer, of: compromised, in: cluster)
        let active = try #require(cluster.state.activeIssuer(of: payments))
        #expect(active.certificateAuthority == "payments.ca-1")
        #expect((active.id == move.to) == (compromised == "corp"))
        #expect(cluster.state.activeIssuer(of: orders)?.certificateAuthority == "corp")
        #expect(outcome.newIssuer != nil)
        try await Self.complete(cluster, proxies)
        #expect(try !proxies[0].accepts(proxies[1]) && !proxies[1].accepts(proxies[0]))
    }

    @Test func `a stream that was let in under the innocent root of a move stays too, for the next leaf`() async throws {
        let (cluster, proxies) = try await Self.moving(in: true, until: .issuing)
        let move = try #require(cluster.running.first?.rotation)
        let leaf = try #require(proxies[0].leaf)
        #expect(leaf.issuer == move.from)
        let live = try await cluster.authority.authenticate(
            Service.credentials(chain: Service.chain(of: leaf), requiresCertificate: true))
        try await Self.revoke(move.to, of: "corp", in: cluster)
        #expect(throws: Never.self) { try cluster.authority.standing(of: live) }
        let next = try await cluster.authority.issueLeaf(for: live, node: "n1")
        #expect(next.issuer == cluster.state.activeIssuer(of: live.mesh)?.id)
    }

    @Test func `a retired issuer and one that nobody uses`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let replaced = try await Self.replace(world, until: .completed)
        let retired = try await Self.revoke(replaced.from, of: world.name, in: cluster)
        #expect(try retired.newIssuer == nil && retired.rotation == nil && world.active == replaced.to)
        #expect(world.state.meshIssuers[world.meshes[0]]?[replaced.from] == .revoked)
        try world.expectTalk()
        try await cluster.makeAuthority("spare")
        let spare = try #require(cluster.state.issuers.values.first { $0.certificateAuthority == "spare" }?.id)
        let unused = try await Self.revoke(spare, of: "spare", in: cluster)
        #expect(unused.rotation == nil && cluster.running.isEmpty)
        let next = try #require(unused.newIssuer)
        try await cluster.makeMeshes("web")
        try await cluster.shareAndComplete("spare", "web")
        #expect(cluster.state.activeIssuer(of: try MeshName("web"))?.id == next)
    }

    @Test func `roots that were brought: the next is needed, and a mesh's own is exchanged in its document`() async throws {
        let roots = try await BroughtRoots.made("ec-p256", "ec-p384")
        var authority = Cluster.authority("corp")
        authority.origin = .provided
        let world = try await SharedWorld(.shared, authority: authority, root: roots[0])
        let cluster = world.cluster
        let old = try world.active
        func attempt(_ root: ProvidedRoot?) async throws -> AuthorityError? {
            let before = cluster.disk.store.state.authority
            let error = try await failure {
                try await cluster.authority.revoke(
                    issuer: old, of: "corp", reason: "stolen", root: root, by: Self.alice)
            }
            #expect(cluster.disk.store.state.authority == before)
            return error
        }
        #expect(try await attempt(nil).fields == ["cert"])
        #expect(try await attempt(roots[0]).fields == ["cert"])
        let outcome = try await Self.revoke(old, of: "corp", in: cluster, root: roots[1])
        #expect(world.state.issuers[try #require(outcome.newIssuer)]?.certificate == roots[1].certificate)
        try await Self.complete(cluster, world.proxies)
        // A mesh's own.
        let own = try await BroughtRoots.made("rsa-2048")[0]
        try await cluster.makeMeshes("web")
        var mesh = try cluster.mesh("web")
        mesh.mtls?.backends.append(
            Mesh.Backend(
                name: "own", kind: .provided(certificate: own.certificate), mode: .strict, leafLifetime: .seconds(60),
                document: "{}"))
        mesh.mtls?.enabledBackend = "own"
        _ = try await cluster.authority.put(mesh, keys: ["own": own.key], ifMatch: nil, by: Self.alice)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        let issuer = try #require(cluster.state.activeIssuer(of: MeshName("web")))
        for root in [nil, roots[0]] {
            let error = try await failure {
                try await cluster.authority.revoke(
                    issuer: issuer.id, of: "web.own", reason: "stolen", root: root, by: Self.alice)
            }
            #expect(error.isConflict && error.text.contains("add a backend"), "\(error.text)")
        }
    }

    @Test func `what cannot be revoked is said, and nothing is changed`() async throws {
        let world = try await SharedWorld(.shared)
        let cluster = world.cluster
        let old = try world.active
        let foreign = try #require(world.state.issuers.values.first { $0.certificateAuthority == "payments.ca-1" }).id
        let unknown = IssuerID(random: [1, 2, 3, 4, 5, 6, 7, 8])
        func attempt(_ issuer: IssuerID, _ name: String, _ reason: String, _ root: ProvidedRoot? = nil) async throws
            -> AuthorityError?
        {
            let before = cluster.disk.store
            let error = try await failure {
                try await cluster.authority.revoke(
                    issuer: issuer, of: name, reason: reason, root: root, by: Self.alice)
            }
            #expect(cluster.disk.store.state.authority == before.state.authority && cluster.disk.store.audit == before.audit)
            return error
        }
        for reason in ["", " \n", String(repeating: "x", count: 2001)] {
            #expect(try await attempt(old, "corp", reason).fields == ["reason"])
        }
        #expect(try await attempt(unknown, "corp", "stolen").isNotFound)
        #expect(try await attempt(foreign, "corp", "stolen").isNotFound)
        #expect(try await attempt(old, "nowhere", "stolen").isNotFound)
        let root = try await BroughtRoots.made("ec-p256")[0]
        #expect(try await attempt(old, "corp", "stolen", root).fields == ["cert"])
        let outcome = try await Self.revoke(old, of: "corp", in: cluster)
        let again = try await attempt(old, "corp", "stolen")
        #expect(again.isConflict && again.text.contains("already"), "\(again.text)")
        // While it runs, it cannot be paused, nor called off, and nobody rotates.
        let id = try #require(outcome.rotation?.id)
        for order in [RotationOrder.abort, .pause] {
            let error = try await failure { try await cluster.authority.steer(id, order, reason: nil, by: Self.alice) }
            #expect(error.isConflict, "\(error.text)")
        }
        #expect(try await failure { try await world.rotate() }.isConflict)
        #expect(try await failure { try await cluster.unshare("corp", "orders") }.isConflict)
        // The new root may turn out to be stolen as well.
        let second = try await Self.revoke(try #require(outcome.newIssuer), of: "corp", in: cluster)
        #expect(cluster.rotations.first { $0.rotation.id == id }?.rotation.phase == .aborted)
        #expect(cluster.running.map(\.rotation.id) == [second.rotation?.id])
        try await Self.complete(cluster, world.proxies)
        try world.expectTalk()
    }

    @Test func `who never follows is named, and left behind only by an operator's word`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let stubborn = world.proxies[0]
        let outcome = try await Self.revoke(world.active, of: world.name, in: cluster)
        try await cluster.whileRunning {
            stubborn.reject(.peers, saying: "I will not")
            try await cluster.awaitThat("the blocker") {
                try await world.proxies[1].follow()
                return try await cluster.gate()?.blockers.map(\.detail) == ["I will not"]
            }
            let overview = try await world.steer(.advance(force: true), reason: "that host is off the net")
            #expect(overview.rotation.phase == .completed && overview.rotation.id == outcome.rotation?.id)
            #expect(overview.leftBehind.map(\.identity) == [stubborn.caller.identity])
        }
        world.expectSettled(on: try #require(outcome.newIssuer))
    }

    @Test func `who is away holds nothing up: it is refused when it is back with its old certificate`() async throws {
        let world = try await SharedWorld(.own)
        let away = world.proxies[0]
        away.close()
        try await Self.revoke(world.active, of: world.name, in: world.cluster)
        try await Self.complete(world.cluster, [world.proxies[1]])
        #expect(try !world.proxies[1].accepts(away))
        away.open()
        try await away.follow()
        try world.expectTalk()
    }

    /// A replacement that is in `phase`, with the proxies as far as it takes.
    private static func replace(_ world: SharedWorld, until phase: Rotation.Phase) async throws -> Rotation {
        let rotation = try await world.rotate()
        guard phase != .distributing else { return rotation }
        try await world.cluster.whileRunning {
            if phase == .completed {
                try await world.cluster.awaitEnd { try await world.follow() }
            } else {
                try await world.cluster.awaitPhase(phase) {
                    guard try world.rotation.phase != phase else { return }
                    try await world.follow(leaf: phase != .issuing)
                }
            }
        }
        return rotation
    }

    /// `payments` on its way from its own CA to `corp`, or back, where `orders` is, with a proxy each.
    private static func moving(in isIn: Bool, until phase: Rotation.Phase) async throws -> (Cluster, [FollowingProxy]) {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders")
        try await cluster.makeAuthority("corp", meshes: ["orders"] + (isIn ? [] : ["payments"]))
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        let proxies = [
            try await FollowingProxy.connected("payments", "api", at: cluster.first),
            try await FollowingProxy.connected("orders", "job", at: cluster.first),
        ]
        if isIn { try await cluster.share("corp", "payments") } else { try await cluster.unshare("corp", "payments") }
        if phase == .issuing {
            try await cluster.whileRunning {
                try await cluster.awaitPhase(.issuing) { for proxy in proxies { try await proxy.follow(leaf: false) } }
            }
        }
        return (cluster, proxies)
    }
}
