import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What a rotation waits for is events: periods are for what was lost.
@Suite("Pace of rotations", .timeLimit(.minutes(2)))
struct RotationPaceTests {
    /// A world in which no period ends while a test runs, once it is set up.
    private static func unhurried(proxies: Int = 0) async throws -> (SharedWorld, [FollowingProxy]) {
        let world = try await SharedWorld(.own)
        var settings = world.authority.settings
        settings.rotationInterval = .seconds(600)
        settings.rotationGathering = .milliseconds(5)
        settings.heartbeatInterval = .seconds(600)
        let calm = try Service(
            ledger: MemoryLedger(disk: world.cluster.disk, now: { [clock = world.cluster.clock] in clock.now }),
            clock: world.cluster.clock, keyEncryptionKey: world.cluster.first.keyEncryptionKey, settings: settings)
        try await calm.authority.start()
        // The replica of the set-up is gone: nobody waits for it, nor for its lease.
        try await world.cluster.first.ledger.withdrawReport(of: world.authority.instance)
        world.cluster.clock.advance(by: .seconds(61))
        let cluster = Cluster(clock: world.cluster.clock, disk: world.cluster.disk, replicas: [calm])
        try await calm.ledger.report(nil, of: calm.authority.instance)
        var connected: [FollowingProxy] = []
        for number in 0..<max(2, proxies) {
            connected.append(try await FollowingProxy.connected("payments", "calm-\(number)", at: calm))
        }
        return (SharedWorld(cluster: cluster, name: world.name, meshes: world.meshes, proxies: connected), connected)
    }

    @Test func `the last acknowledgement opens a gate at once, and no period is waited for`() async throws {
        let (world, _) = try await Self.unhurried()
        let cluster = world.cluster
        try await cluster.whileRunning {
            let rotation = try await world.rotate()
            try await cluster.awaitEnd { try await world.follow() }
            #expect(try world.rotation.id == rotation.id && world.rotation.phase == .completed)
        }
    }

    @Test func `proxies that settle one after the other make no report each`() async throws {
        let (world, proxies) = try await Self.unhurried(proxies: 12)
        let cluster = world.cluster
        try await cluster.whileRunning {
            try await world.rotate()
            let ledger = cluster.first.ledger
            try await cluster.awaitThat("the first report of the phase") {
                cluster.disk.store.replicas[cluster.authority.instance]?.report?.rotations.values.first?.pendingCount == 12
            }
            let before = ledger.count(of: .report)
            for proxy in proxies.dropLast() {
                try await proxy.follow()
                // Several looks.
                try await Task.sleep(for: .milliseconds(15))
            }
            #expect(ledger.count(of: .report) == before)
            #expect(try world.rotation.phase == .distributing)
            try await cluster.awaitEnd { try await world.follow() }
            // Two for each phase, and one for the end.
            #expect(ledger.count(of: .report) <= before + 6)
        }
    }

    @Test func `a gate that a certificate of somebody away holds asks the ledger once, not in every round`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let away = world.proxies[1]
        away.close()
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitThat("the blocker") {
                try await world.proxies[0].follow()
                let isIssuing = try world.rotation.phase == .issuing
                let reasons = try await cluster.gate()?.blockers.map(\.reason)
                return isIssuing && reasons == [.away]
            }
            let ledger = cluster.first.ledger
            @Sendable func awaitRounds(_ count: Int) async throws {
                let before = ledger.count(of: .replicaRows)
                try await cluster.awaitThat("\(count) rounds") { ledger.count(of: .replicaRows) >= before + count }
            }
            try await awaitRounds(3)
            let asked = ledger.count(of: .outstandingLeaves)
            try await awaitRounds(20)
            // Once more after half a minute, which twenty rounds may take on a busy host.
            #expect(ledger.count(of: .outstandingLeaves) <= asked + 3)
            // What somebody else does concerns it not, for good.
            try await world.proxies[0].follow()
            #expect(try world.rotation.phase == .issuing)
            // Its end does.
            cluster.clock.advance(by: .seconds(61))
            try await cluster.awaitEnd { try await world.proxies[0].follow() }
        }
        #expect(try world.rotation.phase == .completed)
    }

    @Test func `a gate that somebody away holds opens when it comes back and settles`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let away = world.proxies[1]
        away.close()
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitThat("the blocker") {
                try await world.proxies[0].follow()
                let isIssuing = try world.rotation.phase == .issuing
                let reasons = try await cluster.gate()?.blockers.map(\.reason)
                return isIssuing && reasons == [.away]
            }
            try await cluster.linger()
            away.open()
            try await cluster.awaitEnd { try await world.follow() }
        }
        #expect(try world.rotation.phase == .completed)
    }

    @Test func `a replica reads another's report when it has changed, and not again`() async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let cluster = world.cluster
        let (first, second) = (cluster.replicas[0], cluster.replicas[1])
        try await world.rotate()
        try await cluster.whileRunning { try await cluster.linger() }
        let rows = try await first.ledger.replicaRows(
            livingWithin: .seconds(20), known: [:], besides: first.authority.instance)
        #expect(Set(rows.map(\.replica)) == [first.authority.instance, second.authority.instance])
        for row in rows { #expect((row.report == nil) == (row.replica == first.authority.instance)) }
        let known = Dictionary(uniqueKeysWithValues: rows.map { ($0.replica, $0.edition) })
        let again = try await first.ledger.replicaRows(livingWithin: .seconds(20), known: known, besides: "nobody")
        #expect(again.allSatisfy { $0.report == nil && $0.edition == known[$0.replica] })
        try await second.ledger.report(nil, of: second.authority.instance)
        let later = try await first.ledger.replicaRows(livingWithin: .seconds(20), known: known, besides: "nobody")
        #expect(later.filter { $0.report != nil }.map(\.replica) == [second.authority.instance])
        #expect(later.first { $0.report != nil }?.report == rows.first { $0.report != nil }?.report)
        let living = try await first.ledger.livingReplicas(within: .seconds(20))
        #expect(living == later.filter(\.isLiving).map(\.replica))
    }
}
