import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// The ledger fails at every commit of a move, in every way, and the laws hold after it.
@Suite("Moves with a failing ledger", .timeLimit(.minutes(3)))
struct MoveFaultTests {
    enum Failure: CaseIterable {
        case lostAnswer, lostCommit, unavailable

        var fault: MemoryLedger.Fault {
            switch self {
            case .lostAnswer: .persistedThenFailed
            case .lostCommit: .notPersistedOutcomeUnknown
            case .unavailable: .unavailable
            }
        }
    }

    /// One active issuer for a mesh with mTLS, one rotation at most, each issuer with its key, each root of a mesh there.
    private static func expectLaws(_ cluster: Cluster, at location: SourceLocation = #_sourceLocation) {
        let state = cluster.state
        for entry in state.meshes.values where entry.mesh.enabledAuthority != nil {
            let issuers = state.meshIssuers[entry.mesh.name] ?? [:]
            #expect(issuers.values.filter { $0 == .active }.count == 1, sourceLocation: location)
            let running = cluster.running.filter { $0.rotation.meshes.contains(entry.mesh.name) }
            #expect(running.count <= 1, sourceLocation: location)
            #expect(issuers.values.filter(\.isBound).count <= (running.isEmpty ? 1 : 2), sourceLocation: location)
            for id in issuers.keys { #expect(state.issuers[id] != nil, sourceLocation: location) }
            if running.isEmpty {
                #expect(
                    state.activeIssuer(of: entry.mesh.name)?.certificateAuthority == entry.mesh.enabledAuthority,
                    sourceLocation: location)
            }
        }
        #expect(Set(cluster.disk.store.state.issuerKeys.keys) == Set(state.issuers.keys), sourceLocation: location)
    }

    private static func cluster() async throws -> Cluster {
        let cluster = try await Cluster.started(2)
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("corp")
        return cluster
    }

    @Test(arguments: Failure.allCases)
    func `a share whose commit fails is made whole or not at all, and again is what it should be`(how: Failure) async throws {
        let cluster = try await Self.cluster()
        cluster.first.ledger.inject(how.fault, into: .commit)
        let error = try await failure { try await cluster.share("corp", "payments") }
        #expect({ if case .ledger? = error { true } else { false } }(), "\(String(describing: error))")
        Self.expectLaws(cluster)
        let isMade = how == .lostAnswer
        #expect(cluster.rotations.count == (isMade ? 1 : 0))
        #expect(try (cluster.mesh("payments").enabledAuthority == "corp") == isMade)
        try await cluster.whileRunning {
            try await cluster.awaitThat("the news") {
                cluster.authority.state.revision == cluster.state.revision
            }
            try await cluster.share("corp", "payments")
            try await cluster.awaitEnd()
        }
        Self.expectLaws(cluster)
        #expect(cluster.rotations.map(\.rotation.phase) == [.completed])
    }

    @Test(arguments: Failure.allCases, 0..<3)
    func `a transition whose commit fails is taken once, by whoever comes next`(how: Failure, transition: Int) async throws {
        let cluster = try await Self.cluster()
        let proxy = try await FollowingProxy.connected("payments", at: cluster.first)
        try await cluster.share("corp", "payments")
        try await cluster.whileRunning {
            let phases: [Rotation.Phase] = [.distributing, .issuing, .withdrawing]
            try await cluster.approach(phases[transition]) { try await proxy.follow(bundles: $0, leaf: $1) }
            // Whichever replica it is that tries next.
            for replica in cluster.replicas {
                for _ in 0..<3 { replica.ledger.inject(how.fault, into: .commit) }
            }
            try await cluster.awaitEnd {
                try await proxy.follow()
                Self.expectLaws(cluster)
            }
        }
        Self.expectLaws(cluster)
        let id = try #require(cluster.rotations.first?.rotation.id)
        let actions = cluster.disk.store.audit.filter { $0.object == id }.map(\.action)
        #expect(actions == ["rotation-issuing", "rotation-withdrawing", "rotation-completed"])
    }

    @Test(arguments: [
        MemoryLedger.Call.load, .replicaRows, .report, .outstandingLeaves, .revision,
    ])
    func `while the ledger does not answer a question no gate opens, and afterwards all goes on`(call: MemoryLedger.Call)
        async throws
    {
        let cluster = try await Self.cluster()
        let proxy = try await FollowingProxy.connected("payments", at: cluster.first)
        try await cluster.share("corp", "payments")
        for replica in cluster.replicas { replica.ledger.setLasting(.unavailable, for: [call]) }
        @Sendable func asked() -> Int { cluster.replicas.map { $0.ledger.count(of: call) }.reduce(0, +) }
        let before = asked()
        try await cluster.whileRunning {
            try await cluster.awaitThat("the questions") {
                try await proxy.follow()
                Self.expectLaws(cluster)
                return asked() >= before + 8
            }
            #expect(cluster.running.count == 1)
            for replica in cluster.replicas { replica.ledger.setLasting(nil) }
            try await cluster.awaitEnd { try await proxy.follow() }
        }
        Self.expectLaws(cluster)
        #expect(cluster.rotations.map(\.rotation.phase) == [.completed])
    }

    @Test(arguments: Failure.allCases)
    func `a way back whose commit fails leaves the way that was`(how: Failure) async throws {
        let cluster = try await Self.cluster()
        try await cluster.share("corp", "payments")
        cluster.first.ledger.inject(how.fault, into: .commit)
        _ = try await failure { try await cluster.unshare("corp", "payments") }
        Self.expectLaws(cluster)
        let isMade = how == .lostAnswer
        #expect(cluster.rotations.last?.rotation.phase == (isMade ? .reverting : .distributing))
        #expect(try (cluster.mesh("payments").enabledAuthority == "payments.ca-1") == isMade)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        Self.expectLaws(cluster)
        #expect(cluster.rotations.last?.rotation.phase == (isMade ? .aborted : .completed))
    }
}
