import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// A MeshService names the identities behind its selector.
@Suite("MeshServices", .timeLimit(.minutes(1)))
struct MeshServiceTests {
    private static let alice = Service.administrator

    private static func service(
        _ name: String = "store", in mesh: String = "payments", _ selector: [String: String] = ["app": "store"]
    ) throws -> MeshService {
        MeshService(mesh: try MeshName(mesh), name: name, selector: selector, document: #"{"type":"MeshService"}"#)
    }

    private static func issue(_ tags: [String: [String]], _ cluster: Cluster) async throws {
        _ = try await cluster.authority.issueDataplaneToken(
            DataplaneTokenRequest(mesh: try MeshName("payments"), name: "p", tags: tags, validFor: nil), by: alice)
    }

    private static func cluster() async throws -> Cluster {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders")
        return cluster
    }

    private static func pinned(_ name: String, _ cluster: Cluster) async throws -> [String]? {
        let caller = try await cluster.first.caller(mesh: "payments", service: "asking")
        try await cluster.first.makeMesh("tick-\(UInt32.random(in: .min ... .max))")
        let served: ServedTrust
        do {
            served = try cluster.authority.trust(.service(mesh: caller.mesh, name: name), for: caller)
        } catch {
            #expect(error.reason == "secret-empty")
            return nil
        }
        return served.context.subjectAltNames?.map { if case .exact(let identity) = $0 { identity.uri } else { "all" } }
    }

    @Test func `a service pins the identities of the tokens with every tag of its selector`() async throws {
        let cluster = try await Self.cluster()
        try await Self.issue(["kuma.io/service": ["one"], "app": ["store"], "zone": ["a"]], cluster)
        try await Self.issue(["kuma.io/service": ["two"], "app": ["store", "other"], "zone": ["b"]], cluster)
        try await Self.issue(["kuma.io/service": ["three"], "app": ["other"], "zone": ["a"]], cluster)
        #expect(try await Self.pinned("store", cluster) == nil)
        let made = try await cluster.authority.put(Self.service(), ifMatch: nil, by: Self.alice)
        #expect({ if case .created = made { true } else { false } }())
        #expect(try await Self.pinned("store", cluster) == ["spiffe://payments/one", "spiffe://payments/two"])
        let narrow = try Self.service("store", in: "payments", ["app": "store", "zone": "a"])
        _ = try await cluster.authority.put(narrow, ifMatch: nil, by: Self.alice)
        #expect(try await Self.pinned("store", cluster) == ["spiffe://payments/one"])
        try await cluster.authority.delete(meshService: "store", in: MeshName("payments"), ifMatch: nil, by: Self.alice)
        #expect(try await Self.pinned("store", cluster) == nil)
        #expect(cluster.state.meshServices.isEmpty)
        // By the tag of its own a service goes on as ever.
        #expect(try await Self.pinned("three", cluster) == ["spiffe://payments/three"])
    }

    @Test func `a revoked token's identity is behind it no more`() async throws {
        let cluster = try await Self.cluster()
        _ = try await cluster.authority.put(Self.service(), ifMatch: nil, by: Self.alice)
        try await Self.issue(["kuma.io/service": ["one"], "app": ["store"]], cluster)
        let token = try #require(try await cluster.authority.tokens(TokenQuery()).items.first)
        #expect(try await Self.pinned("store", cluster) == ["spiffe://payments/one"])
        try await cluster.authority.revokeToken(token.id, by: Self.alice)
        #expect(try await Self.pinned("store", cluster) == nil)
    }

    @Test func `what cannot be a service is refused, field by field, and changes nothing`() async throws {
        let cluster = try await Self.cluster()
        let before = cluster.state
        for (service, field) in [
            (try Self.service("Store"), "name"), (try Self.service(""), "name"),
            (try Self.service("store", in: "nowhere"), "mesh"),
            (try Self.service("store", in: "payments", [:]), "spec.selector.dataplaneTags"),
        ] {
            guard
                case .invalid(let parameters)? = try await failure(of: {
                    try await cluster.authority.put(service, ifMatch: nil, by: Self.alice)
                })
            else {
                Issue.record("not refused: \(service)")
                continue
            }
            #expect(parameters.map(\.field) == [field])
        }
        let missing = try await failure {
            try await cluster.authority.delete(meshService: "store", in: MeshName("payments"), ifMatch: nil, by: Self.alice)
        }
        #expect(missing == .notFound(kind: "MeshService", name: "store"))
        #expect(cluster.state == before)
    }

    @Test func `a revision that lost is refused, and one name may stand in two meshes`() async throws {
        let cluster = try await Self.cluster()
        guard case .created(let revision) = try await cluster.authority.put(Self.service(), ifMatch: 0, by: Self.alice) else {
            Issue.record("not created")
            return
        }
        for ifMatch in [0, revision + 1] {
            let error = try await failure { try await cluster.authority.put(Self.service(), ifMatch: ifMatch, by: Self.alice) }
            #expect({ if case .preconditionFailed? = error { true } else { false } }())
        }
        #expect(
            try await cluster.authority.put(Self.service(), ifMatch: revision, by: Self.alice) == .replaced(revision: revision))
        let wider = try Self.service("store", in: "payments", ["app": "other"])
        let outcome = try await cluster.authority.put(wider, ifMatch: revision, by: Self.alice)
        #expect(outcome == .replaced(revision: revision + 1))
        _ = try await cluster.authority.put(Self.service(in: "orders"), ifMatch: 0, by: Self.alice)
        #expect(cluster.state.meshServices.count == 2)
        // They go with their mesh.
        try await cluster.authority.delete(mesh: MeshName("orders"), ifMatch: nil, by: Self.alice)
        #expect(cluster.state.meshServices.keys.map(\.name) == ["payments"])
    }
}
