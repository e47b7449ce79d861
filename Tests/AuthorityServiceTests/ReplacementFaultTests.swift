import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// The ledger fails at every commit of a replacement and of a revocation, in every way, and the laws hold after it.
@Suite("Replacements with a failing ledger", .timeLimit(.minutes(4)))
struct ReplacementFaultTests {
    typealias Failure = MoveFaultTests.Failure

    private static let alice = Service.administrator
    private static let phases: [Rotation.Phase] = [.distributing, .issuing, .withdrawing]

    private static func inject(_ how: Failure, into cluster: Cluster, times: Int = 1) {
        // Whichever replica it is that tries next.
        for replica in cluster.replicas {
            for _ in 0..<times { replica.ledger.inject(how.fault, into: .commit) }
        }
    }

    /// The first replica alone answers, and its commit fails.
    private static func expectFailure(
        _ cluster: Cluster, _ how: Failure, at location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws {
        cluster.first.ledger.inject(how.fault, into: .commit)
        let error = try await failure(of: body)
        #expect(error.isLedger, "\(error.text)", sourceLocation: location)
        cluster.expectLaws(location)
    }

    /// Until the first replica has what is stored: after a lost answer it is told by the poll.
    private static func awaitNews(_ cluster: Cluster) async throws {
        try await cluster.awaitThat("the news") {
            cluster.replicas.allSatisfy { $0.authority.state.revision == cluster.state.revision }
        }
    }

    @Test(arguments: Failure.allCases, SharedWorld.Ownership.allCases)
    func `a start whose commit fails is made whole or not at all, and again is what it should be`(
        how: Failure, ownership: SharedWorld.Ownership
    ) async throws {
        let world = try await SharedWorld(ownership, replicas: 2)
        let cluster = world.cluster
        let issuers = world.state.issuers.count
        try await Self.expectFailure(cluster, how) { try await world.rotate() }
        let isMade = how == .lostAnswer
        #expect(cluster.running.count == (isMade ? 1 : 0))
        #expect(world.state.issuers.count == issuers + (isMade ? 1 : 0))
        #expect(cluster.disk.store.certificates.filter { $0.kind == .cross }.count == (isMade ? 1 : 0))
        try await cluster.whileRunning {
            try await Self.awaitNews(cluster)
            let again = try await failure { try await world.rotate() }
            #expect(isMade ? again.isConflict : again == nil, "\(again.text)")
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
                cluster.expectLaws()
            }
        }
        #expect(try world.rotation.phase == .completed && world.state.issuers.count == issuers + 1)
        world.expectSettled(on: try world.rotation.to)
    }

