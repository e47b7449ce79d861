import Authority
import PKI
import Testing

/// What an operator may tell a rotation, and what it is refused.
@Suite("Orders to a rotation")
struct RotationOrderTests {
    let now = Fixture.now

    private static func at(_ phase: Rotation.Phase) throws -> ReplacementBench {
        var world = try ReplacementBench()
        switch phase {
        case .distributing: break
        case .issuing: try world.advance()
        case .withdrawing: try world.advance(2)
        case .reverting:
            try world.advance()
            try world.bench.order(.abort, world.id)
        case .completed: try world.advance(3)
        case .aborted:
            try world.bench.order(.abort, world.id)
            try world.advance()
        }
        #expect(try world.rotation.phase == phase)
        return world
    }

    private func refused(_ order: RotationOrder, _ world: ReplacementBench, gate: RotationGate? = nil) throws -> String? {
        let rotation = try world.rotation
        return refusal { try world.bench.state.transition(of: rotation, by: order, gate: gate, at: now) }
    }

    // MARK: - Abort

    @Test(arguments: Rotation.Phase.allCases)
    func `abort leads back from distributing and issuing, and from nowhere else`(phase: Rotation.Phase) throws {
        var world = try Self.at(phase)
        switch phase {
        case .distributing, .issuing:
            try world.bench.order(.abort, world.id, at: now + .seconds(3))
            #expect(try world.rotation.phase == .reverting && world.rotation.phaseSince == now + .seconds(3))
        case .withdrawing:
            let words = try #require(try refused(.abort, world))
            #expect(words.contains("no way back") && words.contains("start another rotation"))
        case .reverting: #expect(try refused(.abort, world)?.contains("on its way back already") == true)
        case .aborted, .completed: #expect(try refused(.abort, world)?.contains("has ended") == true)
        }
    }

    @Test func `the way back asks for nobody's word`() throws {
        for steps in 0...1 {
            var world = try ReplacementBench(isManual: true)
            try world.advance(steps)
            try world.bench.order(.pause, world.id)
            try world.bench.order(.abort, world.id)
            #expect(try !world.rotation.isManual && !world.rotation.isPaused)
        }
    }

    @Test func `after an abort no rotation starts by age until another was started`() throws {
        var world = try ReplacementBench()
        let due = now + .seconds(86_400 * (3650 - 10))
        try world.bench.order(.abort, world.id)
        try world.advance()
        #expect(!world.bench.state.authoritiesDue(at: due).contains("corp"))
        let second = try world.bench.replace("corp")
        try world.bench.complete(second.id)
        #expect(world.bench.state.authoritiesDue(at: due).contains("corp"))
    }

    // MARK: - Pause, resume, manual

    @Test(arguments: [Rotation.Phase.distributing, .issuing, .reverting, .withdrawing])
    func `paused it stays in its phase, whatever its gate, until it is resumed`(phase: Rotation.Phase) throws {
        var world = try Self.at(phase)
        let states = world.bench.state.meshIssuers
        var pacer = RotationPacer(dwell: .zero)
        func goesOn(_ entry: AuthorityState.RotationEntry, after time: Duration = .zero) -> Bool {
            pacer.goesOn(entry, gate: ReplacementBench.open, at: now + time)
        }
        #expect(try refused(.resume, world)?.contains("not paused") == true)
        try world.bench.order(.pause, world.id)
        #expect(try world.rotation.phase == phase && world.rotation.isPaused && world.bench.state.meshIssuers == states)
        #expect(try refused(.pause, world)?.contains("paused already") == true)
        #expect(try !goesOn(world.entry))
        try world.bench.order(.resume, world.id)
        #expect(try !world.rotation.isPaused && world.rotation.phase == phase)
        #expect(try goesOn(world.entry))
    }

    @Test(arguments: [Rotation.Phase.aborted, .completed])
    func `what has ended takes no order`(phase: Rotation.Phase) throws {
        let world = try Self.at(phase)
        for order in [RotationOrder.abort, .advance(force: false), .advance(force: true), .pause, .resume] {
            #expect(try refused(order, world, gate: ReplacementBench.open)?.contains(phase.rawValue) == true)
        }
    }

    @Test func `the dwell begins anew when it is resumed`() throws {
        var world = try ReplacementBench()
        var pacer = RotationPacer(dwell: .seconds(2))
        func goesOn(_ entry: AuthorityState.RotationEntry, after time: Duration = .zero) -> Bool {
            pacer.goesOn(entry, gate: ReplacementBench.open, at: now + time)
        }
        #expect(try !goesOn(world.entry))
        try world.bench.order(.pause, world.id)
        #expect(try !goesOn(world.entry, after: .seconds(2)))
        try world.bench.order(.resume, world.id)
        #expect(try !goesOn(world.entry, after: .seconds(3)))
        #expect(try goesOn(world.entry, after: .seconds(5)))
    }

