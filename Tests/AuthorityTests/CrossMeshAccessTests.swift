import Authority
import PKI
import Testing

/// The fixture's meshes have the roots [0x30, 1], [0x30, 2] and so on, in the order of their names in `init`.
@Suite("Contexts with doors")
struct CrossMeshAccessTests {
    private static let web = "spiffe://orders/web"
    private static let api = "spiffe://payments/api"

    private static func door(
        _ name: String, from: String, _ fromServices: [String]? = nil, to: String, _ toServices: [String]? = nil
    ) throws -> CrossMeshAccess {
        CrossMeshAccess(
            name: name, from: CrossMeshAccess.Side(mesh: try MeshName(from), services: fromServices),
            to: CrossMeshAccess.Side(mesh: try MeshName(to), services: toServices))
    }

    /// The meshes `orders`, `payments` and `shop`, with `doors`; `web` and `job` of orders, `api` and `db` of payments have an
    /// identity each.
    private static func state(_ doors: CrossMeshAccess...) throws -> AuthorityState {
        var state = try Fixture("orders", "payments", "shop").state
        for (mesh, services) in [("orders", ["web", "job"]), ("payments", ["api", "db"])] {
            for service in services {
                state.serviceIdentities[try MeshName(mesh), default: [:]][service] = [
                    try SPIFFEID("spiffe://\(mesh)/\(service)")
                ]
            }
        }
        for door in doors { add(door, to: &state) }
        return state
    }

