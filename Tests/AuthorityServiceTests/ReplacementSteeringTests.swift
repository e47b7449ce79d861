import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What operators tell a replacement to do, and what it refuses.
@Suite("Steering of replacements", .timeLimit(.minutes(3)))
struct ReplacementSteeringTests {
    private static let alice = Service.administrator

    @Test func `a manual one waits at each open gate for an operator's word`() async throws {
        let world = try await SharedWorld()
        let cluster = world.cluster
        let rotation = try await world.rotate(isManual: true)
        let phases: [Rotation.Phase] = [.distributing, .issuing, .withdrawing, .completed]
        try await cluster.whileRunning {
            for (phase, next) in zip(phases, phases.dropFirst()) {
                // A gate that holds is not passed by a word alone, and says whom it waits for.
                let held = try await failure { try await world.steer(.advance(force: false)) }
                #expect(held.isConflict && held.text.contains("signet rotation status \(rotation.id)"), "\(held.text)")
                #expect(try world.rotation.phase == phase)
                try await cluster.awaitThat("the open gate") {
                    try await world.follow()
                    return try await cluster.gate()?.isOpen == true
                }
                try await cluster.linger { try await world.follow() }
                #expect(try world.rotation.phase == phase)
                let overview = try await world.steer(.advance(force: false))
                #expect(overview.rotation.phase == next && overview.leftBehind.isEmpty)
                #expect(overview.events.last?.event == next.rawValue && overview.events.last?.actor == "user:alice")
                cluster.expectLaws()
                try world.expectTalk()
            }
        }
        world.expectSettled(on: rotation.to)
    }