    @Test func `manual, each open gate waits for a word, and stays manual`() throws {
        var world = try ReplacementBench(isManual: true)
        var pacer = RotationPacer(dwell: .zero)
        func goesOn(_ entry: AuthorityState.RotationEntry, after time: Duration = .zero) -> Bool {
            pacer.goesOn(entry, gate: ReplacementBench.open, at: now + time)
        }
        for phase in [Rotation.Phase.issuing, .withdrawing, .completed] {
            for second in 0..<5 {
                #expect(try !goesOn(world.entry, after: .seconds(Int64(second))))
            }
            try world.bench.order(.advance(force: false), world.id, gate: ReplacementBench.open)
            #expect(try world.rotation.phase == phase && world.rotation.isManual)
        }
    }

    // MARK: - Advance

    @Test(arguments: [Rotation.Phase.distributing, .issuing, .reverting, .withdrawing])
    func `a gate that holds is not passed, and it says for how many; forced it is`(phase: Rotation.Phase) throws {
        var world = try Self.at(phase)
        let held = RotationGate.held(by: try world.blocker(1), try world.blocker(2, .silent))
        let before = world.bench.state
        let words = try #require(try refused(.advance(force: false), world, gate: held))
        #expect(words.contains("holds for 2") && words.contains(phase.rawValue) && words.contains(world.id))
        #expect(try refused(.advance(force: false), world, gate: nil) != nil)
        #expect(world.bench.state == before)
        let natural = try #require(world.bench.state.advance(try world.rotation, at: now))
        let transition = try world.bench.order(.advance(force: true), world.id, gate: held)
        #expect(transition == natural)
    }

    @Test(arguments: [Rotation.Phase.distributing, .issuing, .reverting, .withdrawing])
    func `nothing forces a gate past a replica, nor one that nobody has judged`(phase: Rotation.Phase) throws {
        let world = try Self.at(phase)
        let silent = try world.gate([])
        let unconfirmed = try world.gate([world.report("r1"), ReplicaReport(replica: "r2", revision: 0, rotations: [:])])
        for gate in [nil, silent, unconfirmed] {
            #expect(try refused(.advance(force: true), world, gate: gate)?.contains("a replica") == true)
        }
        if phase == .distributing {
            let unable = try world.gate([world.report("r1", hasIssuing: false)])
            #expect(try refused(.advance(force: true), world, gate: unable)?.contains("a replica") == true)
        }
    }

    @Test func `a replica that cannot sign under a root that signs already holds up nothing more`() throws {
        for phase in [Rotation.Phase.issuing, .withdrawing] {
            let world = try Self.at(phase)
            #expect(try world.gate([world.report(hasIssuing: false)]).isOpen)
        }
    }

    // MARK: - Moves and revocations

    @Test func `a revocation is neither paused nor called off`() throws {
        var bench = try ReplacementBench.meshes()
        let root = try #require(bench.state.currentIssuer(of: "corp", at: now)?.id)
        let rotation = try #require(try bench.revoke(root, of: "corp").rotation)
        for order in [RotationOrder.abort, .pause, .resume] {
            #expect(refusal { try bench.state.transition(of: rotation, by: order, at: now) } != nil)
        }
        #expect(bench.state.revert(rotation, at: now) == nil)
        let back = refusal { try bench.state.transition(of: rotation, by: .abort, at: now) }
        #expect(back?.contains("revoked root") == true)
        try bench.order(.advance(force: true), rotation.id, gate: .held(by: ReplacementBench().blocker(1)))
        #expect(bench.ended.last?.phase == .completed)
    }

    @Test func `a move takes the same orders`() throws {
        var bench = try ReplacementBench.meshes()
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        let move = try #require(try bench.put(document.sharing("corp")))
        try bench.order(.pause, move.id)
        try bench.order(.resume, move.id)
        let held = RotationGate.held(by: try ReplacementBench().blocker(1))
        #expect(refusal { try bench.state.transition(of: move, by: .advance(force: false), gate: held, at: now) } != nil)
        try bench.order(.advance(force: true), move.id, gate: held)
        #expect(bench.state.rotations[move.id]?.rotation.phase == .issuing)
        try bench.order(.abort, move.id)
        #expect(bench.state.rotations[move.id]?.rotation.phase == .reverting)
    }
}
