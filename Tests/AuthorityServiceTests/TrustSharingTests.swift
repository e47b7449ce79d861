import Authority
import AuthorityService
import PKI
import Testing

/// Contexts are made once for all proxies that get the same, and are what each would have been given by itself.
@Suite("Trust that proxies share", .timeLimit(.minutes(2)))
struct TrustSharingTests {
    private static let names = ["a", "b", "c"]

    private static func world() async throws -> Cluster {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("a", "b", "c")
        try await cluster.makeAuthority("corp")
        try await cluster.shareAndComplete("corp", "a", "b")
        return cluster
    }

    private static func expectSame(_ cluster: Cluster, _ at: SourceLocation = #_sourceLocation) throws {
        let authority = cluster.authority
        let (view, state) = (authority.view(), authority.state)
        for mesh in names {
            for service in ["api", "web", nil] {
                let caller = Caller(
                    mesh: try MeshName(mesh), identity: try SPIFFEID("spiffe://\(mesh)/\(service ?? "none")"), proxy: "p",
                    tags: service.map { ["kuma.io/service": [$0]] } ?? [:], tokenID: "t")
                var wanted: [SecretName] = [.allTrust, .destinations, .meshTrust, .peers]
                for other in names { wanted.append(.service(mesh: try MeshName(other), name: "api")) }
                for name in wanted {
                    let served = Result { () throws(Refusal) in try view.trust(name, for: caller) }
                    let alone = Result { () throws(Refusal) in try state.validationContext(name, for: caller) }
                    #expect(served.map(\.context) == alone, "\(mesh) \(name)", sourceLocation: at)
                    if case .success(let served) = served {
                        #expect(served.version == served.context.version, sourceLocation: at)
                    }
                }
            }
        }
    }

    private static func editions(_ cluster: Cluster) throws -> [Int64] {
        let view = cluster.authority.view()
        return try names.map { view.edition(of: try MeshName($0)) }
    }

    /// Until what was committed is in place: nobody waits for that when a token is issued.
    private static func awaitNews(_ cluster: Cluster) async throws {
        try await cluster.whileRunning {
            try await cluster.awaitThat("the news") { cluster.authority.state.revision == cluster.state.revision }
        }
    }

    @Test func `what is shared is what each would be given, before and after every change`() async throws {
        let cluster = try await Self.world()
        let authority = cluster.authority
        try Self.expectSame(cluster)
        _ = try await cluster.first.token(mesh: "a", service: "api")
        try await Self.awaitNews(cluster)
        try Self.expectSame(cluster)
        let door = CrossMeshAccess(
            name: "c-to-a", from: .init(mesh: try MeshName("c"), services: ["web"]),
            to: .init(mesh: try MeshName("a"), services: nil))
        _ = try await authority.put(door, ifMatch: nil, by: Cluster.alice)
        try Self.expectSame(cluster)
        _ = try await cluster.first.token(mesh: "c", service: "web")
        try await Self.awaitNews(cluster)
        try Self.expectSame(cluster)
        _ = try await authority.rotate(RotationRequest(certificateAuthority: "corp"), by: Cluster.alice)
        try Self.expectSame(cluster)
        try await authority.revokeIdentity(SPIFFEID("spiffe://a/api"), by: Cluster.alice)
        try Self.expectSame(cluster)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        try Self.expectSame(cluster)
        var mesh = try cluster.mesh("b")
        mesh.isolated = true
        _ = try await authority.put(mesh, ifMatch: nil, by: Cluster.alice)
        try Self.expectSame(cluster)
    }

    @Test func `a mesh has a new edition for what concerns it, and for nothing else`() async throws {
        let cluster = try await Self.world()
        var before = try Self.editions(cluster)
        // Of `c` alone.
        _ = try await cluster.first.token(mesh: "c", service: "web")
        try await Self.awaitNews(cluster)
        var after = try Self.editions(cluster)
        #expect(after[0] == before[0] && after[1] == before[1] && after[2] > before[2])
        before = after
        // `a` and `b` share a certificate authority.
        var mesh = try cluster.mesh("a")
        mesh.isolated = true
        _ = try await cluster.authority.put(mesh, ifMatch: nil, by: Cluster.alice)
        after = try Self.editions(cluster)
        #expect(after[0] > before[0] && after[1] > before[1] && after[2] == before[2])
        before = after
        // A token that grants what another grants already.
        _ = try await cluster.first.token(mesh: "c", service: "web", name: "another")
        try await Self.awaitNews(cluster)
        #expect(try Self.editions(cluster) == before)
        #expect(cluster.authority.view().edition(of: try MeshName("gone")) > 0)
    }

    @Test func `a revoked proxy loses its standing in the view that follows, and keeps it in the one before`() async throws {
        let cluster = try await Self.world()
        let caller = try await cluster.first.caller(mesh: "a")
        let before = cluster.authority.view()
        try await cluster.authority.revokeIdentity(caller.identity, by: Cluster.alice)
        let after = cluster.authority.view()
        try before.standing(of: caller)
        #expect(throws: Refusal.identityRevoked(caller.identity)) { try after.standing(of: caller) }
        #expect(after.edition(of: caller.mesh) > before.edition(of: caller.mesh))
    }
}
