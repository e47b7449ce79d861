import Authority
import PKI
import Testing

/// What a changed document asks for when the mesh's certificate authority is another, and what it is refused.
@Suite("Directives of moves")
struct MeshMoveTests {
    let now = Fixture.now

    /// `payments` with a certificate authority of its own, `orders` and `shop` on the shared one `corp`, and an unused `spare`.
    private static func bench() throws -> CoreBench {
        var fixture = try Fixture("payments")
        try fixture.add(sharedAuthority: "corp", retireAfter: .reissued)
        try fixture.add(sharedAuthority: "spare")
        try fixture.add(mesh: "orders", sharing: "corp")
        try fixture.add(mesh: "shop", sharing: "corp")
        return CoreBench(fixture.state)
    }

    private static func mesh(_ name: String, _ bench: CoreBench) throws -> Mesh {
        try #require(bench.state.meshes[try MeshName(name)]?.mesh)
    }

    private static func adding(_ backend: Mesh.Backend, enabled: Bool = true, to mesh: Mesh) -> Mesh {
        var next = mesh
        next.mtls?.backends.removeAll { $0.name == backend.name }
        next.mtls?.backends.append(backend)
        if enabled { next.mtls?.enabledBackend = backend.name }
        return next
    }

    private static func root(of authority: String, _ bench: CoreBench) throws -> IssuerID {
        try #require(bench.state.issuers.values.first { $0.certificateAuthority == authority }?.id)
    }

    private func refusal(
        of mesh: Mesh, _ bench: CoreBench, connected: [String] = [], leave: Bool = false
    ) -> MeshChangeRefusal? {
        do {
            let directives = try bench.state.directives(toApply: mesh, connected: connected, leave: leave, at: now)
            Issue.record("not refused: \(directives)")
            return nil
        } catch {
            return error
        }
    }

    private func expectConflict(
        _ words: String..., of mesh: Mesh, _ bench: CoreBench, connected: [String] = [], leave: Bool = false,
        at location: SourceLocation = #_sourceLocation
    ) {
        guard case .conflict(let detail)? = refusal(of: mesh, bench, connected: connected, leave: leave) else {
            Issue.record("no conflict", sourceLocation: location)
            return
        }
        for word in words { #expect(detail.contains(word), sourceLocation: location) }
    }

    private func expectInvalid(
        _ field: String, _ words: String..., of mesh: Mesh, _ bench: CoreBench, leave: Bool = false,
        at location: SourceLocation = #_sourceLocation
    ) {
        guard case .invalid(let found, let reason)? = refusal(of: mesh, bench, leave: leave) else {
            Issue.record("not invalid", sourceLocation: location)
            return
        }
        #expect(found == field, sourceLocation: location)
        for word in words { #expect(reason.contains(word), sourceLocation: location) }
    }

    // MARK: - Joining

    @Test func `a mesh that joins prepares the shared root, changes the CA's row and starts one move`() throws {
        let bench = try Self.bench()
        let payments = try Self.mesh("payments", bench)
        let corp = try Self.root(of: "corp", bench)
        let old = try #require(bench.state.activeIssuer(of: payments.name)?.id)
        let directives = try bench.state.directives(toApply: payments.sharing("corp"), connected: ["p"], at: now)
        #expect(
            Set(directives) == [
                .use(corp, from: nil, as: .prepared), .touch(certificateAuthority: "corp"),
                .move(from: old, previousAuthority: "payments.ca-1", certificateAuthority: "corp", retireAfter: .reissued),
            ])
    }

    @Test func `a mesh without mTLS joins at once, with nothing to move from`() throws {
        var fixture = try Fixture()
        try fixture.add(mesh: "payments") { $0.mtls?.enabledBackend = nil }
        let corp = try fixture.add(sharedAuthority: "corp")
        let joined = try #require(fixture.state.meshes[MeshName("payments")]?.mesh).sharing("corp")
        let directives = try fixture.state.directives(toApply: joined, connected: [], at: now)
        #expect(
            Set(directives) == [
                .use(corp, from: nil, as: .active), .touch(certificateAuthority: "corp"),
            ])
    }

    @Test func `a mesh joins the root that signs for the others, however many newer ones there are`() throws {
        var fixture = try Fixture("payments")
        let signing = try fixture.add(sharedAuthority: "corp")
        try fixture.add(mesh: "orders", sharing: "corp")
        try fixture.addIssuer(to: "corp", notBefore: now + .seconds(5))
        let joined = try #require(fixture.state.meshes[MeshName("payments")]?.mesh).sharing("corp")
        let directives = try fixture.state.directives(toApply: joined, connected: [], at: now)
        #expect(directives.contains(.use(signing, from: nil, as: .prepared)))
    }

