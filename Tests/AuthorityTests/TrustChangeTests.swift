import Authority
import PKI
import Testing

/// What a change would open and close, told before it is made.
@Suite("Preview of trust")
struct TrustChangeTests {
    let now = Fixture.now

    /// `a` and `b` on `corp`, `i` isolated on it, `c` and `d` with their own, a door c → a.
    private static func fixture() throws -> Fixture {
        var fixture = try Fixture("c", "d")
        try fixture.add(sharedAuthority: "corp")
        for name in ["a", "b", "i"] { try fixture.add(mesh: name, sharing: "corp") { $0.isolated = name == "i" } }
        let access = CrossMeshAccess(
            name: "c-to-a", from: .init(mesh: try MeshName("c"), services: nil), to: .init(mesh: try MeshName("a"), services: nil)
        )
        fixture.state.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
            access: access, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
        return fixture
    }

    private func change(_ state: AuthorityState, _ next: Mesh...) -> (begins: [String], ceases: [String]) {
        let change = state.trustChange(to: state.settled(with: next, at: now), about: next.map(\.name))
        return (change.begins.map { "\($0.from)>\($0.to)" }, change.ceases.map { "\($0.from)>\($0.to)" })
    }

    private static func mesh(_ name: String, _ state: AuthorityState) throws -> Mesh {
        try #require(state.meshes[try MeshName(name)]?.mesh)
    }

    @Test func `joining begins acceptance with every open sharer, both ways, and not where a door led already`() throws {
        let state = try Self.fixture().state
        let change = change(state, try Self.mesh("c", state).sharing("corp"))
        #expect(change.begins == ["a>c", "b>c", "c>b"])
        #expect(change.ceases == [])
    }

    @Test func `leaving ends it, but for doors`() throws {
        let state = try Self.fixture().state
        let change = change(state, try Self.mesh("a", state).leaving("corp", for: nil))
        #expect(change.begins == [])
        #expect(change.ceases == ["a>b", "b>a"])
    }

    @Test func `isolating ends it, and lifting that begins it`() throws {
        let state = try Self.fixture().state
        var a = try Self.mesh("a", state)
        a.isolated = true
        #expect(change(state, a).ceases == ["a>b", "b>a"])
        var i = try Self.mesh("i", state)
        i.isolated = false
        #expect(change(state, i).begins == ["a>i", "b>i", "i>a", "i>b"])
    }

    @Test func `meshes that join together begin to accept one another too`() throws {
        let state = try Self.fixture().state
        let both = change(state, try Self.mesh("c", state).sharing("corp"), try Self.mesh("d", state).sharing("corp"))
        #expect(both.begins == ["a>c", "a>d", "b>c", "b>d", "c>b", "c>d", "d>a", "d>b", "d>c"])
        // New certificate authorities of their own open nothing.
        let own = change(
            state, try Self.mesh("a", state).leaving("corp", for: nil), try Self.mesh("b", state).leaving("corp", for: nil))
        #expect(own.begins == [] && own.ceases == ["a>b", "b>a"])
    }

    @Test func `mTLS off ends all there was, doors included, and a new mesh begins nothing`() throws {
        let state = try Self.fixture().state
        var off = try Self.mesh("a", state)
        off.mtls?.enabledBackend = nil
        let change = change(state, off)
        #expect(change.begins == [])
        #expect(change.ceases == ["a>b", "b>a", "c>a"])
        #expect(self.change(state, try Fixture.mesh("new")) == ([], []))
    }

    @Test func `what changes nothing changes nothing`() throws {
        let state = try Self.fixture().state
        for name in ["a", "c", "i"] { #expect(change(state, try Self.mesh(name, state)) == ([], [])) }
        var other = try Self.mesh("d", state)
        other.mtls?.backends.append(Fixture.backend("ca-2"))
        other.mtls?.enabledBackend = "ca-2"
        #expect(change(state, other) == ([], []))
    }

    @Test func `the preview of a leave in the middle of a join says what really changes`() throws {
        let fixture = try Self.fixture()
        var bench = CoreBench(fixture.state)
        try bench.put(try Self.mesh("c", bench.state).sharing("corp"))
        let back = try Self.mesh("c", bench.state).leaving("corp", for: "c.ca-1")
        #expect(change(bench.state, back) == ([], []))
    }

    @Test func `a preview comes true: the settled state's matrix is that at the end of the moves`() throws {
        let fixture = try Self.fixture()
        for (name, isJoin) in [("c", true), ("d", true), ("a", false), ("i", false)] {
            var bench = CoreBench(fixture.state)
            let mesh = try Self.mesh(name, bench.state)
            let next = isJoin ? mesh.sharing("corp") : mesh.leaving("corp", for: nil)
            let told = bench.state.settled(with: [next], at: now).trustMatrix()
            let before = bench.state
            let preview = before.trustChange(to: before.settled(with: [next], at: now), about: [next.name])
            if let rotation = try bench.put(next, leave: true) { try bench.complete(rotation.id) }
            #expect(bench.state.trustMatrix() == told)
            #expect(before.trustChange(to: bench.state, about: [next.name]) == preview)
        }
    }
}
