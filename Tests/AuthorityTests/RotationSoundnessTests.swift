import Authority
import PKI
import Testing

/// What is not to be done to a rotation: by hand in its row, or when its roots have ended.
@Suite("Sound rotations")
struct RotationSoundnessTests {
    let now = Fixture.now

    @Test func `in every phase that the service itself brings about, the row makes sense`() throws {
        var forth = try ReplacementBench()
        for _ in 0..<3 {
            #expect(try forth.bench.state.defect(of: forth.entry) == nil)
            try forth.advance()
        }
        for steps in 0...1 {
            var back = try ReplacementBench()
            try back.advance(steps)
            try back.bench.order(.abort, back.id)
            while let entry = back.bench.state.rotations[back.id] {
                #expect(back.bench.state.defect(of: entry) == nil)
                try back.advance()
            }
        }
        var bench = try ReplacementBench.meshes()
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        let move = try #require(try bench.put(document.sharing("corp")))
        while let entry = bench.state.rotations[move.id] {
            #expect(bench.state.defect(of: entry) == nil)
            try bench.advance(move.id)
        }
    }

    @Test func `a row that was edited by hand into nonsense is named with the column`() throws {
        let world = try ReplacementBench()
        let state = world.bench.state
        func defect(_ edit: (inout AuthorityState.RotationEntry) throws -> Void) throws -> String {
            var entry = try world.entry
            try edit(&entry)
            return try #require(state.defect(of: entry)).detail
        }
        #expect(try defect { $0.rotation.to = IssuerID(random: [1, 2, 3, 4, 5, 6, 7, 8]) }.contains("to_issuer"))
        #expect(try defect { $0.rotation.from = IssuerID(random: [1, 2, 3, 4, 5, 6, 7, 8]) }.contains("from_issuer"))
        #expect(try defect { $0.rotation.certificateAuthority = "spare" }.contains("'spare' has no issuer"))
        #expect(try defect { $0.rotation.meshes.append(try MeshName("nobody")) }.contains("no mesh 'nobody'"))
        #expect(try defect { $0.revision = state.revision + 1 }.contains("revision"))
        #expect(try defect { $0.revision = -5 }.contains("revision"))
        for phase in [Rotation.Phase.issuing, .withdrawing] {
            #expect(try defect { $0.rotation.phase = phase }.contains("cannot be active and prepared"))
        }
    }

    @Test func `there is no way back to a root that has ended`() throws {
        var world = try ReplacementBench()
        let end = try #require(world.bench.state.issuers[world.from]).notAfter
        let early = try world.rotation
        #expect(throws: Never.self) { try world.bench.state.transition(of: early, by: .abort, at: end) }
        try world.advance()
        let rotation = try world.rotation
        let words = refusal { try world.bench.state.transition(of: rotation, by: .abort, at: end) }
        #expect(words?.contains("has ended") == true && words?.contains("go on") == true)
        #expect(throws: Never.self) { try world.bench.state.transition(of: rotation, by: .abort, at: end - .seconds(1)) }
    }

    @Test func `once the old root has ended the new one signs though proxies are behind and nothing covers them`() throws {
        let world = try ReplacementBench(isCovered: false)
        let end = try #require(world.bench.state.issuers[world.from]).notAfter
        let held = RotationGate.held(by: try world.blocker(1, .rejected))
        #expect(try !world.bench.state.isForcedByClock(world.rotation, gate: held, at: end - .seconds(1)))
        #expect(try world.bench.state.isForcedByClock(world.rotation, gate: held, at: end))
    }

    @Test func `a root that is of age and hindered is named with what hinders it`() throws {
        var bench = try ReplacementBench.meshes()
        let due = now + .seconds(86_400 * (3650 - 10))
        #expect(bench.state.obstaclesToRotation(at: due).isEmpty)
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        let move = try #require(try bench.put(document.sharing("corp")))
        #expect(bench.state.obstaclesToRotation(at: due)["corp"]?.detail.contains(move.id) == true)
        #expect(bench.state.obstaclesToRotation(at: now).isEmpty)
    }

    @Test func `a paused one is not advanced, not even by force`() throws {
        var world = try ReplacementBench()
        try world.bench.order(.pause, world.id)
        let rotation = try world.rotation
        for force in [false, true] {
            #expect(refusal { try world.bench.state.transition(of: rotation, by: .advance(force: force), at: now) } != nil)
        }
    }

    @Test func `of a CA whose roots are brought a root is revoked without another where nobody needs one`() throws {
        var state = try ReplacementBench.meshes().state
        state.certificateAuthorities["spare"]?.authority.origin = .provided
        let root = try #require(state.currentIssuer(of: "spare", at: now))
        let plan = try state.revocation(of: root.id, in: "spare", crossSigners: [], at: now)
        #expect(!plan.needsRoot && plan.outcomes.isEmpty)
    }
}
