import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// Roles that are limited to named meshes: what concerns another mesh is refused, and nothing is changed.
@Suite("Roles limited to meshes", .timeLimit(.minutes(1)))
struct ScopeTests {
    /// An admin of `payments` and `web` alone.
    private static func bob(_ meshes: String...) throws -> Administrator {
        Administrator(
            name: "bob", roles: [.admin], meshes: Set(try meshes.map { try MeshName($0) }), source: "test", requestID: "r-3")
    }

    /// `payments`, `web` and `orders` with CAs of their own, `shared` on `corp`, `spare` unused.
    private static func cluster() async throws -> Cluster {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "web", "orders", "shared")
        try await cluster.makeAuthority("corp", meshes: ["shared"])
        try await cluster.makeAuthority("spare")
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        return cluster
    }

    private static func expectOutOfScope(
        _ cluster: Cluster, naming word: String, at location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws {
        let before = cluster.state
        guard case .refused(.meshOutOfScope(let what))? = try await failure(of: body) else {
            Issue.record("not refused", sourceLocation: location)
            return
        }
        #expect(what.contains(word), "\(what)", sourceLocation: location)
        #expect(cluster.state == before, sourceLocation: location)
    }

    private static func door(_ name: String, _ from: String, _ to: String) throws -> CrossMeshAccess {
        CrossMeshAccess(
            name: name, from: .init(mesh: try MeshName(from), services: nil), to: .init(mesh: try MeshName(to), services: nil))
    }

    @Test func `a mesh is put and deleted by whom it is in reach of`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments", "web", "later")
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            _ = try await cluster.authority.put(cluster.mesh("orders"), ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            _ = try await cluster.authority.put(cluster.mesh("orders"), isDryRun: true, ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            try await cluster.authority.delete(mesh: MeshName("orders"), ifMatch: nil, by: bob)
        }
        // What is not there is no more theirs.
        try await Self.expectOutOfScope(cluster, naming: "nowhere") {
            try await cluster.authority.delete(mesh: MeshName("nowhere"), ifMatch: nil, by: bob)
        }
        _ = try await cluster.authority.put(cluster.mesh("payments"), ifMatch: nil, by: bob)
        _ = try await cluster.authority.put(Service.mesh("later"), ifMatch: nil, by: bob)
        try await cluster.authority.delete(mesh: MeshName("web"), ifMatch: nil, by: bob)
    }

    @Test func `sharing and unsharing need every mesh of the CA`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments", "web")
        let (payments, orders, shared) = (try MeshName("payments"), try MeshName("orders"), try MeshName("shared"))
        try await Self.expectOutOfScope(cluster, naming: "corp") {
            _ = try await cluster.authority.share("corp", with: payments, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "corp") {
            _ = try await cluster.authority.share("corp", with: payments, isDryRun: true, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            _ = try await cluster.authority.share("spare", with: orders, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "shared") {
            _ = try await cluster.authority.unshare("corp", from: shared, by: bob)
        }
        // What is not there is told from what is not theirs by nobody.
        try await Self.expectOutOfScope(cluster, naming: "nowhere") {
            _ = try await cluster.authority.share("nowhere", with: payments, by: bob)
        }
        // The same by a document, enabled or not.
        try await Self.expectOutOfScope(cluster, naming: "corp") {
            var named = try cluster.mesh("payments").sharing("corp")
            named.mtls?.enabledBackend = "ca-1"
            _ = try await cluster.authority.put(named, ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "corp") {
            _ = try await cluster.authority.put(cluster.mesh("payments").sharing("corp"), ifMatch: nil, by: bob)
        }
        _ = try await cluster.authority.share("spare", with: payments, by: bob)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        _ = try await cluster.authority.share("spare", with: MeshName("web"), by: bob)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        // Somebody else joined: from now on it concerns that mesh too.
        try await cluster.share("spare", "orders")
        try await Self.expectOutOfScope(cluster, naming: "spare") {
            _ = try await cluster.authority.unshare("spare", from: payments, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "spare") {
            _ = try await cluster.authority.put(
                cluster.mesh("payments").leaving("spare", for: nil), leave: true, ifMatch: nil, by: bob)
        }
        // What does not change the membership remains theirs.
        var isolated = try cluster.mesh("payments")
        isolated.isolated = true
        _ = try await cluster.authority.put(isolated, ifMatch: nil, by: bob)
        // To open it again lets the others in.
        isolated.isolated = false
        let opened = isolated
        try await Self.expectOutOfScope(cluster, naming: "spare") {
            _ = try await cluster.authority.put(opened, ifMatch: nil, by: bob)
        }
    }

    @Test func `certificate authorities and admin tokens are for whoever is not limited`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments", "web", "orders", "shared")
        try await Self.expectOutOfScope(cluster, naming: "certificate authorities") {
            _ = try await cluster.authority.put(Cluster.authority("lab"), meshes: [], root: nil, ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "certificate authorities") {
            _ = try await cluster.authority.put(
                Cluster.authority("corp"), meshes: [], root: nil, isDryRun: true, ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "certificate authorities") {
            try await cluster.authority.delete(certificateAuthority: "spare", ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "admin tokens") {
            _ = try await cluster.authority.issueUserToken(
                UserTokenRequest(name: "eve", roles: [.viewer], meshes: [MeshName("payments")], validFor: nil), by: bob)
        }
    }

    @Test func `a door needs both of its meshes, as it was and as it is to be`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments", "web")
        for (from, to) in [("payments", "orders"), ("orders", "payments")] {
            try await Self.expectOutOfScope(cluster, naming: "orders") {
                _ = try await cluster.authority.put(Self.door("d", from, to), ifMatch: nil, by: bob)
            }
        }
        _ = try await cluster.authority.put(Self.door("mine", "payments", "web"), ifMatch: nil, by: bob)
        _ = try await cluster.authority.put(Self.door("theirs", "orders", "payments"), ifMatch: nil, by: Cluster.alice)
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            _ = try await cluster.authority.put(Self.door("theirs", "web", "payments"), ifMatch: nil, by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            try await cluster.authority.delete(crossMeshAccess: "theirs", ifMatch: nil, by: bob)
        }
        try await cluster.authority.delete(crossMeshAccess: "mine", ifMatch: nil, by: bob)
    }

    @Test func `a MeshService needs its mesh`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments")
        func service(_ mesh: String) throws -> MeshService {
            MeshService(mesh: try MeshName(mesh), name: "api", selector: ["app": "api"], document: "{}")
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            _ = try await cluster.authority.put(service("orders"), ifMatch: nil, by: bob)
        }
        _ = try await cluster.authority.put(service("orders"), ifMatch: nil, by: Cluster.alice)
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            try await cluster.authority.delete(meshService: "api", in: MeshName("orders"), ifMatch: nil, by: bob)
        }
        _ = try await cluster.authority.put(service("payments"), ifMatch: nil, by: bob)
        try await cluster.authority.delete(meshService: "api", in: MeshName("payments"), ifMatch: nil, by: bob)
    }

    @Test func `tokens and identities are given and taken in reach alone`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments")
        func request(_ mesh: String) throws -> DataplaneTokenRequest {
            DataplaneTokenRequest(
                mesh: try MeshName(mesh), name: "p", tags: ["kuma.io/service": ["api"]], validFor: nil)
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            _ = try await cluster.authority.issueDataplaneToken(request("orders"), by: bob)
        }
        for mesh in ["orders", "payments"] {
            _ = try await cluster.authority.issueDataplaneToken(request(mesh), by: Cluster.alice)
        }
        _ = try await cluster.authority.issueUserToken(
            UserTokenRequest(name: "carol", roles: [.viewer], validFor: nil), by: Cluster.alice)
        for record in try await cluster.authority.tokens(TokenQuery()).items {
            switch record.mesh?.name {
            case "payments": try await cluster.authority.revokeToken(record.id, by: bob)
            case let mesh:
                try await Self.expectOutOfScope(cluster, naming: mesh ?? "admin tokens") {
                    try await cluster.authority.revokeToken(record.id, by: bob)
                }
            }
        }
        try await Self.expectOutOfScope(cluster, naming: "orders") {
            try await cluster.authority.revokeIdentity(SPIFFEID("spiffe://orders/api"), by: bob)
        }
        try await Self.expectOutOfScope(cluster, naming: "no mesh") {
            try await cluster.authority.revokeIdentity(SPIFFEID("spiffe://nobody/api"), by: bob)
        }
        try await cluster.authority.revokeIdentity(SPIFFEID("spiffe://payments/api"), by: bob)
    }

    @Test func `a token says which meshes its roles hold for, and no other`() async throws {
        let cluster = try await Self.cluster()
        func administrator(_ meshes: Set<MeshName>?) async throws -> Administrator {
            let token = try await cluster.authority.issueUserToken(
                UserTokenRequest(name: "bob", roles: [.admin], meshes: meshes, validFor: nil), by: Cluster.alice)
            return try await cluster.authority.administrator(token: token, source: "s", requestID: "r")
        }
        let chosen = Set([try MeshName("payments"), try MeshName("web")])
        #expect(try await administrator(chosen).meshes == chosen)
        #expect(try await administrator(nil).meshes == nil)
        for bad in [Set<MeshName>(), [try MeshName("nowhere")]] {
            guard case .invalid(let parameters)? = try await failure(of: { try await administrator(bad) }) else {
                Issue.record("not refused: \(bad)")
                continue
            }
            #expect(parameters.map(\.field) == ["meshes"])
        }
    }

    @Test func `a refusal is in the audit trail under the administrator's name`() async throws {
        let cluster = try await Self.cluster()
        let bob = try Self.bob("payments")
        _ = try await failure { try await cluster.authority.delete(mesh: MeshName("orders"), ifMatch: nil, by: bob) }
        let row = try await cluster.whileRunning {
            try await eventually(within: .seconds(10), "the row") { () async throws -> AuditEntry? in
                cluster.disk.store.audit.last { $0.details["reason"] == "mesh-out-of-scope" }
            }
        }
        let orders = try MeshName("orders")
        #expect(row.actor == "user:bob" && row.mesh == orders && row.requestID == "r-3")
    }
}
