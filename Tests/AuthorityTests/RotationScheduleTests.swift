import Authority
import PKI
import Testing

/// When a root is replaced for its age, and when its age alone takes a rotation on.
@Suite("Rotations by age")
struct RotationScheduleTests {
    private static let halfDay = Duration.seconds(43_200)
    let now = Fixture.now

    private static func root(life: Duration) -> Issuer {
        Issuer(
            id: IssuerID(random: [0, 0, 0, 0, 0, 0, 0, 1]), certificateAuthority: "corp", certificate: [1],
            serial: SerialNumber(bytes: [1]), fingerprint: Fingerprint(sha256: [UInt8](repeating: 1, count: 32)),
            notBefore: Fixture.now, notAfter: Fixture.now + life)
    }

    @Test(arguments: [
        // In half days. Of a long life the last thirty and the last seven days; of a short one the half and the last sixth.
        (7300, 7240, 7286), (120, 60, 106), (118, 59, 104), (84, 42, 70), (72, 36, 60), (12, 6, 10),
    ])
    func `a root is replaced in its last half or thirty days, and signed over in its last sixth or seven`(
        life: Int, start: Int, issuing: Int
    ) {
        let root = Self.root(life: Self.halfDay * life)
        #expect(RotationSchedule.start(of: root) == now + Self.halfDay * start)
        #expect(RotationSchedule.issuing(of: root) == now + Self.halfDay * issuing)
    }

    private static func bench(life: Duration = .seconds(600)) throws -> CoreBench {
        var bench = try ReplacementBench.meshes()
        bench.rootLife = life
        // So that the roots in use are of that life.
        for name in ["corp", "c.ca-1", "spare"] { try bench.complete(bench.replace(name).id) }
        return bench
    }

    @Test func `due are the CAs in use whose root is old enough, and no others`() throws {
        var bench = try Self.bench()
        #expect(bench.state.authoritiesDue(at: now + .seconds(299)).isEmpty)
        #expect(bench.state.authoritiesDue(at: now + .seconds(300)) == ["c.ca-1", "corp"])
        #expect(bench.state.authoritiesDue(at: now + .seconds(599)) == ["c.ca-1", "corp"])
        // The one that is being replaced is not due, and the new root is young.
        let rotation = try bench.replace("corp", trigger: .schedule, at: now + .seconds(300))
        #expect(rotation.trigger == .schedule)
        for _ in 0..<3 {
            #expect(bench.state.authoritiesDue(at: now + .seconds(400)) == ["c.ca-1"])
            try bench.advance(rotation.id)
        }
        #expect(bench.state.authoritiesDue(at: now + .seconds(400)) == ["c.ca-1"])
        #expect(bench.state.authoritiesDue(at: now + .seconds(599)) == ["c.ca-1"])
        #expect(bench.state.authoritiesDue(at: now + .seconds(600)).contains("corp"))
    }

    @Test func `a root whose end was missed is replaced all the more, for it signs for nobody`() throws {
        #expect(try Self.bench().state.authoritiesDue(at: now + .seconds(601)) == ["c.ca-1", "corp"])
    }

    @Test func `not due is what is switched off, held after an abort, or brought by its owner`() throws {
        let changes: [(inout CertificateAuthority) -> Void] = [
            { $0.rotatesAutomatically = false }, { $0.isAutomaticHeld = true }, { $0.origin = .provided },
        ]
        let state = try Self.bench().state
        for change in changes {
            var changed = state
            if var authority = changed.certificateAuthorities["corp"]?.authority {
                change(&authority)
                changed.certificateAuthorities["corp"]?.authority = authority
            }
            #expect(changed.authoritiesDue(at: now + .seconds(300)) == ["c.ca-1"])
        }
    }

    @Test func `while a mesh of it is on its way none starts`() throws {
        var bench = try Self.bench()
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        let move = try #require(try bench.put(document.sharing("corp")))
        #expect(bench.state.authoritiesDue(at: now + .seconds(300)).isEmpty)
        try bench.complete(move.id)
        #expect(bench.state.authoritiesDue(at: now + .seconds(300)) == ["corp"])
    }

