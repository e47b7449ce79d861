import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

/// Rotations by the root's age, by the service's clock.
@Suite("Rotation by age", .timeLimit(.minutes(2)))
struct ReplacementScheduleTests {
    private static let alice = Service.administrator

    /// A root of one hour: due after half of it, and near its end with ten minutes left.
    private static func world(replicas: Int = 1, automatic: Bool = true) async throws -> SharedWorld {
        var authority = Cluster.authority("corp")
        authority.expiration = .seconds(3600)
        authority.rotatesAutomatically = automatic
        return try await SharedWorld(.shared, replicas: replicas, authority: authority)
    }

    private static func end(in world: SharedWorld) throws -> Timestamp {
        try #require(world.state.issuers[world.active]?.notAfter)
    }

    private static func replacements(_ world: SharedWorld) -> [Rotation] {
        world.cluster.rotations.map(\.rotation).filter { $0.kind == .replace }
    }

    /// Sets the clock to `time` before the root's end.
    private static func go(to time: Duration, before end: Timestamp, in world: SharedWorld) {
        world.cluster.clock.advance(by: end - world.cluster.clock.now - time)
    }

    @Test func `it starts once when half of the root's life is over, whichever replica drives, and completes`() async throws {
        let world = try await Self.world(replicas: 2)
        let cluster = world.cluster
        let end = try Self.end(in: world)
        try await cluster.whileRunning {
            Self.go(to: .seconds(1801 + 5), before: end, in: world)
            try await cluster.linger { try await world.follow() }
            #expect(Self.replacements(world).isEmpty)
            Self.go(to: .seconds(1795), before: end, in: world)
            try await cluster.awaitThat("the start") {
                try await world.follow()
                return !Self.replacements(world).isEmpty
            }
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
                cluster.expectLaws()
            }
            try await cluster.linger { try await world.follow() }
        }
        let rotation = try #require(Self.replacements(world).first)
        #expect(Self.replacements(world).count == 1 && rotation.trigger == .schedule && rotation.phase == .completed)
        #expect(rotation.crossCertificate != nil && !rotation.isManual)
        world.expectSettled(on: rotation.to)
        let overview = try await cluster.authority.rotation(rotation.id)
        #expect(overview.events.map(\.actor) == Array(repeating: "system", count: 4))
        let entry = try #require(cluster.disk.store.audit.first { $0.object == rotation.id })
        #expect(entry.action == "rotation-started" && entry.details["trigger"] == "schedule" && entry.actor == "system")
        // Its successor has an hour of its own.
        #expect(try Self.end(in: world) == rotation.startedAt.rounded + .seconds(3600))
    }

    @Test func `near the root's end the new one signs although a proxy is behind, and the old one is not withdrawn for it`()
        async throws
    {
        let world = try await Self.world()
        let cluster = world.cluster
        let end = try Self.end(in: world)
        let stubborn = world.proxies[0]
        let others = world.proxies.dropFirst()
        /// The stubborn one renews its leaf and takes no bundle.
        @Sendable func follow() async throws {
            for proxy in others { try await proxy.follow() }
            try await stubborn.follow(bundles: false)
        }
        try await cluster.whileRunning {
            Self.go(to: .seconds(1790), before: end, in: world)
            try await cluster.awaitThat("the start") {
                try await follow()
                return Self.replacements(world).count == 1
            }
            try await follow()
            Self.go(to: .seconds(605), before: end, in: world)
            try await cluster.awaitThat("the one blocker") {
                try await follow()
                return try await cluster.gate()?.blockers.map(\.identity) == [stubborn.caller.identity]
            }
            try await cluster.linger { try await follow() }
            #expect(try world.rotation.phase == .distributing)
            Self.go(to: .seconds(595), before: end, in: world)
            try await cluster.awaitPhase(.issuing) { try await follow() }
            let events = try await cluster.authority.rotation(world.rotation.id).events
            let issuing = try #require(events.last)
            #expect(issuing.event == "issuing" && issuing.actor == "system" && issuing.detail.contains("end is near: 1"))
            try await follow()
            try await cluster.linger { try await follow() }
            // It takes the others' new leaves by the cross certificate, and is taken by them.
            try world.expectTalk()
            Self.go(to: .seconds(100), before: end, in: world)
            try await cluster.linger { try await follow() }
            #expect(try world.rotation.phase == .issuing)
            try await cluster.awaitEnd { try await world.follow() }
        }
        world.expectSettled(on: try world.rotation.to)
        try world.expectTalk()
    }

    @Test func `a service that slept past the root's end has another one when it wakes, and signs again`() async throws {
        let world = try await Self.world()
        let cluster = world.cluster
        let end = try Self.end(in: world)
        Self.go(to: .seconds(-86_400), before: end, in: world)
        let caller = world.proxies[0].caller
        let error = try await failure { try await cluster.authority.issueLeaf(for: caller, node: "n1") }
        #expect(error.text.contains("expired"), "\(error.text)")
        try await cluster.whileRunning {
            try await cluster.awaitThat("the start") { Self.replacements(world).count == 1 }
            // Nothing can vouch for the new root any more, and no leaf of the old one is left to be vouched to.
            #expect(try world.rotation.crossCertificate == nil)
            try await cluster.awaitThat("the end") {
                for proxy in world.proxies { try await proxy.follow(leaf: world.rotation.phase != .distributing) }
                cluster.expectLaws()
                return cluster.running.isEmpty
            }
        }
        world.expectSettled(on: try world.rotation.to)
        try await world.follow()
        try world.expectTalk()
    }

    @Test(arguments: ["manual", "paused"])
    func `no clock overrides an operator`(how: String) async throws {
        let world = try await Self.world()
        let cluster = world.cluster
        let end = try Self.end(in: world)
        try await world.rotate(isManual: how == "manual")
        if how == "paused" { _ = try await world.steer(.pause) }
        try await cluster.whileRunning {
            Self.go(to: .seconds(300), before: end, in: world)
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == .distributing)
        }
    }

    @Test(arguments: ["aborted before", "not automatic", "unused", "brought"])
    func `none starts where nobody wants one`(why: String) async throws {
        let world = try await Self.world(automatic: why != "not automatic")
        let cluster = world.cluster
        var name = "corp"
        switch why {
        case "aborted before":
            try await world.rotate()
            _ = try await world.steer(.abort)
            try await cluster.whileRunning { try await cluster.awaitEnd { try await world.follow() } }
        case "unused":
            name = "spare"
            var authority = Cluster.authority(name)
            authority.expiration = .seconds(1800)
            _ = try await cluster.authority.put(authority, meshes: [], root: nil, ifMatch: nil, by: Self.alice)
        case "brought":
            name = "brought"
            var authority = Cluster.authority(name)
            authority.origin = .provided
            let root = try await BroughtRoots.made("ec-p256")[0]
            _ = try await cluster.authority.put(authority, meshes: [], root: root, ifMatch: nil, by: Self.alice)
            try await cluster.makeMeshes("web")
            try await cluster.shareAndComplete(name, "web")
        default: break
        }
        let count = Self.replacements(world).count
        let root = try #require(
            cluster.state.issuers.values.first { $0.certificateAuthority == name && $0.notAfter > cluster.clock.now })
        cluster.clock.advance(by: root.notAfter - cluster.clock.now - .seconds(why == "unused" ? 100 : 1500))
        try await cluster.whileRunning {
            // Of the others here `corp` alone is automatic and due.
            try await cluster.linger()
        }
        #expect(Self.replacements(world).filter { $0.certificateAuthority == name }.count == count)
        guard why == "aborted before" else { return }
        _ = try await world.steer(.resume)
        try await cluster.whileRunning {
            try await cluster.awaitThat("the start") { Self.replacements(world).count == count + 1 }
        }
        #expect(Self.replacements(world).last?.trigger == .schedule)
    }

    @Test func `a cross certificate is renewed at half of its life, recorded, and what chains carry from then on`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let rotation = try await world.rotate(isManual: true)
        let first = try #require(rotation.crossCertificate)
        try await cluster.whileRunning {
            cluster.clock.advance(by: .seconds(3 * 86_400))
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.crossCertificate == first)
            cluster.clock.advance(by: .seconds(86_400))
            try await cluster.awaitThat("the next one") {
                try await world.follow()
                return try world.rotation.crossCertificate != first
            }
            let second = try #require(try world.rotation.crossCertificate)
            #expect(second.notAfter >= first.notAfter + .seconds(3 * 86_400))
            #expect(try await world.events() == ["distributing", "cross-certificate-renewed"])
            let record = try #require(cluster.disk.store.certificates.last { $0.kind == .cross })
            #expect(record.digest == (try CertificateFacts(der: second.certificate).digest))
            // Once is enough.
            try await cluster.linger { try await world.follow() }
            #expect(
                try world.rotation.crossCertificate == second
                    && cluster.disk.store.certificates.filter { $0.kind == .cross }.count == 2)
            try await cluster.awaitThat("issuing") {
                try await world.follow()
                guard try await cluster.gate()?.isOpen == true else { return false }
                return try await world.steer(.advance(force: false)).rotation.phase == .issuing
            }
            try await world.follow()
            let leaf = try #require(world.proxies[0].leaf)
            #expect(try Service.chain(of: leaf).dropFirst(2) == [second.certificate])
            #expect(leaf.notAfter <= second.notAfter)
            let old = try #require(world.state.issuers[rotation.from]?.certificate)
            let verdict = try await ChainVerdict.of(
                Service.chain(of: leaf), roots: [old], in: TrustDomain("payments"), at: cluster.clock.now)
            #expect(verdict == .accepted)
        }
    }

    @Test func `a brought root is replaced by the next that is brought, with a cross certificate`() async throws {
        let (world, roots) = try await Self.brought("ec-p256", "rsa-2048")
        let outcome = try await world.authority.rotate(
            RotationRequest(certificateAuthority: "corp", retireAfter: .reissued, root: roots[1]), by: Self.alice)
        #expect(outcome.rotation.crossCertificate != nil && outcome.warnings.isEmpty)
        #expect(world.state.issuers[outcome.rotation.to]?.certificate == roots[1].certificate)
        #expect(!world.cluster.disk.store.certificates.contains { $0.kind == .root && $0.issuer == outcome.rotation.to })
        #expect(world.cluster.disk.store.certificates.contains { $0.kind == .cross && $0.issuer == outcome.rotation.to })
        world.proxies[0].close()
        try await world.cluster.whileRunning {
            try await world.cluster.awaitPhase(.issuing) { for proxy in world.proxies.dropFirst() { try await proxy.follow() } }
            for proxy in world.proxies.dropFirst() { try await proxy.follow() }
            try world.expectTalk()
            world.proxies[0].open()
            try await world.cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
            }
        }
        world.expectSettled(on: outcome.rotation.to)
        #expect(world.state.certificateAuthorities["corp"]?.authority.keyAlgorithm == .rsa2048)
    }

    @Test func `a root of path length one can vouch for none, and those who are away hold the gate until their end`() async throws
    {
        let (world, roots) = try await Self.brought("path-length-1", "ec-p256")
        let cluster = world.cluster
        let away = world.proxies[0]
        let others = world.proxies.dropFirst()
        away.close()
        let request = RotationRequest(certificateAuthority: "corp", retireAfter: .reissued, root: roots[1])
        let would = try await world.authority.rotate(request, isDryRun: true, by: Self.alice)
        #expect(would.forecast?.isCrossCertified == false)
        let rotation = try await world.authority.rotate(request, by: Self.alice).rotation
        #expect(rotation.crossCertificate == nil)
        try await cluster.whileRunning {
            try await cluster.awaitThat("the one who is away") {
                for proxy in others { try await proxy.follow() }
                return try await cluster.gate()?.blockers.map(\.reason) == [.away]
            }
            #expect(try await cluster.gate()?.blockers.first?.until == away.leaf?.notAfter)
            try await cluster.linger { for proxy in others { try await proxy.follow() } }
            #expect(try world.rotation.phase == .distributing)
            cluster.clock.advance(by: .seconds(61))
            try await cluster.awaitEnd { for proxy in others { try await proxy.follow() } }
        }
        world.expectSettled(on: rotation.to)
        let chain = try Service.chain(of: try #require(world.proxies[1].leaf))
        #expect(chain.count == 2)
    }

    /// A world whose `corp` has the first of these roots.
    private static func brought(_ first: String, _ second: String) async throws -> (SharedWorld, [ProvidedRoot]) {
        let roots = try await BroughtRoots.made(first, second)
        var authority = Cluster.authority("corp")
        authority.origin = .provided
        return (try await SharedWorld(.shared, authority: authority, root: roots[0]), roots)
    }
}

extension Timestamp {
    /// As certificates have it.
    fileprivate var rounded: Timestamp { Timestamp(seconds: seconds) }
}
