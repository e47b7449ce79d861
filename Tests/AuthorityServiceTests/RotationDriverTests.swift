import Authority
import AuthorityService
import Logging
import PKI
import ServiceLifecycle
import TestSupport
import Testing

/// One replica drives, all report: the lease says which, and its fence keeps out who was taken for dead.
@Suite("Drivers of rotations", .timeLimit(.minutes(2)))
struct RotationDriverTests {
    private static let alice = Service.administrator

    /// One replica of the world, alone.
    private static func alone(_ number: Int, of world: SharedWorld) -> Cluster {
        Cluster(clock: world.cluster.clock, disk: world.cluster.disk, replicas: [world.cluster.replicas[number]])
    }

    private static func driver(_ world: SharedWorld) -> MemoryLedgerStore.Driver? { world.cluster.disk.store.driver }

    private static func instance(_ number: Int, _ world: SharedWorld) -> String {
        world.cluster.replicas[number].authority.instance
    }

    /// Whether the replica has the lease now, not only had it last.
    private static func isDriving(_ number: Int, _ world: SharedWorld) -> Bool {
        guard let driver = driver(world) else { return false }
        return driver.lease.holder == instance(number, world) && world.cluster.clock.now < driver.expiresAt
    }

    @Test func `one of several drives all of a rotation, and the others report to it`() async throws {
        let world = try await SharedWorld(.shared, replicas: 3)
        try await world.rotate()
        let fence = try #require(Self.driver(world)?.lease.fence)
        try await world.cluster.whileRunning {
            try await world.cluster.awaitEnd { try await world.follow() }
        }
        // The clock stood still, and nobody could take it over.
        #expect(Self.driver(world)?.lease.fence == fence)
        #expect(try world.audited() == ["rotation-started", "rotation-issuing", "rotation-withdrawing", "rotation-completed"])
    }

