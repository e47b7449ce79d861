import Authority
import PKI
import Testing

/// Whom meshes that share a certificate authority accept, before, during and after their moves.
@Suite("Contexts of meshes that share a CA")
struct SharingTests {
    /// `a` and `b` on the shared CA `corp`, `c` with its own.
    private static func bench(isolated: String? = nil) throws -> CoreBench {
        var fixture = try Fixture("c")
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b"] {
            try fixture.add(mesh: name, sharing: "corp") { $0.isolated = name == isolated }
            fixture.state.serviceIdentities[try MeshName(name)] = ["web": [try SPIFFEID("spiffe://\(name)/web")]]
        }
        return CoreBench(fixture.state)
    }

    private static func mesh(_ name: String, _ bench: CoreBench) throws -> Mesh {
        try #require(bench.state.meshes[try MeshName(name)]?.mesh)
    }

    private static func context(_ name: SecretName, of mesh: String, _ state: AuthorityState) throws -> ValidationContext {
        try state.validationContext(name, for: Fixture.caller(mesh: mesh, service: "api"))
    }

    private static func domains(_ name: SecretName, of mesh: String, _ state: AuthorityState) throws -> Set<String> {
        Set(try context(name, of: mesh, state).trustDomains.keys.map(\.name))
    }

    private static func door(from: String, to: String, in fixture: inout Fixture) throws {
        let access = CrossMeshAccess(
            name: "\(from)-to-\(to)", from: .init(mesh: try MeshName(from), services: nil),
            to: .init(mesh: try MeshName(to), services: nil))
        fixture.state.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
            access: access, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
    }

    /// The verdict, the matrix and the contexts say the same of every pair; gives the pairs of different meshes that accept.
    private static func agreed(
        _ state: AuthorityState, at location: SourceLocation = #_sourceLocation
    ) throws -> Set<String> {
        var open: Set<String> = []
        let names = state.meshes.keys.filter { !state.boundIssuers(of: $0).isEmpty }
        for cell in state.trustMatrix() {
            let identity = try SPIFFEID(trustDomain: #require(state.meshes[cell.from]?.mesh.trustDomain), path: "/x")
            let target = try SPIFFEID(trustDomain: #require(state.meshes[cell.to]?.mesh.trustDomain), path: "/api")
            let context = try Self.context(.peers, of: cell.to.name, state)
            let isAdmitted = context.trustDomains[identity.trustDomain] != nil && context.admits(identity)
            let verdict = state.trustVerdict(from: identity, to: target)
            let words = "\(cell) \(verdict)"
            #expect(verdict.isAccepted == isAdmitted, "\(words)", sourceLocation: location)
            #expect((cell.extent == .all) == isAdmitted, "\(words)", sourceLocation: location)
            if cell.through == ["shared-ca"] { #expect(verdict.reason == "shared-ca", "\(words)", sourceLocation: location) }
            if cell.from != cell.to, isAdmitted { open.insert("\(cell.from)>\(cell.to)") }
        }
        #expect(state.trustMatrix().count == names.count * names.count, sourceLocation: location)
        return open
    }

    @Test func `meshes that share a CA are in each other's bundles, each domain bound to its own roots, and in no other's`()
        throws
    {
        let state = try Self.bench().state
        let corp = try #require(state.activeIssuer(of: MeshName("a"))?.certificate)
        for mesh in ["a", "b"] {
            for name in [SecretName.allTrust, .peers, .destinations, .service(mesh: try MeshName(mesh), name: "web")] {
                let context = try Self.context(name, of: mesh, state)
                #expect(context.trustDomains == [try TrustDomain("a"): [corp], try TrustDomain("b"): [corp]])
            }
            #expect(try Self.domains(.meshTrust, of: mesh, state) == [mesh])
            let matchers = try Self.context(.peers, of: mesh, state).subjectAltNames
            #expect(matchers == [.trustDomain(try TrustDomain("a")), .trustDomain(try TrustDomain("b"))])
        }
        #expect(try Self.domains(.allTrust, of: "c", state) == ["c"])
        #expect(try Self.domains(.peers, of: "c", state) == ["c"])
        #expect(try Self.agreed(state) == ["a>b", "b>a"])
    }

    @Test func `a service of a mesh that shares the CA can be pinned, and of one that does not cannot`() throws {
        let state = try Self.bench().state
        let context = try Self.context(.service(mesh: try MeshName("b"), name: "web"), of: "a", state)
        #expect(context.subjectAltNames == [.exact(try SPIFFEID("spiffe://b/web"))])
        #expect(context.trustedCA == nil)
        #expect(throws: Refusal.secretForbidden(name: "b/web")) {
            try Self.context(.service(mesh: MeshName("b"), name: "web"), of: "c", state)
        }
    }

    @Test(arguments: ["a", "b"])
    func `isolated on either of two meshes parts the pair, and keeps the shared root`(isolated: String) throws {
        let state = try Self.bench(isolated: isolated).state
        for mesh in ["a", "b"] {
            for name in [SecretName.allTrust, .peers, .destinations] {
                #expect(try Self.domains(name, of: mesh, state) == [mesh])
            }
            #expect(throws: Refusal.self) {
                try Self.context(.service(mesh: MeshName(mesh == "a" ? "b" : "a"), name: "web"), of: mesh, state)
            }
        }
        #expect(state.activeIssuer(of: try MeshName("a")) == state.activeIssuer(of: try MeshName("b")))
        #expect(try Self.agreed(state).isEmpty)
        let verdict = state.trustVerdict(from: try SPIFFEID("spiffe://a/x"), to: try SPIFFEID("spiffe://b/x"))
        #expect(verdict.ground == .isolated(try MeshName(isolated)) && verdict.detail.contains("isolated: false"))
    }

    @Test func `of three meshes one is isolated and the other two accept each other`() throws {
        var fixture = try Fixture()
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b", "c"] { try fixture.add(mesh: name, sharing: "corp") { $0.isolated = name == "c" } }
        #expect(try Self.agreed(fixture.state) == ["a>b", "b>a"])
    }

    @Test func `a door through an isolated mesh's wall opens one way`() throws {
        var fixture = try Fixture()
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b"] { try fixture.add(mesh: name, sharing: "corp") { $0.isolated = true } }
        try Self.door(from: "a", to: "b", in: &fixture)
        #expect(try Self.agreed(fixture.state) == ["a>b"])
        #expect(try Self.domains(.allTrust, of: "b", fixture.state) == ["b"])
        let verdict = fixture.state.trustVerdict(from: try SPIFFEID("spiffe://a/x"), to: try SPIFFEID("spiffe://b/x"))
        #expect(verdict.ground == .door(name: "a-to-b"))
    }

    // MARK: - trusted_ca

    @Test func `a shared root is never stated as the one CA of a mesh, and a mesh's own is`() throws {
        let state = try Self.bench().state
        for name in [SecretName.meshTrust, .allTrust] {
            #expect(try Self.context(name, of: "a", state).trustedCA == nil)
            let own = try Self.context(name, of: "c", state)
            #expect(own.trustedCA == own.trustDomains[try TrustDomain("c")])
        }
    }

    @Test func `a shared root that only one mesh uses is not stated either, for another may join`() throws {
        var fixture = try Fixture()
        try fixture.add(sharedAuthority: "corp")
        try fixture.add(mesh: "a", sharing: "corp")
        #expect(try Self.context(.meshTrust, of: "a", fixture.state).trustedCA == nil)
    }

    @Test func `while a mesh is on its way from or to a shared CA its roots are not stated, and are again when it is gone`()
        throws
    {
        var bench = try Self.bench()
        let id = try #require(try bench.put(Self.mesh("a", bench).leaving("corp", for: nil), leave: true)).id
        for _ in 0..<2 {
            #expect(try Self.context(.meshTrust, of: "a", bench.state).trustedCA == nil)
            try bench.advance(id)
        }
        try bench.complete(id)
        #expect(try Self.context(.meshTrust, of: "a", bench.state).trustedCA?.count == 1)
        let back = try #require(try bench.put(Self.mesh("c", bench).sharing("corp"))).id
        #expect(try Self.context(.meshTrust, of: "c", bench.state).trustedCA == nil)
        try bench.complete(back)
        #expect(try Self.context(.meshTrust, of: "c", bench.state).trustedCA == nil)
    }

    @Test func `a provided key that is in two CAs is not stated as the one CA of either`() throws {
        var fixture = try Fixture()
        for (name, certificate) in [("a", [1, 1]), ("b", [2, 2]), ("c", [3, 3])] as [(String, [UInt8])] {
            try fixture.add(mesh: name) { $0.mtls?.backends = [Fixture.provided("ca-1", certificate)] }
        }
        func key(_ number: UInt8) -> Fingerprint { Fingerprint(sha256: [UInt8](repeating: number, count: 32)) }
        for (name, number) in [("a", 7), ("b", 7), ("c", 8)] as [(String, UInt8)] {
            let id = try #require(fixture.state.activeIssuer(of: try MeshName(name))?.id)
            fixture.state.issuers[id]?.keyFingerprint = key(number)
        }
        #expect(try Self.context(.meshTrust, of: "a", fixture.state).trustedCA == nil)
        #expect(try Self.context(.allTrust, of: "b", fixture.state).trustedCA == nil)
        #expect(try Self.context(.meshTrust, of: "c", fixture.state).trustedCA == [[3, 3]])
        // The same root twice, without any fingerprint, is one key too.
        for (name, other) in [("a", "c")] {
            let id = try #require(fixture.state.activeIssuer(of: try MeshName(name))?.id)
            let third = try #require(fixture.state.activeIssuer(of: try MeshName(other))?.id)
            fixture.state.issuers[id]?.keyFingerprint = nil
            fixture.state.issuers[id]?.certificate = [3, 3]
            fixture.state.issuers[third]?.keyFingerprint = nil
        }
        #expect(try Self.context(.meshTrust, of: "c", fixture.state).trustedCA == nil)
    }

    @Test func `a key that two CAs hold makes no mesh accept another`() throws {
        var fixture = try Fixture()
        for name in ["a", "b"] { try fixture.add(mesh: name) { $0.mtls?.backends = [Fixture.provided("ca-1", [1, 1])] } }
        #expect(try Self.agreed(fixture.state).isEmpty)
        #expect(try Self.domains(.peers, of: "a", fixture.state) == ["a"])
    }

    // MARK: - Moves

    @Test func `acceptance begins when the join is complete, and not a phase earlier`() throws {
        var bench = try Self.bench()
        let id = try #require(try bench.put(Self.mesh("c", bench).sharing("corp"))).id
        while bench.state.rotations[id] != nil {
            #expect(try Self.agreed(bench.state) == ["a>b", "b>a"])
            let verdict = bench.state.trustVerdict(from: try SPIFFEID("spiffe://c/x"), to: try SPIFFEID("spiffe://a/x"))
            #expect(verdict.ground == .moving(try MeshName("c")) && !verdict.isAccepted)
            #expect(try Self.domains(.allTrust, of: "a", bench.state) == ["a", "b"])
            try bench.advance(id)
        }
        #expect(try Self.agreed(bench.state) == ["a>b", "b>a", "a>c", "c>a", "b>c", "c>b"])
    }

    @Test func `acceptance ends at once on a leave, and a leave that is called off brings it back at its end`() throws {
        for steps in 0...1 {
            var bench = try Self.bench()
            let before = try Self.mesh("a", bench)
            let id = try #require(try bench.put(before.leaving("corp", for: nil), leave: true)).id
            #expect(try Self.agreed(bench.state).isEmpty)
            #expect(try Self.domains(.allTrust, of: "b", bench.state) == ["b"])
            for _ in 0..<steps { try bench.advance(id) }
            try bench.put(before)
            #expect(try Self.agreed(bench.state).isEmpty)
            while bench.state.rotations[id] != nil {
                #expect(try Self.agreed(bench.state).isEmpty)
                try bench.advance(id)
            }
            #expect(try Self.agreed(bench.state) == ["a>b", "b>a"])
        }
    }

    @Test func `a mesh on its way binds its own domain to both roots until the old one goes, whoever binds it`() throws {
        var fixture = try Fixture("c")
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b"] { try fixture.add(mesh: name, sharing: "corp") }
        try Self.door(from: "a", to: "c", in: &fixture)
        try Self.door(from: "b", to: "a", in: &fixture)
        var bench = CoreBench(fixture.state)
        func roots(_ name: SecretName, _ mesh: String) throws -> Int? {
            try Self.context(name, of: mesh, bench.state).trustDomains[try TrustDomain("a")]?.count
        }
        let id = try #require(try bench.put(Self.mesh("a", bench).leaving("corp", for: nil), leave: true)).id
        for expected in [2, 2, 1] {
            #expect(try roots(.meshTrust, "a") == expected)
            #expect(try roots(.peers, "a") == expected)
            #expect(try roots(.peers, "c") == expected)
            // A door to it remains a door.
            #expect(try roots(.destinations, "b") == expected)
            #expect(try roots(.allTrust, "b") == nil)
            if expected == 2 { try bench.advance(id) }
        }
    }

    @Test func `who is concerned by a move are the mesh, the meshes behind its doors on either side, and nobody else`() throws {
        var fixture = try Fixture("c", "d", "e")
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b"] { try fixture.add(mesh: name, sharing: "corp") }
        try Self.door(from: "a", to: "c", in: &fixture)
        try Self.door(from: "d", to: "a", in: &fixture)
        try Self.door(from: "d", to: "e", in: &fixture)
        var bench = CoreBench(fixture.state)
        let rotation = try #require(try bench.put(Self.mesh("a", bench).leaving("corp", for: nil), leave: true))
        #expect(bench.state.meshesConcerned(by: rotation).map(\.name).sorted() == ["a", "c", "d"])
        // Whoever binds a domain of the mesh is among them.
        for mesh in bench.state.meshes.keys
        where try Self.domains(.peers, of: mesh.name, bench.state).contains("a")
            || Self.domains(.destinations, of: mesh.name, bench.state).contains("a")
        {
            #expect(bench.state.meshesConcerned(by: rotation).contains(mesh))
        }
    }

    // MARK: - Matrix

    @Test func `the matrix of some meshes is that of all, without the others`() throws {
        var fixture = try Fixture("c", "d")
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b"] { try fixture.add(mesh: name, sharing: "corp") }
        try fixture.add(mesh: "off") { $0.mtls?.enabledBackend = nil }
        try Self.door(from: "a", to: "c", in: &fixture)
        let state = fixture.state
        let all = state.trustMatrix()
        #expect(all.count == 16)
        let chosen = try ["c", "a", "off", "nowhere", "a"].map { try MeshName($0) }
        let some = state.trustMatrix(among: chosen)
        #expect(some == all.filter { chosen.contains($0.from) && chosen.contains($0.to) })
        #expect(some.count == 4)
        #expect(state.trustMatrix(among: []).isEmpty)
    }
}