    @Test(arguments: [Rotation.Phase.distributing, .issuing, .withdrawing])
    func `a paused one stays in its phase until it is resumed`(phase: Rotation.Phase) async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(phase) { try await world.follow(bundles: $0, leaf: $1) }
            let notPaused = try await failure { try await world.steer(.resume) }
            #expect(notPaused.isConflict && notPaused.text.contains("is not paused"), "\(notPaused.text)")
            #expect(try await world.steer(.pause).rotation.isPaused)
            let again = try await failure { try await world.steer(.pause) }
            #expect(again.isConflict && again.text.contains("paused already"), "\(again.text)")
            try await cluster.awaitThat("the open gate") {
                try await world.follow()
                return try await cluster.gate()?.isOpen == true
            }
            try await cluster.linger { try await world.follow() }
            #expect(try world.rotation.phase == phase && world.rotation.isPaused)
            try world.expectTalk()
            #expect(try await world.steer(.resume).rotation.isPaused == false)
            try await cluster.awaitEnd { try await world.follow() }
        }
        world.expectSettled(on: rotation.to)
        let events = try await world.events()
        let at = try #require(events.firstIndex(of: phase.rawValue))
        #expect(events[(at + 1)...].prefix(2) == ["paused", "resumed"])
        #expect(try world.audited().contains("rotation-paused") && world.audited().contains("rotation-resumed"))
    }

    @Test(arguments: SharedWorld.Ownership.allCases, [Rotation.Phase.distributing, .issuing])
    func `one that is aborted leaves all as before, without a connection lost, and holds rotation by age`(
        ownership: SharedWorld.Ownership, phase: Rotation.Phase
    ) async throws {
        let world = try await SharedWorld(ownership)
        let cluster = world.cluster
        let old = try world.active
        let rotation = try await world.rotate(isManual: true)
        try await cluster.whileRunning {
            if phase == .issuing {
                try await cluster.awaitThat("issuing") {
                    try await world.follow()
                    guard try await cluster.gate()?.isOpen == true else { return false }
                    return try await world.steer(.advance(force: false)).rotation.phase == .issuing
                }
                // Some have leaves of the new root and its cross certificate, some of the old.
                try await world.proxies[0].follow()
                #expect(world.proxies[0].leaf?.issuer == rotation.to)
                try world.expectTalk()
            }
            let overview = try await world.steer(.abort, reason: "not today")
            #expect(overview.rotation.phase == .reverting && overview.events.last?.detail == "not today")
            cluster.expectLaws()
            try world.expectTalk()
            let twice = try await failure { try await world.steer(.abort) }
            // Where no proxy has a leaf of it yet, the replicas may have taken it all back by now.
            let isOver = phase == .distributing && twice.text.contains("has ended")
            #expect(twice.isConflict && (isOver || twice.text.contains("on its way back")), "\(twice.text)")
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
            }
        }
        world.expectSettled(on: old)
        #expect(try world.rotation.phase == .aborted)
        #expect(world.proxies.allSatisfy { $0.leaf?.issuer == old })
        #expect(world.state.certificateAuthorities[world.name]?.authority.isAutomaticHeld == true)
        #expect(world.meshes.allSatisfy { world.state.meshIssuers[$0]?[rotation.to] == .retired })
        for order in [RotationOrder.abort, .pause, .advance(force: false), .advance(force: true)] {
            let error = try await failure { try await world.steer(order, reason: "late") }
            #expect(error.isConflict && error.text.contains("has ended"), "\(error.text)")
        }
        // Resumed, rotations by age begin again; more there is not to resume.
        let resumed = try await world.steer(.resume)
        #expect(resumed.rotation.phase == .aborted && resumed.events.last?.event == "resumed")
        #expect(world.state.certificateAuthorities[world.name]?.authority.isAutomaticHeld == false)
        #expect(try world.audited(world.name).last == "automatic-rotation-resumed")
        #expect(try await failure { try await world.steer(.resume) }.isConflict)
    }

    @Test func `another start after an abort lets rotation by age begin again too`() async throws {
        let world = try await SharedWorld(.own)
        try await world.rotate()
        _ = try await world.steer(.abort)
        try await world.cluster.whileRunning { try await world.cluster.awaitEnd { try await world.follow() } }
        #expect(world.state.certificateAuthorities[world.name]?.authority.isAutomaticHeld == true)
        // A document that is applied again does not release it.
        _ = try await world.cluster.authority.put(world.cluster.mesh("payments"), ifMatch: nil, by: Self.alice)
        #expect(world.state.certificateAuthorities[world.name]?.authority.isAutomaticHeld == true)
        let rotation = try await world.rotate()
        #expect(world.state.certificateAuthorities[world.name]?.authority.isAutomaticHeld == false)
        try await world.cluster.whileRunning {
            try await world.cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
            }
        }
        world.expectSettled(on: rotation.to)
    }

    @Test func `from withdrawing there is no way back, and the refusal says so`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.approach(.withdrawing) { try await world.follow(bundles: $0, leaf: $1) }
            let before = world.state
            let error = try await failure { try await world.steer(.abort) }
            #expect(error.isConflict && error.text.contains("no way back"), "\(error.text)")
            #expect(world.state == before)
        }
    }

    @Test func `a forced one names whom it leaves behind, in the answer, its events and the audit trail`() async throws {
        let world = try await SharedWorld()
        let cluster = world.cluster
        let (silent, refusing) = (world.proxies[0], world.proxies[1])
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            refusing.reject(.peers, saying: "no such thing")
            try await cluster.awaitThat("the two blockers") {
                try await world.proxies[2].follow()
                return try await cluster.gate()?.pendingCount == 2
            }
            let before = world.state
            for reason in [nil, "", "  "] {
                let error = try await failure { try await world.steer(.advance(force: true), reason: reason) }
                #expect(error.fields == ["reason"])
            }
            let long = String(repeating: "x", count: 2001)
            #expect(try await failure { try await world.steer(.advance(force: true), reason: long) }.fields == ["reason"])
            #expect(world.state == before)
            let overview = try await world.steer(.advance(force: true), reason: "maintenance of two hosts")
            #expect(overview.rotation.phase == .issuing)
            #expect(Set(overview.leftBehind.map(\.identity)) == [silent.caller.identity, refusing.caller.identity])
            #expect(Set(overview.leftBehind.map(\.reason)) == [.pending, .rejected])
            #expect(overview.events.map(\.event) == ["distributing", "forced", "issuing"])
            let detail = try #require(overview.events.first { $0.event == "forced" }?.detail)
            #expect(detail.contains("maintenance of two hosts") && detail.contains(silent.caller.identity.uri))
            let entry = try #require(cluster.disk.store.audit.last { $0.action == "rotation-forced" })
            #expect(entry.actor == "user:alice" && entry.object == rotation.id && entry.details["left-behind"] == "2")
            #expect(entry.details["reason"] == "maintenance of two hosts" && entry.details["phase"] == "distributing")
            #expect(entry.details["left-behind-names"]?.contains(refusing.caller.identity.uri) == true)
            // The third has a new leaf; the two with their old bundles take it, for its cross certificate.
            try await world.proxies[2].follow()
            #expect(world.proxies[2].leaf?.issuer == rotation.to)
            try world.expectTalk()
            // Who was left behind holds the next gate as well, until it follows.
            try await cluster.linger { try await world.proxies[2].follow() }
            #expect(try world.rotation.phase == .issuing)
            try await cluster.awaitEnd {
                try await world.follow()
                try world.expectTalk()
            }
        }
        world.expectSettled(on: rotation.to)
    }

    @Test func `an open gate that is forced leaves nobody behind, and is no force`() async throws {
        let world = try await SharedWorld(.own)
        try await world.rotate(isManual: true)
        try await world.cluster.whileRunning {
            try await world.cluster.awaitThat("the open gate") {
                try await world.follow()
                return try await world.cluster.gate()?.isOpen == true
            }
            let overview = try await world.steer(.advance(force: true), reason: "to be sure")
            #expect(overview.leftBehind.isEmpty && overview.events.map(\.event) == ["distributing", "issuing"])
        }
        #expect(try world.audited() == ["rotation-started", "rotation-issuing"])
    }

    @Test func `nothing forces a gate past a replica that has not confirmed it`() async throws {
        let world = try await SharedWorld(.own, replicas: 2)
        let cluster = world.cluster
        try await world.rotate()
        // The second replica lives, and does not go on.
        let alone = Cluster(clock: cluster.clock, disk: cluster.disk, replicas: [cluster.first])
        try await alone.whileRunning {
            try await alone.awaitThat("the replica among the blockers") {
                try await world.proxies[0].follow()
                return try await alone.gate()?.blockers.first?.reason == .replica
            }
            let before = world.state
            let error = try await failure { try await world.steer(.advance(force: true), reason: "now") }
            #expect(error.isConflict && error.text.contains("replica"), "\(error.text)")
            #expect(world.state == before)
        }
        try await cluster.whileRunning { try await cluster.awaitEnd { try await world.follow() } }
        #expect(try world.rotation.phase == .completed)
    }

    @Test func `an unknown rotation is told as such, and a move is aborted as its document would`() async throws {
        let world = try await SharedWorld(.own)
        let unknown = try await failure {
            try await world.authority.steer("rot-0000000000000000", .pause, reason: nil, by: Self.alice)
        }
        #expect(unknown.isNotFound)
        let cluster = world.cluster
        try await cluster.makeAuthority("corp")
        let before = try cluster.mesh("payments")
        try await cluster.share("corp", "payments")
        let overview = try await world.steer(.abort)
        #expect(overview.rotation.phase == .reverting)
        #expect(try cluster.mesh("payments") == before)
        try await cluster.whileRunning { try await cluster.awaitEnd { try await world.follow() } }
        #expect(world.state.certificateAuthorities["corp"]?.authority.isAutomaticHeld == false)
        #expect(try await failure { try await world.steer(.resume) }.isConflict)
    }

    @Test func `a mesh that leaves a shared CA comes back to it when that is aborted, though its document names it no more`()
        async throws
    {
        let world = try await SharedWorld(.shared)
        let cluster = world.cluster
        let payments = try MeshName("payments")
        let shared = try #require(cluster.state.activeIssuer(of: payments)?.certificateAuthority)
        _ = try await cluster.authority.unshare(shared, from: payments, by: Self.alice)
        #expect(try cluster.mesh("payments").enabledAuthority != shared)
        let overview = try await world.steer(.abort)
        #expect(overview.rotation.phase == .reverting)
        #expect(try cluster.mesh("payments").enabledAuthority == shared)
        try await cluster.whileRunning { try await cluster.awaitEnd { try await world.follow() } }
        #expect(cluster.state.activeIssuer(of: payments)?.certificateAuthority == shared)
    }

    @Test func `an order that races with the driver is judged anew, never lost`() async throws {
        let world = try await SharedWorld(.own)
        let cluster = world.cluster
        try await world.rotate()
        let gate = LedgerGate()
        try await cluster.whileRunning {
            // The order's commit waits while the driver goes on.
            cluster.first.ledger.inject(.delayed(gate), into: .commit)
            async let overview = world.steer(.pause)
            #expect(await gate.awaitArrival())
            let second = try Service(
                ledger: MemoryLedger(disk: cluster.disk, now: { cluster.clock.now }), clock: cluster.clock,
                keyEncryptionKey: cluster.first.keyEncryptionKey, settings: cluster.authority.settings)
            try await second.authority.start()
            _ = try await second.authority.steer(world.rotation.id, .abort, reason: nil, by: Self.alice)
            gate.open()
            let phase = try await overview.rotation.phase
            #expect(phase == .reverting)
        }
        #expect(try world.rotation.isPaused && world.rotation.phase == .reverting)
    }
}
