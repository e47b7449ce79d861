import Authority
import PKI
import Testing

/// What becomes of everybody when a root is compromised.
@Suite("Revocations")
struct RevocationTests {
    let now = Fixture.now

    private static func root(of authority: String, _ bench: CoreBench) throws -> IssuerID {
        try #require(bench.state.currentIssuer(of: authority, at: Fixture.now)?.id)
    }

    private static func mesh(_ name: String, _ bench: CoreBench) throws -> Mesh {
        try #require(bench.state.meshes[try MeshName(name)]?.mesh)
    }

    /// The issuers that are bound for a mesh, and what they are to it.
    private static func bound(_ mesh: String, _ bench: CoreBench) throws -> [IssuerID: IssuerState] {
        (bench.state.meshIssuers[try MeshName(mesh)] ?? [:]).filter(\.value.isBound)
    }

    /// Revokes, and checks what holds of every revocation.
    @discardableResult
    private func revoke(
        _ issuer: IssuerID, of authority: String = "corp", _ bench: inout CoreBench, at time: Timestamp = Fixture.now,
        location: SourceLocation = #_sourceLocation
    ) throws -> (plan: Revocation, rotation: Rotation?) {
        let before = bench.state
        let outcome = try bench.revoke(issuer, of: authority, at: time)
        let plan = outcome.plan
        #expect(plan.issuers.first == issuer && Set(plan.issuers).count == plan.issuers.count, sourceLocation: location)
        #expect(plan.outcomes.map(\.mesh) == plan.outcomes.map(\.mesh).sorted(), sourceLocation: location)
        // The changes in their order, one by one: never two active issuers.
        var states = before.meshIssuers
        let root = bench.state.issuers.keys.first { before.issuers[$0] == nil }
        #expect((root != nil) == plan.needsRoot, sourceLocation: location)
        for change in before.changes(of: plan, root: root) {
            #expect(states[change.mesh]?[change.issuer] == change.from, sourceLocation: location)
            states[change.mesh]?[change.issuer] = change.to
            let active = (states[change.mesh] ?? [:]).values.filter { $0 == .active }.count
            #expect(active <= 1, sourceLocation: location)
        }
        #expect(states == bench.state.meshIssuers, sourceLocation: location)
        for outcome in plan.outcomes {
            let bound = (states[outcome.mesh] ?? [:]).filter(\.value.isBound)
            #expect(bound == [try #require(outcome.active ?? root): .active], sourceLocation: location)
        }
        // Nobody else is touched, and nobody at all is bound to a revoked root.
        for (mesh, issuers) in states {
            if !plan.outcomes.contains(where: { $0.mesh == mesh }) {
                #expect(
                    issuers.filter(\.value.isBound) == before.meshIssuers[mesh]?.filter(\.value.isBound), sourceLocation: location
                )
            }
            for issuer in plan.issuers where issuers[issuer] != nil {
                #expect(issuers[issuer] == .revoked, sourceLocation: location)
            }
        }
        // At most one running rotation for each mesh, and this one for all that are concerned.
        for mesh in states.keys {
            #expect(
                bench.state.rotations.values.filter { $0.rotation.meshes.contains(mesh) }.count <= 1, sourceLocation: location)
        }
        #expect(outcome.rotation?.meshes ?? [] == plan.outcomes.map(\.mesh), sourceLocation: location)
        for superseded in plan.superseded {
            #expect(!superseded.phase.isRunning && superseded.endedAt == time, sourceLocation: location)
            #expect(bench.state.rotations[superseded.id] == nil, sourceLocation: location)
        }
        return outcome
    }

    // MARK: - Nothing under way

    @Test func `of a mesh alone a new root signs at once, and the rest of the world is as it was`() throws {
        var bench = try ReplacementBench.meshes()
        let old = try Self.root(of: "c.ca-1", bench)
        let (plan, rotation) = try revoke(old, of: "c.ca-1", &bench)
        #expect(
            plan.outcomes.map(\.mesh.name) == ["c"] && plan.outcomes.map(\.active) == [nil] && plan.needsRoot
                && plan.superseded.isEmpty)
        #expect(bench.state.issuers[old]?.revokedAt == now)
        let running = try #require(rotation)
        #expect(running.kind == .revoke && bench.state.step(of: running) == .expel)
        #expect(bench.state.activeIssuer(of: try MeshName("c"))?.id == running.to)
        try bench.advance(running.id)
        #expect(bench.ended.last?.phase == .completed && bench.state.rotations.isEmpty)
    }

    @Test func `of a shared CA all its meshes get the new root, and go on accepting each other`() throws {
        var bench = try ReplacementBench.meshes()
        let old = try Self.root(of: "corp", bench)
        let (plan, rotation) = try revoke(old, &bench)
        #expect(plan.outcomes.map(\.mesh.name) == ["a", "b"] && rotation?.meshes.map(\.name) == ["a", "b"])
        #expect(try Self.bound("a", bench) == Self.bound("b", bench))
        let context = try bench.state.validationContext(.allTrust, for: Fixture.caller(mesh: "a"))
        let new = try #require(bench.state.activeIssuer(of: try MeshName("a"))?.certificate)
        for mesh in ["a", "b"] { #expect(context.trustDomains[try TrustDomain(mesh)] == [new]) }
        // Nobody joins or leaves, and nothing is replaced, until all have followed.
        let c = try Self.mesh("c", bench)
        #expect(refusal { try bench.state.directives(toApply: c.sharing("corp"), connected: [], at: now) } != nil)
        #expect(refusal { try bench.state.replacementTerms(of: "corp", at: now) } != nil)
        try bench.complete(try #require(rotation).id)
        try bench.put(c.sharing("corp"))
        #expect(try Self.bound("c", bench)[IssuerID(#require(rotation).to.text) ?? old] == .prepared)
    }

    @Test func `an issuer that is not there, another CA's, or one that is revoked already is refused`() throws {
        var bench = try ReplacementBench.meshes()
        let old = try Self.root(of: "corp", bench)
        let other = try Self.root(of: "spare", bench)
        for (issuer, authority) in [(IssuerID(random: [9, 9, 9, 9, 9, 9, 9, 9]), "corp"), (other, "corp"), (old, "nobody")] {
            let words = refusal { try bench.state.revocation(of: issuer, in: authority, crossSigners: [], at: now) }
            #expect(words?.contains("no issuer \(issuer)") == true)
        }
        try revoke(old, &bench)
        let words = refusal { try bench.state.revocation(of: old, in: "corp", crossSigners: [], at: now) }
        #expect(words?.contains("revoked already") == true)
    }

    @Test func `of a CA that nobody uses the root goes, and another one is there for whoever comes`() throws {
        var bench = try ReplacementBench.meshes()
        let (plan, rotation) = try revoke(Self.root(of: "spare", bench), of: "spare", &bench)
        #expect(plan.outcomes.isEmpty && plan.needsRoot && rotation == nil)
        let c = try Self.mesh("c", bench)
        let move = try bench.put(c.sharing("spare"))
        #expect(move != nil)
        #expect(try Self.bound("c", bench).count == 2)
    }

    @Test func `an issuer that went long ago is revoked without a change to what is bound`() throws {
        var world = try ReplacementBench()
        try world.bench.complete(world.id)
        let (plan, rotation) = try revoke(world.from, &world.bench, at: now + .seconds(86_400 * 8))
        #expect(plan.issuers == [world.from] && plan.outcomes.isEmpty && !plan.needsRoot && rotation == nil)
        for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.revoked, .active]) }
    }

    // MARK: - A replacement under way

    @Test func `the old root while the new one is distributed: neither is kept`() throws {
        var world = try ReplacementBench()
        let (plan, rotation) = try revoke(world.from, &world.bench)
        // Whoever stole the one may have the other.
        #expect(plan.issuers == [world.from] && plan.needsRoot)
        #expect(plan.superseded.map(\.id) == [world.id] && plan.superseded.map(\.phase) == [.aborted])
        for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.revoked, .retired]) }
        #expect(try #require(rotation).to != world.to)
    }

    @Test func `the old root while the new one signs: the new one goes on, and the rotation has come to its end`() throws {
        var world = try ReplacementBench()
        try world.advance()
        let (plan, rotation) = try revoke(world.from, &world.bench)
        #expect(plan.issuers == [world.from] && !plan.needsRoot && rotation?.to == world.to)
        #expect(plan.superseded.map(\.phase) == [.completed])
        for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.revoked, .active]) }
        // No chain carries the signature of the stolen key.
        #expect(world.bench.state.crossCertificates.isEmpty)
    }

    @Test func `the new root, whose cross certificate lives: the one that signed it goes too`() throws {
        for steps in 0...2 {
            var world = try ReplacementBench()
            try world.advance(steps)
            let (plan, _) = try revoke(world.to, &world.bench)
            #expect(plan.issuers == [world.to, world.from] && plan.needsRoot)
            #expect(plan.superseded.map(\.phase) == [.aborted])
            for mesh in ["a", "b"] { #expect(try world.states(mesh) == [.revoked, .revoked]) }
        }
    }

    @Test func `the new root after its cross certificate's end, or without one: the old one goes on where it is active`() throws {
        for isCovered in [true, false] {
            for (steps, keepsOld) in [(0, true), (1, false)] {
                var world = try ReplacementBench(isCovered: isCovered)
                try world.advance(steps)
                let (plan, rotation) = try revoke(world.to, &world.bench, at: now + .seconds(86_400 * 7))
                #expect(plan.issuers == [world.to] && plan.needsRoot == !keepsOld)
                #expect((rotation?.to == world.from) == keepsOld)
                #expect(plan.superseded.map(\.phase) == [.aborted])
            }
        }
    }

    @Test func `the new root of a rotation that has ended, while its cross certificate lives`() throws {
        var world = try ReplacementBench()
        try world.bench.complete(world.id)
        let (plan, _) = try revoke(world.to, &world.bench)
        #expect(plan.issuers == [world.to, world.from] && plan.needsRoot && plan.superseded.isEmpty)
    }

    @Test func `the root that is just being withdrawn: who holds it still is followed on`() throws {
        var world = try ReplacementBench()
        try world.advance(2)
        let (plan, rotation) = try revoke(world.from, &world.bench)
        #expect(plan.outcomes.map(\.active) == [world.to, world.to] && !plan.needsRoot)
        #expect(plan.superseded.map(\.phase) == [.completed])
        #expect(rotation?.meshes.map(\.name) == ["a", "b"])
    }

    @Test func `on the way back: the root that signs again stays unless it is the one`() throws {
        for steps in 0...1 {
            var world = try ReplacementBench(isCovered: false)
            try world.advance(steps)
            try world.bench.order(.abort, world.id)
            var other = world
            let (plan, rotation) = try revoke(world.to, &world.bench)
            #expect(plan.issuers == [world.to] && !plan.needsRoot && rotation?.to == world.from)
            #expect(plan.superseded.map(\.phase) == [.aborted])
            let (both, _) = try revoke(other.from, &other.bench)
            #expect(both.needsRoot && both.superseded.map(\.phase) == [.aborted])
            for mesh in ["a", "b"] { #expect(try other.states(mesh) == [.revoked, .retired]) }
        }
    }

    @Test func `a rotation of another CA goes on`() throws {
        var world = try ReplacementBench()
        let (plan, _) = try revoke(Self.root(of: "c.ca-1", world.bench), of: "c.ca-1", &world.bench)
        #expect(plan.superseded.isEmpty && world.bench.state.rotations[world.id] != nil)
        try world.bench.complete(world.id)
    }

    @Test func `a replacement of a CA that nobody uses ends with either of its roots`() throws {
        for isOld in [true, false] {
            var bench = try ReplacementBench.meshes()
            let rotation = try bench.replace("spare", isCovered: false)
            let (plan, followed) = try revoke(isOld ? rotation.from : rotation.to, of: "spare", &bench)
            #expect(plan.superseded.map(\.phase) == [.aborted] && followed == nil && !plan.needsRoot)
        }
    }

    // MARK: - Meshes on their way

    @Test func `a mesh on its way out of the compromised CA is at its new one at once`() throws {
        for steps in 0...2 {
            var bench = try ReplacementBench.meshes()
            let old = try Self.root(of: "corp", bench)
            let move = try #require(try bench.put(Self.mesh("a", bench).sharing("spare"), leave: true))
            for _ in 0..<steps { try bench.advance(move.id) }
            let (plan, rotation) = try revoke(old, &bench)
            #expect(plan.outcomes.map(\.mesh.name) == ["a", "b"] && plan.outcomes.map(\.active) == [move.to, nil])
            #expect(plan.needsRoot && plan.superseded.map(\.phase) == [.completed])
            #expect(rotation?.meshes.map(\.name) == ["a", "b"])
            #expect(try Self.bound("a", bench) == [move.to: .active])
            #expect(try Self.mesh("a", bench).enabledAuthority == "spare")
        }
    }

    @Test func `a mesh on its way into the compromised CA is there at once, at its new root`() throws {
        for steps in 0...2 {
            var bench = try ReplacementBench.meshes()
            let old = try Self.root(of: "corp", bench)
            let move = try #require(try bench.put(Self.mesh("c", bench).sharing("corp")))
            for _ in 0..<steps { try bench.advance(move.id) }
            let (plan, rotation) = try revoke(old, &bench)
            #expect(plan.outcomes.map(\.mesh.name) == ["a", "b", "c"] && plan.outcomes.allSatisfy { $0.active == nil })
            #expect(plan.superseded.map(\.phase) == [.aborted])
            #expect(try Self.bound("c", bench) == [#require(rotation).to: .active])
        }
    }

    @Test func `a mesh that turned back stays where it is`() throws {
        for steps in 0...1 {
            var bench = try ReplacementBench.meshes()
            let own = try Self.root(of: "c.ca-1", bench)
            let old = try Self.root(of: "corp", bench)
            let before = try Self.mesh("c", bench)
            let move = try #require(try bench.put(before.sharing("corp")))
            for _ in 0..<steps { try bench.advance(move.id) }
            try bench.put(before, leave: true)
            let (plan, _) = try revoke(old, &bench)
            #expect(plan.outcomes.last?.mesh.name == "c" && plan.outcomes.last?.active == own)
            #expect(plan.superseded.map(\.phase) == [.aborted])
        }
    }

    // MARK: - One after another

    @Test func `the root that took the place of a revoked one can be revoked in its turn`() throws {
        var bench = try ReplacementBench.meshes()
        let first = try #require(try revoke(Self.root(of: "corp", bench), &bench).rotation)
        let (plan, second) = try revoke(first.to, &bench)
        #expect(plan.superseded.map(\.id) == [first.id] && plan.needsRoot)
        try bench.complete(try #require(second).id)
        #expect(bench.state.issuers.values.filter { $0.revokedAt != nil }.count == 2)
    }

    @Test func `whoever a superseded revocation was following is followed on`() throws {
        var bench = try ReplacementBench.meshes()
        let move = try #require(try bench.put(Self.mesh("a", bench).sharing("spare"), leave: true))
        let first = try #require(try revoke(Self.root(of: "corp", bench), &bench).rotation)
        let new = try #require(bench.state.activeIssuer(of: try MeshName("b"))?.id)
        // The mesh `a` has left, and its proxies may hold what was revoked first.
        let (plan, second) = try revoke(new, &bench)
        #expect(plan.superseded.map(\.id) == [first.id])
        #expect(plan.outcomes.first?.mesh.name == "a" && plan.outcomes.first?.active == move.to)
        #expect(second?.meshes.map(\.name) == ["a", "b"])
    }

    // MARK: - The gate

    @Test func `it has completed when every connected proxy and every replica has followed, and waits for nobody who is away`()
        throws
    {
        var bench = try ReplacementBench.meshes()
        let rotation = try #require(try revoke(Self.root(of: "corp", bench), &bench).rotation)
        let entry = try #require(bench.state.rotations[rotation.id])
        let world = try ReplacementBench()
        func gate(pending: [RotationBlocker] = [], hasIssuing: Bool = true) -> RotationGate {
            let progress = RotationProgress(
                revision: entry.revision, hasIssuingCertificates: hasIssuing, settled: SubscriberSet(),
                pendingCount: pending.count, pending: pending)
            let report = ReplicaReport(replica: "r", revision: bench.state.revision, rotations: [rotation.id: progress])
            return bench.state.gate(of: entry, facts: RotationFacts(reports: [report], outstanding: nil))
        }
        #expect(gate().isOpen)
        #expect(try gate(pending: [world.blocker(1, .silent)]).blockers.map(\.proxy) == ["p1"])
        #expect(gate(hasIssuing: false).blockers.map(\.reason) == [.replica])
        var pacer = RotationPacer(dwell: .zero)
        let goesOn = pacer.goesOn(entry, gate: gate(), at: now)
        #expect(goesOn)
    }
}
