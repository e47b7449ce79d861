import Authority
import PKI
import Testing

/// The paths of a replacement of a root for all meshes of its certificate authority, and what its gates wait for.
@Suite("Replacements of a root")
struct ReplacementTests {
    let now = Fixture.now

    // MARK: - Paths

    @Test func `a replacement takes all meshes of the CA through its phases together`() throws {
        var world = try ReplacementBench()
        #expect(try world.rotation.meshes.map(\.name) == ["a", "b"])
        let path: [(Rotation.Phase, [IssuerState?], RotationStep?)] = [
            (.distributing, [.active, .prepared], .distribute(isCovered: true)),
            (.issuing, [.outgoing, .active], .issue(from: world.from, to: world.to)),
            (.withdrawing, [.retired, .active], .withdraw),
            (.completed, [.retired, .active], nil),
        ]
        for (number, (phase, states, step)) in path.enumerated() {
            let rotation = try world.rotation
            #expect(rotation.phase == phase)
            #expect(world.bench.state.step(of: rotation) == step)
            for mesh in ["a", "b"] { #expect(try world.states(mesh) == states) }
            #expect(try world.states("c") == [nil, nil])
            if phase.isRunning { try world.advance(at: now + .seconds(Int64(number))) }
        }
        let ended = try world.rotation
        #expect(ended.startedAt == now && ended.endedAt == now + .seconds(2) && ended.phaseSince == now + .seconds(2))
        #expect(world.bench.state.currentIssuer(of: "corp", at: now)?.id == world.to)
    }

    @Test func `its meshes accept each other all the way, and bind both roots until the old one goes`() throws {
        var world = try ReplacementBench()
        for roots in [2, 2, 1, 1] {
            let context = try world.bench.state.validationContext(.peers, for: Fixture.caller(mesh: "a"))
            #expect(Set(context.trustDomains.keys.map(\.name)) == ["a", "b", "c"])
            for mesh in ["a", "b"] { #expect(context.trustDomains[try TrustDomain(mesh)]?.count == roots) }
            if world.bench.state.rotations[world.id] != nil { try world.advance() }
        }
    }

    @Test func `chains carry the cross certificate from the moment the new root signs until the rotation has ended`() throws {
        for (path, carried) in [
            ("+++", [false, true, true, false]), ("-+", [false, false, false]), ("+-++", [false, true, false]),
        ] {
            var world = try ReplacementBench()
            let cross = try #require(try world.rotation.crossCertificate)
            for (index, isCarried) in carried.enumerated() {
                #expect(world.bench.state.crossCertificates == (isCarried ? [world.to: cross] : [:]), "\(path) \(index)")
                guard let step = path.dropFirst(index).first else { break }
                if step == "+" { try world.advance() } else { try world.bench.order(.abort, world.id) }
            }
        }
    }

    @Test func `of a proxy that was away all along both directions hold while its certificate lives, by the cross certificate`()
        throws
    {
        for isCovered in [true, false] {
            var world = try ReplacementBench()
            let caller = try Fixture.caller(mesh: "a")
            let root = { (id: IssuerID) in world.bench.state.issuers[id]?.certificate ?? [] }
            let (old, new) = (root(world.from), root(world.to))
            let domain = try TrustDomain("a")
            // What it had when it was stopped.
            let kept = try #require(try world.bench.state.validationContext(.peers, for: caller).trustDomains[domain])
                .filter { $0 != new }
            try world.advance()
            let chain = [new] + (isCovered && world.bench.state.crossCertificates[world.to] != nil ? [old] : [])
            let current = try #require(try world.bench.state.validationContext(.peers, for: caller).trustDomains[domain])
            #expect(current.contains(old))
            #expect(chain.contains { kept.contains($0) } == isCovered)
        }
    }

    @Test func `called off while distributing, the new root goes at once, for all`() throws {
        var world = try ReplacementBench()
        try world.bench.order(.abort, world.id)
        #expect(try world.rotation.phase == .reverting && world.bench.state.step(of: world.rotation) == .withdraw)
        for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.active, .retired]) }
        try world.advance()
        #expect(try world.rotation.phase == .aborted && world.rotation.endedAt != nil)
        #expect(world.bench.state.currentIssuer(of: "corp", at: now)?.id == world.from)
    }

    @Test func `called off while issuing, the roles are exchanged for all, and the same gates lead back`() throws {
        var world = try ReplacementBench()
        try world.advance()
        try world.bench.order(.abort, world.id)
        #expect(try world.rotation.phase == .reverting)
        for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.active, .outgoing]) }
        #expect(world.bench.state.step(of: try world.rotation) == .issue(from: world.to, to: world.from))
        try world.advance()
        #expect(try world.rotation.phase == .reverting && world.bench.state.step(of: world.rotation) == .withdraw)
        for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.active, .retired]) }
        try world.advance()
        #expect(try world.rotation.phase == .aborted)
    }

    @Test func `at no point of any path has a mesh two active issuers, or none, nor is it in two rotations`() throws {
        for path in ["+++", "-+", "+-++"] {
            var world = try ReplacementBench()
            for step in path {
                for mesh in world.bench.state.meshes.keys {
                    #expect((world.bench.state.meshIssuers[mesh] ?? [:]).values.filter { $0 == .active }.count == 1)
                    #expect(world.bench.state.rotations.values.filter { $0.rotation.meshes.contains(mesh) }.count <= 1)
                }
                if step == "+" { try world.advance() } else { try world.bench.order(.abort, world.id) }
            }
            #expect(world.bench.state.rotations.isEmpty)
        }
    }

    @Test func `a replacement for one that nobody uses goes through without a change to anybody`() throws {
        for path in ["+++", "-+"] {
            var bench = try ReplacementBench.meshes()
            let before = bench.state.meshIssuers
            let rotation = try bench.replace("spare")
            #expect(rotation.meshes.isEmpty && rotation.from != rotation.to)
            for step in path { if step == "+" { try bench.advance(rotation.id) } else { try bench.order(.abort, rotation.id) } }
            #expect(bench.state.rotations.isEmpty && bench.state.meshIssuers == before)
        }
    }

    @Test func `a mesh's own root is replaced as a shared one is`() throws {
        var bench = try ReplacementBench.meshes()
        let rotation = try bench.replace("c.ca-1")
        #expect(rotation.meshes.map(\.name) == ["c"] && rotation.kind == .replace)
        try bench.complete(rotation.id)
        #expect(bench.state.activeIssuer(of: try MeshName("c"))?.id == rotation.to)
    }

    @Test func `another key type in place of the old starts the replacement of a mesh's own root`() throws {
        var bench = try ReplacementBench.meshes()
        var mesh = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        mesh.mtls?.backends = [Fixture.backend("ca-1", keyAlgorithm: .ecP384)]
        let rotation = try #require(try bench.put(mesh))
        #expect(rotation.kind == .replace && rotation.phase == .distributing && rotation.certificateAuthority == "c.ca-1")
        #expect(bench.state.certificateAuthorities["c.ca-1"]?.authority.keyAlgorithm == .ecP384)
        // While it runs, neither back nor on to a third.
        for algorithm in [KeyAlgorithm.ecP256, .rsa2048] {
            mesh.mtls?.backends = [Fixture.backend("ca-1", keyAlgorithm: algorithm)]
            #expect(refusal { try bench.state.directives(toApply: mesh, connected: [], at: now) }?.contains(rotation.id) == true)
        }
        try bench.complete(rotation.id)
        #expect(bench.state.activeIssuer(of: try MeshName("c"))?.id == rotation.to)
    }

    // MARK: - Who may not move meanwhile

    @Test func `a mesh neither joins nor leaves a CA in rotation, nor switches mTLS off, and is told which rotation`() throws {
        for steps in 0...2 {
            var world = try ReplacementBench()
            try world.advance(steps)
            let (a, c) = try (
                #require(world.bench.state.meshes[try MeshName("a")]?.mesh),
                #require(world.bench.state.meshes[try MeshName("c")]?.mesh)
            )
            var off = a
            off.mtls?.enabledBackend = nil
            for next in [c.sharing("corp"), a.leaving("corp", for: nil), a.sharing("spare"), off] {
                let words = refusal { try world.bench.state.directives(toApply: next, connected: [], leave: true, at: now) }
                #expect(words?.contains(world.id) == true, "\(next)")
            }
            // What does not concern the certificate authority may change.
            var isolated = a
            isolated.isolated = true
            #expect(throws: Never.self) { try world.bench.put(isolated) }
            world = try ReplacementBench()
            try world.bench.complete(world.id)
            #expect(throws: Never.self) { try world.bench.put(c.sharing("corp")) }
        }
    }

    @Test func `an unchanged document is no change to a mesh in rotation`() throws {
        for steps in 0...2 {
            var world = try ReplacementBench()
            try world.advance(steps)
            for entry in world.bench.state.meshes.values {
                #expect(try world.bench.state.directives(toApply: entry.mesh, connected: [], at: now).isEmpty)
            }
        }
    }

    // MARK: - Terms

    @Test func `the root of a CA that is not there, or is in rotation, is not replaced`() throws {
        let world = try ReplacementBench()
        #expect(refusal { try world.bench.state.replacementTerms(of: "nobody", at: now) }?.contains("'nobody'") == true)
        var again = world
        for _ in 0..<3 {
            let words = refusal { try again.bench.state.replacementTerms(of: "corp", at: now) }
            #expect(try words?.contains(again.id) == true && words?.contains(again.rotation.phase.rawValue) == true)
            try again.advance()
        }
        #expect(try again.bench.state.replacementTerms(of: "corp", at: now).from.id == again.to)
        // On the way back too.
        again = world
        try again.bench.order(.abort, again.id)
        #expect(refusal { try again.bench.state.replacementTerms(of: "corp", at: now) }?.contains(again.id) == true)
        // Another's does not stand in the way.
        #expect(throws: Never.self) { try again.bench.state.replacementTerms(of: "c.ca-1", at: now) }
        // Nor does a certificate authority without a root become one with it.
        var fixture = try Fixture()
        fixture.add(authority: "empty", owner: nil)
        #expect(refusal { try fixture.state.replacementTerms(of: "empty", at: now) }?.contains("no root") == true)
    }

    @Test func `while a mesh is on its way to or from the CA its root is not replaced`() throws {
        // In, and out.
        for (mesh, backend) in [("c", "corp"), ("a", "spare")] {
            var bench = try ReplacementBench.meshes()
            let document = try #require(bench.state.meshes[try MeshName(mesh)]?.mesh)
            let move = try #require(try bench.put(document.sharing(backend), leave: true))
            while let phase = bench.state.rotations[move.id]?.rotation.phase {
                // A root that is bound nowhere any more hinders nobody.
                if mesh == "a", phase == .withdrawing {
                    #expect(try bench.state.replacementTerms(of: "corp", at: now).meshes.map(\.name) == ["b"])
                    break
                }
                let words = refusal { try bench.state.replacementTerms(of: "corp", at: now) }
                #expect(words?.contains(move.id) == true && words?.contains("'\(mesh)'") == true)
                try bench.advance(move.id)
            }
        }
    }

    @Test func `the root of a mesh's own CA that the mesh does not use is not replaced, for the next use makes another`() throws {
        var bench = try ReplacementBench.meshes()
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        let move = try #require(try bench.put(document.sharing("corp")))
        try bench.complete(move.id)
        let words = refusal { try bench.state.replacementTerms(of: "c.ca-1", at: now) }
        #expect(words?.contains("mesh 'c' does not use") == true)
    }

    @Test func `meshes that have different roots of one CA are a state that no rotation can mend, and it says so`() throws {
        var bench = try ReplacementBench.meshes()
        let rotation = try bench.replace("corp")
        try bench.complete(rotation.id)
        var state = bench.state
        state.meshIssuers[try MeshName("b")] = [rotation.from: .active]
        #expect(refusal { try state.replacementTerms(of: "corp", at: now) }?.contains("different roots") == true)
    }

    @Test func `of a CA that nobody uses the newest root that was not revoked goes out`() throws {
        var bench = try ReplacementBench.meshes()
        let first = try bench.state.replacementTerms(of: "spare", at: now)
        #expect(first.meshes.isEmpty)
        let rotation = try bench.replace("spare", at: now + .seconds(5))
        try bench.complete(rotation.id)
        #expect(try bench.state.replacementTerms(of: "spare", at: now).from.id == rotation.to)
        try bench.revoke(rotation.to, of: "spare", at: now + .seconds(86_400 * 8))
        #expect(try bench.state.replacementTerms(of: "spare", at: now).from.id == first.from.id)
    }

    // MARK: - Gates

    @Test func `with a cross certificate the distribution waits for the connected ones and the replicas alone`() throws {
        let world = try ReplacementBench(isCovered: true)
        let away = [try world.leaf(1), try world.leaf(2, mesh: "c"), try world.leaf(3, node: nil)]
        #expect(try world.gate([world.report()], outstanding: away).isOpen)
        #expect(try world.gate([world.report()], outstanding: nil).isOpen)
        #expect(try world.gate([world.report(lagging: [1])], outstanding: away, late: away).isOpen)
        let pending = try world.blocker(7)
        #expect(try world.gate([world.report(pending: [pending])]).blockers == [pending])
        #expect(try world.gate([world.report("r1"), world.report("r2", hasIssuing: false)]).blockers.map(\.proxy) == ["r2"])
        #expect(try !world.gate([]).isOpen)
    }

    @Test func `without one it waits for who is away too`() throws {
        let world = try ReplacementBench(isCovered: false)
        #expect(try world.bench.state.step(of: world.rotation) == .distribute(isCovered: false))
        for mesh in ["a", "b", "c"] {
            let gate = try world.gate([world.report(settled: [9])], outstanding: [world.leaf(1, mesh: mesh)])
            #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.away])
        }
        #expect(try !world.gate([world.report()], outstanding: nil).isOpen)
        #expect(try world.gate([world.report(settled: [1])], outstanding: [world.leaf(1)]).isOpen)
    }

    @Test func `nobody is left with the old root alone when the last chain with the cross certificate is made`() throws {
        // A proxy behind a door, whose own certificate is of another root: it was away while the new root was distributed.
        var world = try ReplacementBench()
        try world.advance()
        let early = [try world.leaf(1, mesh: "c")]
        let gate = try world.gate([world.report()], early: early)
        #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.away] && gate.blockers.map(\.proxy) == ["p1"])
        #expect(try world.gate([world.report(settled: [1])], early: early).isOpen)
        #expect(try !world.gate([world.report(settled: [1], lagging: [1])], early: early).isOpen)
        #expect(try !world.gate([world.report()], early: [world.leaf(1, mesh: "c", node: nil)]).isOpen)
        // Who was issued one later had the new root to fetch with it, and counts if it is known not to have done so.
        #expect(try world.gate([world.report()], late: [world.leaf(1)]).isOpen)
        #expect(try !world.gate([world.report(lagging: [1])], late: [world.leaf(1)]).isOpen)
        // Named once, for whichever reason.
        #expect(try world.gate([world.report()], outstanding: early, early: early).pendingCount == 1)
        // In no other phase, and nowhere without a cross certificate.
        try world.advance()
        #expect(try world.gate([world.report()], early: early).isOpen)
        var bare = try ReplacementBench(isCovered: false)
        try bare.advance()
        #expect(try bare.gate([bare.report()], early: early).isOpen)
        var back = try ReplacementBench()
        try back.advance()
        try back.bench.order(.abort, back.id)
        #expect(try back.gate([back.report()], early: early).isOpen)
    }

    @Test func `issuing waits for what the CA says, or the rotation in its place`() throws {
        for (retireAfter, isOpen) in [(RetireAfter.expired, false), (.reissued, true)] {
            var world = try ReplacementBench(retireAfter: retireAfter)
            #expect(try world.rotation.retireAfter == retireAfter)
            try world.advance()
            for mesh in ["a", "b"] {
                #expect(try world.gate([world.report(settled: [1])], outstanding: [world.leaf(1, mesh: mesh)]).isOpen == isOpen)
                #expect(try !world.gate([world.report()], outstanding: [world.leaf(1, mesh: mesh)]).isOpen)
            }
            #expect(try !world.gate([world.report()], outstanding: nil).isOpen)
        }
        var bench = try ReplacementBench.meshes(retireAfter: .expired)
        let rotation = try bench.replace("corp", retireAfter: .reissued)
        #expect(rotation.retireAfter == .reissued)
    }

    @Test func `a replica stands before any crowd among those that hold a gate`() throws {
        let world = try ReplacementBench()
        let crowd = { (start: Int) in try (start..<(start + 50)).map { try world.blocker($0) } }
        let reports = [
            try world.report("r1", pending: crowd(0)), try world.report("r2", pending: crowd(50)),
            try world.report("r3", hasIssuing: false),
        ]
        let gate = try world.gate(reports)
        #expect(gate.blockers.first?.reason == .replica && gate.blockers.count == RotationGate.mostBlockers)
        #expect(gate.pendingCount == 101)
        #expect(
            refusal { try world.bench.state.transition(of: world.rotation, by: .advance(force: true), gate: gate, at: now) }
                != nil)
    }
}