    @Test func `the hold after an abort survives the document's being applied again`() throws {
        var bench = try Self.bench()
        let rotation = try bench.replace("c.ca-1")
        try bench.order(.abort, rotation.id)
        try bench.complete(rotation.id)
        #expect(bench.state.certificateAuthorities["c.ca-1"]?.authority.isAutomaticHeld == true)
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        try bench.put(document)
        #expect(bench.state.certificateAuthorities["c.ca-1"]?.authority.isAutomaticHeld == true)
        #expect(!bench.state.authoritiesDue(at: now + .seconds(300)).contains("c.ca-1"))
    }

    // MARK: - Forced by the clock

    /// A rotation of a root that lives 600 s: its last sixth begins at 500.
    private static func world(isCovered: Bool = true, isManual: Bool = false) throws -> (CoreBench, Rotation) {
        var bench = try Self.bench()
        let rotation = try bench.replace("corp", isManual: isManual, isCovered: isCovered, at: Fixture.now + .seconds(300))
        return (bench, rotation)
    }

    private static let late = Fixture.now + .seconds(500)

    private static func held() throws -> RotationGate { .held(by: try ReplacementBench().blocker(1, .rejected)) }

    @Test func `near the end of the old root the new one signs though proxies are behind, whom the cross certificate covers`()
        throws
    {
        let (bench, rotation) = try Self.world()
        let held = try Self.held()
        #expect(!bench.state.isForcedByClock(rotation, gate: held, at: now + .seconds(499)))
        #expect(bench.state.isForcedByClock(rotation, gate: held, at: Self.late))
    }

    @Test func `never without a cross certificate that is valid, never past a replica, an operator, or in a later phase`() throws
    {
        let held = try Self.held()
        let (bare, uncovered) = try Self.world(isCovered: false)
        #expect(!bare.state.isForcedByClock(uncovered, gate: held, at: Self.late))
        let (manual, byHand) = try Self.world(isManual: true)
        #expect(!manual.state.isForcedByClock(byHand, gate: held, at: Self.late))
        var (bench, rotation) = try Self.world()
        let replica = RotationBlocker(
            mesh: nil, identity: nil, proxy: "r", node: "", resource: "", reason: .replica, detail: "")
        #expect(!bench.state.isForcedByClock(rotation, gate: .held(by: replica), at: Self.late))
        var ended = rotation
        ended.crossCertificate?.notAfter = Self.late
        #expect(!bench.state.isForcedByClock(ended, gate: held, at: Self.late))
        try bench.order(.pause, rotation.id)
        #expect(
            !bench.state.isForcedByClock(try #require(bench.state.rotations[rotation.id]?.rotation), gate: held, at: Self.late))
        try bench.order(.resume, rotation.id)
        #expect(
            bench.state.isForcedByClock(try #require(bench.state.rotations[rotation.id]?.rotation), gate: held, at: Self.late))
        while let running = bench.state.rotations[rotation.id]?.rotation {
            if running.phase != .distributing { #expect(!bench.state.isForcedByClock(running, gate: held, at: Self.late)) }
            try bench.advance(rotation.id)
        }
    }

    @Test func `a move is never forced, and no withdrawal`() throws {
        var bench = try Self.bench()
        let document = try #require(bench.state.meshes[try MeshName("c")]?.mesh)
        let move = try #require(try bench.put(document.sharing("corp")))
        let held = try Self.held()
        for phase in Rotation.Phase.allCases {
            var rotation = move
            rotation.phase = phase
            #expect(!bench.state.isForcedByClock(rotation, gate: held, at: Self.late))
        }
        let (other, replace) = try Self.world()
        for phase in Rotation.Phase.allCases where phase != .distributing {
            var rotation = replace
            rotation.phase = phase
            #expect(!other.state.isForcedByClock(rotation, gate: held, at: Self.late))
        }
    }
}