    @Test(arguments: Failure.allCases, 0..<3)
    func `a transition whose commit fails is taken once, by whoever comes next`(how: Failure, transition: Int) async throws {
        let world = try await SharedWorld(.shared, replicas: 2)
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(Self.phases[transition]) { try await world.follow(bundles: $0, leaf: $1) }
            Self.inject(how, into: cluster, times: 3)
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
                cluster.expectLaws()
            }
        }
        world.expectSettled(on: rotation.to)
        #expect(try world.audited() == ["rotation-started", "rotation-issuing", "rotation-withdrawing", "rotation-completed"])
        #expect(try await world.events() == ["distributing", "issuing", "withdrawing", "completed"])
    }

    @Test(arguments: Failure.allCases, [RotationOrder.abort, .pause, .advance(force: true)])
    func `an order whose commit fails is obeyed whole or not at all`(how: Failure, order: RotationOrder) async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            // Both have confirmed the phase, and the gate holds for the proxies.
            try await cluster.awaitThat("the proxies alone") {
                try await cluster.gate()?.blockers.allSatisfy { $0.reason == .pending } == true
            }
            try await Self.expectFailure(cluster, how) { _ = try await world.steer(order, reason: "now") }
            let isMade = how == .lostAnswer
            let after = try world.rotation
            switch order {
            case .abort: #expect((after.phase == .reverting || after.phase == .aborted) == isMade)
            case .pause: #expect(after.isPaused == isMade)
            case .advance: #expect((after.phase == .issuing) == isMade)
            case .resume: break
            }
            let held = world.state.certificateAuthorities[world.name]?.authority.isAutomaticHeld
            #expect(held == (isMade && order == .abort))
            try await Self.awaitNews(cluster)
            if order == .pause, isMade { _ = try await world.steer(.resume) }
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
                cluster.expectLaws()
            }
            world.expectSettled(on: isMade && order == .abort ? rotation.from : rotation.to)
        }
    }

    @Test(arguments: Failure.allCases)
    func `an abort of issuing whose transitions fail gets there all the same`(how: Failure) async throws {
        let world = try await SharedWorld(.shared, replicas: 2)
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { try await world.follow(leaf: false) }
            try await world.proxies[0].follow()
            _ = try await world.steer(.abort)
            for _ in 0..<2 {
                Self.inject(how, into: cluster)
                try await cluster.linger {
                    try await world.follow()
                    try world.expectTalk()
                    cluster.expectLaws()
                }
            }
            try await cluster.awaitEnd { try await world.follow() }
        }
        #expect(try world.rotation.phase == .aborted)
        world.expectSettled(on: rotation.from)
        try world.expectTalk()
    }

    @Test(arguments: Failure.allCases, SharedWorld.Ownership.allCases)
    func `a revocation whose commit fails is made whole or not at all, and again is done or known as done`(
        how: Failure, ownership: SharedWorld.Ownership
    ) async throws {
        let world = try await SharedWorld(ownership, replicas: 2)
        let cluster = world.cluster
        let old = try world.active
        func revoke() async throws {
            _ = try await cluster.authority.revoke(issuer: old, of: world.name, reason: "stolen", by: Self.alice)
        }
        try await Self.expectFailure(cluster, how) { try await revoke() }
        let isMade = how == .lostAnswer
        #expect((world.state.issuers[old]?.revokedAt != nil) == isMade)
        #expect(try (world.active != old) == isMade && (cluster.running.count == 1) == isMade)
        #expect(cluster.disk.store.audit.contains { $0.action == "issuer-revoked" } == isMade)
        let again = try await failure { try await revoke() }
        #expect(isMade ? again.isConflict && again.text.contains("already") : again == nil, "\(again.text)")
        cluster.expectLaws()
        try await cluster.whileRunning {
            Self.inject(how, into: cluster, times: 2)
            try await cluster.awaitEnd {
                try await world.follow()
                cluster.expectLaws()
            }
        }
        #expect(try world.rotation.phase == .completed && world.rotation.kind == .revoke)
        #expect(cluster.disk.store.audit.filter { $0.action == "issuer-revoked" }.count == 1)
        #expect(try world.audited() == ["rotation-completed"])
        world.expectSettled(on: try world.active)
        try world.expectTalk()
    }

    @Test(arguments: Failure.allCases, 0..<3)
    func `a revocation whose commit fails while a replacement runs supersedes it or leaves it as it was`(
        how: Failure, transition: Int
    ) async throws {
        let world = try await SharedWorld(.shared, replicas: 2)
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(Self.phases[transition]) { try await world.follow(bundles: $0, leaf: $1) }
        }
        try await Self.expectFailure(cluster, how) {
            _ = try await cluster.authority.revoke(issuer: rotation.from, of: "corp", reason: "stolen", by: Self.alice)
        }
        let stored = try #require(cluster.rotations.first { $0.rotation.id == rotation.id }?.rotation)
        #expect(stored.phase.isRunning == (how != .lostAnswer))
        try await cluster.whileRunning {
            try await Self.awaitNews(cluster)
            try await cluster.awaitEnd {
                try await world.follow()
                cluster.expectLaws()
            }
        }
        if how != .lostAnswer { #expect(world.state.issuers[rotation.from]?.revokedAt == nil) }
        world.expectSettled(on: try world.active)
        try world.expectTalk()
    }

    @Test(arguments: [
        MemoryLedger.Call.load, .replicaRows, .report, .outstandingLeaves, .revision, .lease,
    ])
    func `while the ledger does not answer a question no gate opens, and afterwards all goes on`(call: MemoryLedger.Call)
        async throws
    {
        let world = try await SharedWorld(.own, replicas: 2)
        let cluster = world.cluster
        // With a pace of its own for each question, and the gate that asks them all.
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { try await world.follow(leaf: false) }
        }
        for replica in cluster.replicas { replica.ledger.setLasting(.unavailable, for: [call]) }
        @Sendable func asked() -> Int { cluster.replicas.map { $0.ledger.count(of: call) }.reduce(0, +) }
        let before = asked()
        try await cluster.whileRunning {
            try await cluster.awaitThat("the questions") {
                try await world.follow()
                try world.expectTalk()
                cluster.expectLaws()
                return asked() >= before + 8
            }
            if call != .revision && call != .load { #expect(try world.rotation.phase == .issuing) }
            for replica in cluster.replicas { replica.ledger.setLasting(nil) }
            try await cluster.awaitEnd { try await world.follow() }
        }
        #expect(try world.rotation.phase == .completed)
        world.expectSettled(on: try world.active)
    }
}