    @Test(arguments: [Rotation.Phase.distributing, .issuing, .withdrawing])
    func `when the driver falls silent another goes on, after its lease and not before`(phase: Rotation.Phase) async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let (first, second) = (Self.alone(0, of: world), Self.alone(1, of: world))
        let cluster = world.cluster
        cluster.clock.advance(by: .seconds(11))
        let rotation = try await world.rotate()
        // The second only reports, for the first has the lease.
        try await first.whileRunning {
            try await first.awaitThat("the lease") { Self.isDriving(0, world) }
        }
        try await cluster.whileRunning {
            try await cluster.approach(phase) { try await world.follow(bundles: $0, leaf: $1) }
        }
        let lease = try #require(Self.driver(world)?.lease)
        #expect(lease.holder == Self.instance(0, world))
        // The first is gone without a word, with its proxy; the second sees nobody who drives.
        world.proxies[0].close()
        try await second.whileRunning {
            cluster.clock.advance(by: .seconds(9))
            try await second.linger { try await world.proxies[1].follow() }
            #expect(Self.driver(world)?.lease == lease)
            #expect(try world.rotation.phase == phase)
            cluster.clock.advance(by: .seconds(2))
            try await second.awaitThat("the heir") { Self.isDriving(1, world) }
            #expect(Self.driver(world)?.lease.fence == lease.fence + 1)
            cluster.clock.advance(by: .seconds(61))
            try await second.awaitThat("the end") {
                try await world.proxies[1].follow()
                cluster.expectLaws()
                return try !world.rotation.phase.isRunning
            }
        }
        world.expectSettled(on: rotation.to)
        #expect(try world.rotation.phase == .completed)
    }

    @Test func `who comes back with an old lease changes nothing, though the row is as it left it`() async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let (first, second) = (Self.alone(0, of: world), Self.alone(1, of: world))
        let cluster = world.cluster
        cluster.clock.advance(by: .seconds(11))
        try await world.rotate()
        let stalled = LedgerGate()
        let entry = try #require(cluster.running.first)
        try await first.whileRunning {
            try await first.awaitThat("the lease") { Self.isDriving(0, world) }
            // The gate is open in its eyes, and its commit hangs.
            cluster.first.ledger.inject(.delayed(stalled), into: .commit)
            try await second.whileRunning {
                try await second.awaitThat("the commit") {
                    try await world.follow()
                    return try await cluster.gate()?.isOpen == true
                }
                #expect(await stalled.awaitArrival())
            }
            // Everybody is gone; who comes now holds the gate, at the second.
            cluster.clock.advance(by: .seconds(11))
            let late = try await FollowingProxy("payments", "late", at: cluster.replicas[1])
            late.open()
            late.reject(.peers, saying: "no")
            try await second.whileRunning {
                try await second.awaitThat("the heir") { Self.isDriving(1, world) }
                let refused = cluster.disk.store
                stalled.open()
                try await first.linger { try await world.follow() }
                let after = cluster.disk.store
                #expect(after.rotations.last == entry && after.rotations == refused.rotations)
                #expect(after.state.authority.meshIssuers == refused.state.authority.meshIssuers)
                #expect(after.audit == refused.audit)
                #expect(Self.driver(world)?.lease.holder == Self.instance(1, world))
                try await second.awaitThat("the end") {
                    try await world.follow()
                    try await late.follow()
                    return try !world.rotation.phase.isRunning
                }
            }
        }
        #expect(try world.audited() == ["rotation-started", "rotation-issuing", "rotation-withdrawing", "rotation-completed"])
    }

    @Test func `a clean stop hands over at once`() async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let cluster = world.cluster
        let second = Self.alone(1, of: world)
        cluster.clock.advance(by: .seconds(11))
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(services: [cluster.first.authority], logger: quiet))
        async let end: Void = group.run()
        try await second.awaitThat("the lease") { Self.isDriving(0, world) }
        try await world.rotate()
        let lease = try #require(Self.driver(world)?.lease)
        await group.triggerGracefulShutdown()
        try await end
        // No time has passed.
        for proxy in world.proxies { proxy.close() }
        let proxy = try await FollowingProxy.connected("payments", "late", at: cluster.replicas[1])
        try await second.whileRunning {
            try await second.awaitThat("the heir") { Self.driver(world)?.lease.fence == lease.fence + 1 }
            try await second.approach(.issuing) { try await proxy.follow(bundles: $0, leaf: $1) }
        }
        #expect(Self.driver(world)?.lease.holder == Self.instance(1, world))
    }

    @Test func `who cannot ask for the lease does not drive`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        try await world.rotate()
        cluster.first.ledger.setLasting(.unavailable, for: [.lease])
        try await cluster.whileRunning {
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == .distributing)
            cluster.first.ledger.setLasting(nil)
            try await cluster.awaitEnd { try await world.follow() }
        }
    }

    @Test(arguments: [1, 3])
    func `of fifty starts at once one becomes a rotation, and the others are told which`(replicas: Int) async throws {
        let world = try await SharedWorld(.shared, replicas: replicas)
        let cluster = world.cluster
        let roots = world.state.issuers.count
        let outcomes = await withTaskGroup(of: Result<Rotation, AuthorityError>.self) { group in
            for number in 0..<50 {
                let authority = cluster.replicas[number % replicas].authority
                group.addTask {
                    do throws(AuthorityError) {
                        return .success(
                            try await authority.rotate(RotationRequest(certificateAuthority: "corp"), by: Self.alice).rotation)
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let started = outcomes.compactMap { try? $0.get() }
        #expect(started.count == 1)
        let rotation = try #require(started.first)
        for case .failure(let error) in outcomes {
            #expect(AuthorityError?.some(error).isConflict && "\(error)".contains(rotation.id), "\(error)")
        }
        #expect(cluster.running.map(\.rotation) == [rotation] && world.state.issuers.count == roots + 1)
        #expect(cluster.disk.store.certificates.filter { $0.kind == .cross }.count == 1)
        cluster.expectLaws()
        try await cluster.whileRunning { try await cluster.awaitEnd { try await world.follow() } }
        world.expectSettled(on: rotation.to)
    }
}