    private static func add(_ door: CrossMeshAccess, to state: inout AuthorityState) {
        state.crossMeshAccesses[door.name] = AuthorityState.CrossMeshAccessEntry(
            access: door, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
    }

    /// The context's parts in words: each domain with its roots' numbers, and the matchers.
    private static func words(_ context: ValidationContext) -> (domains: [String: [UInt8]], matchers: [String]?) {
        (
            Dictionary(uniqueKeysWithValues: context.trustDomains.map { ($0.name, $1.compactMap(\.last)) }),
            context.subjectAltNames?.map { matcher in
                switch matcher {
                case .exact(let identity): identity.uri
                case .trustDomain(let domain): domain.uri + "/"
                }
            }
        )
    }

    private static func context(
        _ name: SecretName, of service: String = "api", in mesh: String = "payments", state: AuthorityState
    ) throws -> (domains: [String: [UInt8]], matchers: [String]?) {
        words(try state.validationContext(name, for: Fixture.caller(mesh: mesh, service: service)))
    }

    private static func verdict(_ from: String, _ to: String, _ state: AuthorityState) throws -> TrustVerdict {
        state.trustVerdict(from: try SPIFFEID(from), to: try SPIFFEID(to))
    }

    @Test func `a door admits the whole of one mesh to the other's peers, each domain bound to its own roots`() throws {
        let state = try Self.state(Self.door("d", from: "orders", to: "payments"))
        let peers = try Self.context(.peers, state: state)
        #expect(peers.domains == ["payments": [2], "orders": [1]])
        #expect(peers.matchers == ["spiffe://payments/", "spiffe://orders/"])
    }

    @Test func `a door leads one way only`() throws {
        let state = try Self.state(Self.door("d", from: "orders", to: "payments"))
        let peers = try Self.context(.peers, of: "web", in: "orders", state: state)
        #expect(peers.domains == ["orders": [1]] && peers.matchers == ["spiffe://orders/"])
        let forth = try Self.context(.destinations, of: "web", in: "orders", state: state)
        #expect(forth.domains == ["orders": [1], "payments": [2]] && forth.matchers == nil)
        let back = try Self.context(.destinations, state: state)
        #expect(back.domains == ["payments": [2]] && back.matchers == nil)
        let aside = try Self.context(.peers, in: "shop", state: state)
        #expect(aside.domains == ["shop": [3]])
    }

    @Test(arguments: [SecretName.meshTrust, .allTrust])
    func `a door is in no bundle but those of peers and destinations`(name: SecretName) throws {
        let open = try Self.state(
            Self.door("a", from: "orders", to: "payments"), Self.door("b", from: "payments", to: "orders"))
        let caller = try Fixture.caller()
        #expect(try open.validationContext(name, for: caller) == Self.state().validationContext(name, for: caller))
    }

    @Test func `a list of services on the near side admits exactly their identities`() throws {
        let state = try Self.state(Self.door("d", from: "orders", ["web"], to: "payments"))
        let peers = try Self.context(.peers, state: state)
        #expect(peers.domains == ["payments": [2], "orders": [1]])
        #expect(peers.matchers == ["spiffe://payments/", Self.web])
        #expect(try Self.context(.destinations, of: "web", in: "orders", state: state).domains.keys.contains("payments"))
        #expect(try !Self.context(.destinations, of: "job", in: "orders", state: state).domains.keys.contains("payments"))
    }

    @Test func `a list of services on the far side opens them alone`() throws {
        let state = try Self.state(Self.door("d", from: "orders", to: "payments", ["api"]))
        #expect(try Self.context(.peers, of: "api", state: state).domains == ["payments": [2], "orders": [1]])
        let other = try Self.context(.peers, of: "db", state: state)
        #expect(other.domains == ["payments": [2]] && other.matchers == ["spiffe://payments/"])
    }

    @Test func `a proxy of several services, or of none, is behind no door for a named one`() throws {
        let state = try Self.state(
            Self.door("a", from: "orders", to: "payments", ["api"]), Self.door("b", from: "payments", ["api"], to: "shop"))
        for tags in [[:], ["kuma.io/service": ["api", "db"]]] {
            var caller = try Fixture.caller()
            caller.tags = tags
            for name in [SecretName.peers, .destinations] {
                #expect(try Self.words(state.validationContext(name, for: caller)).domains == ["payments": [2]])
            }
        }
    }

    @Test func `a door for services without an identity yet adds neither a domain nor a matcher`() throws {
        var state = try Self.state(Self.door("d", from: "orders", ["new"], to: "payments"))
        let caller = try Fixture.caller()
        #expect(try state.validationContext(.peers, for: caller) == Self.state().validationContext(.peers, for: caller))
        let identity = try SPIFFEID("spiffe://orders/new")
        state.serviceIdentities[try MeshName("orders")]?["new"] = [identity]
        #expect(try state.validationContext(.peers, for: caller).admits(identity))
        state.revokedIdentities = [identity]
        #expect(try state.validationContext(.peers, for: caller) == Self.state().validationContext(.peers, for: caller))
    }

    @Test func `a door to or from a mesh without mTLS adds nothing`() throws {
        var fixture = try Fixture("orders", "payments")
        try fixture.add(mesh: "bare") { $0.mtls?.enabledBackend = nil }
        let caller = try Fixture.caller()
        let before = fixture.state
        Self.add(try Self.door("a", from: "bare", to: "payments"), to: &fixture.state)
        Self.add(try Self.door("b", from: "payments", to: "bare"), to: &fixture.state)
        for name in [SecretName.peers, .destinations] {
            #expect(try fixture.state.validationContext(name, for: caller) == before.validationContext(name, for: caller))
        }
    }

    @Test func `a mesh's outgoing and prepared roots come through the door, and a retired one does not`() throws {
        var fixture = try Fixture("orders", "payments")
        let orders = try MeshName("orders")
        for (seconds, issuerState) in [(1, IssuerState.outgoing), (2, .prepared), (3, .retired), (4, .revoked)] {
            try fixture.addIssuer(
                to: "orders.ca-1", mesh: orders, state: issuerState, notBefore: Fixture.now + .seconds(seconds))
        }
        Self.add(try Self.door("d", from: "orders", to: "payments"), to: &fixture.state)
        #expect(try Self.context(.peers, state: fixture.state).domains == ["orders": [1, 3, 4], "payments": [2]])
    }

    @Test func `doors that overlap admit their union, without a matcher twice`() throws {
        let state = try Self.state(
            Self.door("a", from: "orders", ["web"], to: "payments"),
            Self.door("b", from: "orders", ["job", "web"], to: "payments"),
            Self.door("c", from: "shop", to: "payments", ["api"]), Self.door("d", from: "shop", to: "payments"))
        let peers = try Self.context(.peers, state: state)
        #expect(peers.domains == ["orders": [1], "payments": [2], "shop": [3]])
        #expect(peers.matchers == ["spiffe://payments/", Self.web, "spiffe://orders/job", "spiffe://shop/"])
    }

    @Test func `contexts are equal whatever the order in which doors and their services were written`() throws {
        let doors = try (0..<6).map { index in
            try Self.door("d\(index)", from: ["orders", "shop"][index % 2], index < 2 ? ["web", "job"] : nil, to: "payments")
        }
        var expected: ValidationContext?
        for rotation in 0..<doors.count {
            var state = try Self.state()
            for index in doors.indices {
                var door = doors[(index + rotation) % doors.count]
                if rotation % 2 == 1 { door.from.services?.reverse() }
                Self.add(door, to: &state)
            }
            let context = try state.validationContext(.peers, for: Fixture.caller())
            if let expected { #expect(context == expected) } else { expected = context }
        }
    }

    @Test func `a service of another mesh is pinned through a door that leads to it, and forbidden without`() throws {
        let payments = try MeshName("payments")
        let api = SecretName.service(mesh: payments, name: "api")
        let asking = try Fixture.caller(mesh: "orders", service: "web")
        let name = "mesh_ca:secret:orders:service:payments/api"
        #expect(try SecretName.parse(name, for: asking) == api)
        let open = try Self.state(Self.door("d", from: "orders", ["web"], to: "payments", ["api", "new"]))
        let pinned = try Self.words(open.validationContext(api, for: asking))
        #expect(pinned.domains == ["orders": [1], "payments": [2]] && pinned.matchers == [Self.api])
        #expect(throws: Refusal.secretForbidden(name: "payments/db")) {
            try open.validationContext(.service(mesh: payments, name: "db"), for: asking)
        }
        #expect(throws: Refusal.secretEmpty(name: "new")) {
            try open.validationContext(.service(mesh: payments, name: "new"), for: asking)
        }
        #expect(throws: Refusal.secretForbidden(name: "payments/api")) {
            try open.validationContext(api, for: Fixture.caller(mesh: "orders", service: "job"))
        }
        #expect(throws: Refusal.secretForbidden(name: "payments/api")) {
            try Self.state(Self.door("back", from: "payments", to: "orders")).validationContext(api, for: asking)
        }
    }

    @Test func `a verdict says whether, and what decides`() throws {
        var state = try Self.state(
            Self.door("wide", from: "shop", to: "payments"),
            Self.door("narrow", from: "orders", ["web"], to: "payments", ["api"]))
        state.revokedIdentities = [try SPIFFEID("spiffe://shop/thief"), try SPIFFEID("spiffe://payments/old")]
        var bare = try Fixture.mesh("bare", backend: nil)
        bare.mtls = nil
        state.meshes[bare.name] = AuthorityState.MeshEntry(
            mesh: bare, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
        let cases: [(String, String, Bool, TrustVerdict.Ground)] = [
            ("spiffe://payments/db", Self.api, true, .sameMesh),
            (Self.web, Self.api, true, .door(name: "narrow")),
            ("spiffe://shop/any", Self.api, true, .door(name: "wide")),
            ("spiffe://shop/any", "spiffe://payments/unknown", true, .door(name: "wide")),
            ("spiffe://orders/job", Self.api, false, .notThroughDoor(name: "narrow")),
            (Self.web, "spiffe://payments/db", false, .notThroughDoor(name: "narrow")),
            (Self.api, Self.web, false, .noDoor),
            (Self.web, "spiffe://shop/any", false, .noDoor),
            ("spiffe://shop/thief", Self.api, false, .revoked),
            ("spiffe://payments/old", "spiffe://payments/db", false, .revoked),
            ("spiffe://bare/x", Self.api, false, .withoutMTLS(bare.name)),
            (Self.api, "spiffe://bare/x", false, .withoutMTLS(bare.name)),
            ("spiffe://strange/x", Self.api, false, .unknownTrustDomain(try TrustDomain("strange"))),
            (Self.api, "spiffe://strange/x", false, .unknownTrustDomain(try TrustDomain("strange"))),
        ]
        for (from, to, isAccepted, ground) in cases {
            let verdict = try Self.verdict(from, to, state)
            #expect(verdict.isAccepted == isAccepted && verdict.ground == ground, "\(from) to \(to)")
        }
    }

    @Test func `a verdict names the door that decides among several`() throws {
        let state = try Self.state(
            Self.door("a", from: "orders", ["job"], to: "payments"),
            Self.door("b", from: "orders", ["web"], to: "payments", ["db"]),
            Self.door("c", from: "orders", ["web"], to: "payments", ["api"]))
        #expect(try Self.verdict(Self.web, Self.api, state).ground == .door(name: "c"))
        #expect(try Self.verdict("spiffe://orders/job", Self.api, state).ground == .door(name: "a"))
    }

    @Test func `every verdict is that of the context which SDS serves`() throws {
        let state = try Self.state(
            Self.door("a", from: "orders", ["web"], to: "payments", ["api"]), Self.door("b", from: "shop", to: "orders"),
            Self.door("c", from: "payments", to: "shop", ["till"]))
        let identities = [
            ("orders", "web"), ("orders", "job"), ("payments", "api"), ("payments", "db"), ("shop", "till"), ("shop", "x"),
        ]
        var granted = state
        granted.serviceIdentities[try MeshName("shop")] = [
            "till": [try SPIFFEID("spiffe://shop/till")], "x": [try SPIFFEID("spiffe://shop/x")],
        ]
        var accepted = 0
        for (fromMesh, from) in identities {
            for (toMesh, to) in identities {
                let identity = try SPIFFEID("spiffe://\(fromMesh)/\(from)")
                let context = try granted.validationContext(.peers, for: Fixture.caller(mesh: toMesh, service: to))
                let served = context.trustDomains[identity.trustDomain] != nil && context.admits(identity)
                let verdict = try Self.verdict(identity.uri, "spiffe://\(toMesh)/\(to)", granted)
                #expect(verdict.isAccepted == served, "\(identity) to \(toMesh)/\(to)")
                accepted += served ? 1 : 0
            }
        }
        // Within each mesh 4, web to api, both of shop to both of orders, both of payments to till.
        #expect(accepted == 12 + 1 + 4 + 2)
    }

    @Test func `the matrix says all, some or none, and through what`() throws {
        let state = try Self.state(
            Self.door("all", from: "orders", to: "payments"), Self.door("near", from: "payments", ["api"], to: "shop"),
            Self.door("far", from: "shop", to: "orders", ["web"]), Self.door("empty", from: "shop", ["new"], to: "payments"))
        let cells = state.trustMatrix()
        let names = ["orders", "payments", "shop"]
        #expect(cells.map { "\($0.from) \($0.to)" } == names.flatMap { from in names.map { "\(from) \($0)" } })
        let extents = Dictionary(uniqueKeysWithValues: cells.map { ("\($0.from) \($0.to)", $0.extent) })
        #expect(
            extents == [
                "orders orders": .all, "orders payments": .all, "orders shop": .none,
                "payments orders": .none, "payments payments": .all, "payments shop": .some,
                "shop orders": .some, "shop payments": .none, "shop shop": .all,
            ])
        let through = Dictionary(uniqueKeysWithValues: cells.map { ("\($0.from) \($0.to)", $0.through) })
        #expect(through["orders orders"] == ["same-mesh"] && through["orders payments"] == ["all"])
        #expect(through["payments shop"] == ["near"] && through["shop orders"] == ["far"])
        #expect(through["shop payments"] == [] && through["orders shop"] == [])
    }

    @Test func `a mesh without mTLS is not in the matrix`() throws {
        var fixture = try Fixture("orders")
        try fixture.add(mesh: "bare") { $0.mtls?.enabledBackend = nil }
        #expect(fixture.state.trustMatrix().map(\.from.name) == ["orders"])
    }
}