    @Test func `a mesh that comes back takes up the root that it had`() throws {
        var bench = try Self.bench()
        let before = try Self.mesh("payments", bench)
        let first = try #require(bench.state.activeIssuer(of: before.name)?.id)
        try bench.complete(try #require(try bench.put(before.sharing("corp"))).id)
        #expect(bench.state.meshIssuers[before.name]?[first] == .retired)
        let back = try bench.state.directives(
            toApply: Self.mesh("payments", bench).leaving("corp", for: "payments.ca-1"), connected: [], leave: true, at: now)
        #expect(back.first == .use(first, from: .retired, as: .prepared))
        #expect(back.contains(.touch(certificateAuthority: "corp")))
    }

    @Test func `a shared CA that is not there, or another mesh's own, is an invalid field, enabled or not`() throws {
        let bench = try Self.bench()
        let payments = try Self.mesh("payments", bench)
        let field = "mtls.backends[1].conf.authority"
        expectInvalid(field, "nowhere", "create it", of: payments.sharing("nowhere"), bench)
        expectInvalid(field, "nowhere", of: Self.adding(Fixture.shared("nowhere"), enabled: false, to: payments), bench)
        let orders = try Self.mesh("orders", bench)
        expectInvalid(field, "payments", "cannot be shared", of: orders.sharing("payments.ca-1"), bench, leave: true)
    }

    @Test func `a shared CA whose root has ended, or was revoked, is joined by nobody`() throws {
        var fixture = try Fixture("payments")
        let root = try fixture.add(sharedAuthority: "corp")
        let joined = try #require(fixture.state.meshes[MeshName("payments")]?.mesh).sharing("corp")
        let end = try #require(fixture.state.issuers[root]?.notAfter)
        #expect(throws: MeshChangeRefusal.self) { try fixture.state.directives(toApply: joined, connected: [], at: end) }
        #expect(throws: Never.self) {
            try fixture.state.directives(toApply: joined, connected: [], at: end - .seconds(1))
        }
        fixture.state.meshIssuers[try MeshName("gone")] = [root: .revoked]
        #expect(throws: MeshChangeRefusal.self) { try fixture.state.directives(toApply: joined, connected: [], at: now) }
    }

    // MARK: - Leaving

    @Test func `a document that would leave a shared CA is refused unless it says so`() throws {
        let bench = try Self.bench()
        let orders = try Self.mesh("orders", bench)
        let own = Self.adding(Fixture.backend("ca-1"), to: orders)
        expectConflict("corp", "leave=true", "unshare", of: own, bench)
        expectConflict("leave=true", of: orders.sharing("spare"), bench)
        var off = orders
        off.mtls?.enabledBackend = nil
        expectConflict("leave=true", of: off, bench)
        off.mtls = nil
        expectConflict("leave=true", of: off, bench)
        let directives = try bench.state.directives(toApply: own, connected: ["p"], leave: true, at: now)
        guard case .createCertificateAuthority(let made, "ca-1", .prepared)? = directives.first else {
            Issue.record("\(directives)")
            return
        }
        #expect(made.name == "orders.ca-1" && made.owner == orders.name)
        let corp = try Self.root(of: "corp", bench)
        #expect(
            Array(directives.dropFirst()) == [
                .touch(certificateAuthority: "corp"),
                // What one of the two says of its own roots is enough.
                .move(from: corp, previousAuthority: "corp", certificateAuthority: "orders.ca-1", retireAfter: .reissued),
            ])
    }

    @Test func `a mesh goes from one shared CA to another in one move, and both rows change`() throws {
        let bench = try Self.bench()
        let directives = try bench.state.directives(
            toApply: Self.mesh("orders", bench).sharing("spare"), connected: ["p"], leave: true, at: now)
        #expect(directives.contains(.touch(certificateAuthority: "corp")))
        #expect(directives.contains(.touch(certificateAuthority: "spare")))
        #expect(directives.contains { if case .move = $0 { true } else { false } })
    }

    @Test func `unsharing goes back to the backend before, else to one of its own, else makes one`() throws {
        let bench = try Self.bench()
        let orders = try Self.mesh("orders", bench)
        let fresh = orders.leaving("corp", for: nil)
        #expect(fresh.enabledAuthority == "orders.ca-1")
        #expect(fresh.mtls?.backends.map(\.name) == ["ca-1"])
        let two = Self.adding(
            Fixture.backend("b"), enabled: false, to: Self.adding(Fixture.backend("a"), enabled: false, to: orders))
        #expect(two.leaving("corp", for: "orders.b").enabledAuthority == "orders.b")
        #expect(two.leaving("corp", for: "gone").enabledAuthority == "orders.a")
        #expect(two.leaving("corp", for: nil).mtls?.backends.map(\.name) == ["a", "b"])
    }

    @Test func `what unsharing makes keeps the mode and the life of leaves, and takes no name twice`() throws {
        let bench = try Self.bench()
        var orders = try Self.mesh("orders", bench)
        orders.mtls?.backends[0].name = "ca-1"
        orders.mtls?.backends[0].mode = .permissive
        orders.mtls?.backends[0].leafLifetime = .seconds(90)
        orders.mtls?.enabledBackend = "ca-1"
        let left = orders.leaving("corp", for: nil)
        #expect(left.enabledBackend?.mode == .permissive)
        #expect(left.leafLifetime == .seconds(90))
        #expect(left.mtls?.backends.count == 1)
        var payments = try Self.mesh("payments", bench)
        payments.mtls?.backends[0].name = "corp"
        payments.mtls?.enabledBackend = "corp"
        let joined = payments.sharing("corp")
        #expect(joined.mtls?.backends.map(\.name) == ["corp", "corp-2"] && joined.enabledAuthority == "corp")
        #expect(joined.sharing("corp") == joined)
    }

    // MARK: - While it is on its way

    @Test func `while a mesh is on its way no other change of its CA is taken, and the refusal names what runs`() throws {
        for steps in 0...2 {
            var bench = try Self.bench()
            let id = try #require(try bench.put(Self.mesh("payments", bench).sharing("corp"))).id
            for _ in 0..<steps { try bench.advance(id) }
            let payments = try Self.mesh("payments", bench)
            expectConflict(id, of: payments.sharing("spare"), bench, leave: true)
            expectConflict(id, of: Self.adding(Fixture.backend("third"), to: payments), bench, leave: true)
            var off = payments
            off.mtls?.enabledBackend = nil
            expectConflict(id, of: off, bench, leave: true)
            #expect(try bench.state.directives(toApply: payments, connected: ["p"], at: now) == [])
        }
    }

    @Test func `back is a change like any other, from distributing and from issuing, and not from withdrawing`() throws {
        for steps in 0...2 {
            var bench = try Self.bench()
            let before = try Self.mesh("payments", bench)
            let id = try #require(try bench.put(before.sharing("corp"))).id
            for _ in 0..<steps { try bench.advance(id) }
            let back = try Self.mesh("payments", bench).leaving("corp", for: "payments.ca-1")
            if steps < 2 { expectConflict("leave=true", of: back, bench) }
            guard steps < 2 else {
                expectConflict(id, "withdrawing", of: back, bench, leave: true)
                continue
            }
            let directives = try bench.state.directives(toApply: back, connected: ["p"], leave: true, at: now)
            #expect(directives == [.revert(rotation: id), .touch(certificateAuthority: "corp")])
            try bench.put(back, leave: true)
            #expect(bench.state.rotations[id]?.rotation.phase == .reverting)
            // On the way back there is no third way, and no way forth again.
            expectConflict(id, "reverting", of: back.sharing("corp"), bench, leave: true)
            try bench.complete(id)
            #expect(bench.ended.map(\.phase) == [.aborted])
            #expect(bench.state.activeIssuer(of: before.name)?.certificateAuthority == "payments.ca-1")
            #expect(bench.state.boundIssuers(of: before.name).count == 1)
        }
    }

    @Test func `back is back to what was: with another root or key type it is refused`() throws {
        var bench = try Self.bench()
        let first = Fixture.provided("brought", [1, 2, 3])
        try bench.complete(try #require(try bench.put(Self.adding(first, to: Self.mesh("payments", bench)))).id)
        try bench.put(try Self.mesh("payments", bench).sharing("corp"))
        let payments = try Self.mesh("payments", bench)
        let other = Self.adding(Fixture.provided("brought", [4, 5, 6]), to: payments)
        expectConflict("brought", of: other, bench, leave: true)
        #expect(
            try !bench.state.directives(toApply: Self.adding(first, to: payments), connected: [], leave: true, at: now).isEmpty)

        var own = try Self.bench()
        try own.put(try Self.mesh("payments", own).sharing("corp"))
        let retyped = Self.adding(
            Fixture.backend("ca-1", keyAlgorithm: .rsa2048), to: try Self.mesh("payments", own))
        expectConflict("ca-1", of: retyped, own, leave: true)
    }

    @Test func `a backend that a running rotation needs is not deleted with the document, and goes at its end`() throws {
        var bench = try Self.bench()
        let id = try #require(try bench.put(Self.mesh("payments", bench).sharing("corp"))).id
        var alone = try Self.mesh("payments", bench)
        alone.mtls?.backends.removeAll { $0.name == "ca-1" }
        #expect(try bench.state.directives(toApply: alone, connected: ["p"], at: now) == [])
        try bench.put(alone)
        #expect(bench.state.certificateAuthorities["payments.ca-1"] != nil)
        try bench.advance(id)
        try bench.advance(id)
        #expect(bench.state.certificateAuthorities["payments.ca-1"] != nil)
        let end = try bench.advance(id)
        #expect(end.obsolete == ["payments.ca-1"])
        #expect(bench.state.certificateAuthorities["payments.ca-1"] == nil)
        #expect(bench.state.meshIssuers[alone.name]?.count == 1)
    }

    @Test func `a document that moves the mesh and drops its old backend at once keeps it until the end too`() throws {
        var bench = try Self.bench()
        var next = try Self.mesh("payments", bench).sharing("corp")
        next.mtls?.backends.removeAll { $0.name == "ca-1" }
        let id = try #require(try bench.put(next)).id
        #expect(bench.state.certificateAuthorities["payments.ca-1"] != nil)
        try bench.complete(id)
        #expect(bench.state.certificateAuthorities["payments.ca-1"] == nil)
    }

    @Test func `a CA that was made for a move which was called off goes with it`() throws {
        var bench = try Self.bench()
        let orders = try Self.mesh("orders", bench)
        let id = try #require(try bench.put(Self.adding(Fixture.backend("ca-1"), to: orders), leave: true)).id
        try bench.put(orders)
        #expect(bench.state.rotations[id]?.rotation.phase == .reverting)
        #expect(bench.state.certificateAuthorities["orders.ca-1"] != nil)
        #expect(try bench.advance(id).obsolete == ["orders.ca-1"])
        #expect(bench.state.certificateAuthorities["orders.ca-1"] == nil)
        #expect(bench.state.meshIssuers[orders.name]?.count == 1)
    }

    @Test func `a root that a running rotation names is not exchanged, enabled or not`() throws {
        for (steps, isBack) in [(0, false), (1, false), (2, false), (0, true), (1, true)] {
            var bench = try Self.bench()
            let brought = Self.adding(Fixture.provided("brought", [1, 2, 3]), to: try Self.mesh("payments", bench))
            let id = try #require(try bench.put(brought)).id
            for _ in 0..<steps { try bench.advance(id) }
            if isBack {
                var back = brought
                back.mtls?.enabledBackend = "ca-1"
                try bench.put(back)
            }
            let enabled = try Self.mesh("payments", bench)
            var exchanged = enabled
            exchanged.mtls?.backends[1] = Fixture.provided("brought", [4, 5, 6])
            expectConflict("brought", of: exchanged, bench)
            #expect(try bench.state.directives(toApply: enabled, connected: [], at: now) == [])
        }
    }

    // MARK: - Roots that were brought

    @Test func `a provided root is kept while it is not enabled, for the mesh alone and bound nowhere`() throws {
        var bench = try Self.bench()
        let next = Self.adding(
            Fixture.provided("brought", [1, 2, 3]), enabled: false, to: try Self.mesh("payments", bench))
        let directives = try bench.state.directives(toApply: next, connected: ["p"], at: now)
        guard case .createCertificateAuthority(let made, "brought", .retired)? = directives.first, directives.count == 1 else {
            Issue.record("\(directives)")
            return
        }
        #expect(made.name == "payments.brought" && made.origin == .provided && made.owner == next.name)
        try bench.put(next)
        #expect(bench.state.boundIssuers(of: next.name).count == 1)
        #expect(try bench.state.directives(toApply: next, connected: [], at: now) == [])
        // Enabling it later takes it as it is.
        var enabled = next
        enabled.mtls?.enabledBackend = "brought"
        let root = try Self.root(of: "payments.brought", bench)
        #expect(
            try bench.state.directives(toApply: enabled, connected: [], at: now).first
                == .use(root, from: .retired, as: .prepared))
    }

    @Test
    func `another root under the name of one that is not trusted replaces it, and under the name of a trusted one is refused`()
        throws
    {
        var bench = try Self.bench()
        let payments = try Self.mesh("payments", bench)
        try bench.put(Self.adding(Fixture.provided("brought", [1, 2, 3]), enabled: false, to: payments))
        let other = Self.adding(Fixture.provided("brought", [4, 5, 6]), enabled: false, to: payments)
        #expect(
            try bench.state.directives(toApply: other, connected: [], at: now).first
                == .deleteCertificateAuthority(name: "payments.brought"))
        try bench.put(other)
        #expect(
            bench.state.issuers.values.filter { $0.certificateAuthority == "payments.brought" }.map(\.certificate) == [[4, 5, 6]])
        var enabled = other
        enabled.mtls?.enabledBackend = "brought"
        try bench.complete(try #require(try bench.put(enabled)).id)
        let third = Self.adding(Fixture.provided("brought", [7, 8, 9]), to: payments)
        expectConflict("brought", "another name", of: third, bench)
        let generated = Self.adding(Fixture.backend("brought"), to: payments)
        expectConflict("brought", "another type", of: generated, bench)
    }

    // MARK: - Name constraints

    @Test func `a mesh on a CA that may be shared keeps its name constraints, alone on it or not`() throws {
        let bench = try Self.bench()
        var orders = try Self.mesh("orders", bench)
        orders.nameConstraints = false
        expectInvalid("nameConstraints", "corp", of: orders, bench)
        var alone = try Self.mesh("payments", bench).sharing("spare")
        alone.nameConstraints = false
        expectInvalid("nameConstraints", "spare", of: alone, bench)
    }

    @Test func `a key that was brought for two meshes signs for neither without name constraints`() throws {
        var fixture = try Fixture()
        for name in ["payments", "orders"] {
            try fixture.add(mesh: name) { $0.mtls?.backends = [Fixture.provided("ca-1", [1, 2, 3])] }
        }
        let bench = CoreBench(fixture.state)
        var payments = try Self.mesh("payments", bench)
        payments.nameConstraints = false
        expectInvalid("nameConstraints", "orders", of: payments, bench)
    }

    @Test func `a mesh on its way out of a shared CA still signs under it, and keeps its name constraints until it does not`()
        throws
    {
        var bench = try Self.bench()
        var own = Self.adding(Fixture.backend("ca-1"), to: try Self.mesh("orders", bench))
        own.nameConstraints = false
        expectInvalid("nameConstraints", "corp", of: own, bench, leave: true)
        own.nameConstraints = true
        let id = try #require(try bench.put(own, leave: true)).id
        own.nameConstraints = false
        expectInvalid("nameConstraints", of: own, bench)
        try bench.complete(id)
        #expect(throws: Never.self) { try bench.put(own) }
    }

    @Test func `nobody joins a CA under which a mesh without name constraints signs, or still signs on its way out`() throws {
        var fixture = try Fixture("payments")
        try fixture.add(sharedAuthority: "spare")
        try fixture.add(mesh: "loose", sharing: "spare") { $0.nameConstraints = false }
        var bench = CoreBench(fixture.state)
        let joining = try Self.mesh("payments", bench).sharing("spare")
        expectConflict("loose", of: joining, bench)
        var leaving = try Self.mesh("loose", bench).leaving("spare", for: nil)
        leaving.nameConstraints = true
        try bench.complete(try #require(try bench.put(leaving, leave: true)).id)
        #expect(throws: Never.self) { try bench.put(joining) }
    }

    // MARK: - mTLS off

    @Test func `mTLS goes off on a shared CA for this mesh alone`() throws {
        let bench = try Self.bench()
        var off = try Self.mesh("orders", bench)
        off.mtls?.enabledBackend = nil
        expectConflict("proxy-1", of: off, bench, connected: ["proxy-1"], leave: true)
        let corp = try Self.root(of: "corp", bench)
        #expect(
            try bench.state.directives(toApply: off, connected: [], leave: true, at: now) == [
                .retire(corp, from: .active), .touch(certificateAuthority: "corp"),
            ])
    }

    @Test func `a CA lists who uses it, and who stands in the way of its deletion`() throws {
        var bench = try Self.bench()
        func names(_ meshes: [MeshName]) -> [String] { meshes.map(\.name) }
        #expect(names(bench.state.users(of: "corp")) == ["orders", "shop"])
        #expect(names(bench.state.dependents(of: "spare")) == [])
        let id = try #require(try bench.put(Self.mesh("orders", bench).leaving("corp", for: nil), leave: true)).id
        #expect(names(bench.state.users(of: "corp")) == ["shop"])
        // Its root is still trusted in orders.
        #expect(names(bench.state.dependents(of: "corp")) == ["orders", "shop"])
        try bench.complete(id)
        #expect(names(bench.state.dependents(of: "corp")) == ["shop"])
        // A backend that only names it counts too.
        try bench.put(Self.adding(Fixture.shared("spare"), enabled: false, to: try Self.mesh("payments", bench)))
        #expect(names(bench.state.dependents(of: "spare")) == ["payments"])
    }
}
