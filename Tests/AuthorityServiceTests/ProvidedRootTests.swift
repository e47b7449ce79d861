import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

/// Roots that an operator brings with their keys.
@Suite("Provided roots", .timeLimit(.minutes(2)))
struct ProvidedRootTests {
    private static let alice = Service.administrator

    private static func authority(_ name: String) -> CertificateAuthority {
        var authority = Cluster.authority(name)
        authority.origin = .provided
        return authority
    }

    private static func put(_ name: String, _ root: ProvidedRoot?, isDryRun: Bool = false, _ cluster: Cluster) async throws
        -> CertificateAuthorityOutcome
    {
        try await cluster.authority.put(
            authority(name), meshes: [], root: root, isDryRun: isDryRun, ifMatch: nil, by: alice)
    }

    private static func bringing(_ root: ProvidedRoot, _ name: String, enabled: Bool, to mesh: Mesh) -> Mesh {
        var next = mesh
        next.mtls?.backends.append(
            Mesh.Backend(
                name: name, kind: .provided(certificate: root.certificate), mode: .strict, leafLifetime: .seconds(60),
                document: "{}"))
        if enabled { next.mtls?.enabledBackend = name }
        return next
    }

    private static func fields(_ error: AuthorityError?) -> [String]? {
        if case .invalid(let parameters)? = error { parameters.map(\.field) } else { nil }
    }

    @Test func `a brought root signs for the meshes that share it, is stored once, and its key comes back to nobody`()
        async throws
    {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders")
        let root = try await BroughtRoots.made("rsa-2048")[0]
        let outcome = try await Self.put("brought", root, cluster)
        #expect(outcome.isCreated && outcome.warnings.isEmpty)
        #expect(outcome.authority.keyAlgorithm == .rsa2048 && outcome.authority.origin == .provided)
        try await cluster.shareAndComplete("brought", "payments", "orders")
        let issuer = try #require(cluster.state.activeIssuer(of: MeshName("payments")))
        #expect(issuer.certificate == root.certificate && issuer.keyFingerprint != nil)
        #expect(cluster.state.activeIssuer(of: try MeshName("orders")) == issuer)
        let chain = try await Service.chain(
            of: cluster.authority.issueLeaf(for: cluster.first.caller(mesh: "payments"), node: "n"))
        #expect(try cluster.authority.verify(chain: chain, mesh: MeshName("orders"), service: nil).isAccepted)
        #expect(!"\(root)".contains("PRIVATE") && !"\(String(reflecting: root))".contains("PRIVATE"))
        // Again, and by the key's fingerprint: nothing new.
        let again = try await Self.put("brought", root, cluster)
        #expect(!again.isCreated)
        let byName = ProvidedRoot(certificate: root.certificate, key: .fingerprint(try #require(issuer.keyFingerprint)))
        _ = try await Self.put("brought", byName, cluster)
        #expect(cluster.state.issuers.values.filter { $0.certificateAuthority == "brought" } == [issuer])
    }

    @Test func `the same key in two CAs is said, and makes no mesh accept another`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders")
        let root = try await BroughtRoots.made("ec-p256")[0]
        _ = try await Self.put("first", root, cluster)
        for isDryRun in [true, false] {
            let second = try await Self.put("second", root, isDryRun: isDryRun, cluster)
            #expect(
                second.warnings.count == 1 && second.warnings[0].contains("'first'") && second.warnings[0].contains("'second'"))
        }
        let mesh = Self.bringing(root, "own", enabled: true, to: try cluster.mesh("payments"))
        let outcome = try await cluster.authority.put(
            mesh, keys: ["own": root.key], ifMatch: nil, by: Self.alice)
        #expect(outcome.warnings.count == 2 && outcome.rotation != nil)
        try await cluster.share("first", "orders")
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        let chain = try await Service.chain(
            of: cluster.authority.issueLeaf(for: cluster.first.caller(mesh: "payments"), node: "n"))
        #expect(try !cluster.authority.verify(chain: chain, mesh: MeshName("orders"), service: nil).isAccepted)
        let caller = try await cluster.first.caller(mesh: "payments")
        #expect(try cluster.authority.trust(.meshTrust, for: caller).context.trustedCA == nil)
    }

    @Test func `what is wrong with a root or its key is refused, by field, and nothing is kept`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments")
        let roots = try await BroughtRoots.made("ec-p256", "leaf", "expired", "key-of-another", "key-encrypted", "key-agreement")
        let before = cluster.state
        for (root, field) in zip(roots.dropFirst(), ["cert", "cert", "key", "key", "cert"]) {
            for isDryRun in [true, false] {
                let error = try await failure { try await Self.put("brought", root, isDryRun: isDryRun, cluster) }
                #expect(Self.fields(error)?.contains(field) == true, "\(String(describing: error))")
            }
            let mesh = Self.bringing(root, "own", enabled: false, to: try cluster.mesh("payments"))
            let error = try await failure {
                try await cluster.authority.put(mesh, keys: ["own": root.key], ifMatch: nil, by: Self.alice)
            }
            #expect(Self.fields(error)?.contains("mtls.backends[1].conf.\(field)") == true, "\(String(describing: error))")
        }
        #expect(Self.fields(try await failure { try await Self.put("brought", nil, cluster) }) != nil)
        let unknown = ProvidedRoot(
            certificate: roots[0].certificate, key: .fingerprint(Fingerprint(sha256: Array(repeating: 7, count: 32))))
        #expect(Self.fields(try await failure { try await Self.put("brought", unknown, cluster) }) == ["key"])
        let keyless = Self.bringing(roots[0], "own", enabled: true, to: try cluster.mesh("payments"))
        let missing = try await failure { try await cluster.authority.put(keyless, ifMatch: nil, by: Self.alice) }
        #expect(Self.fields(missing) == ["mtls.backends[1].conf.key"])
        #expect(cluster.state == before)
    }

    @Test func `another root under the name of a shared CA is refused`() async throws {
        let cluster = try await Cluster.started()
        let roots = try await BroughtRoots.made("ec-p256", "ec-p384")
        _ = try await Self.put("brought", roots[0], cluster)
        let error = try await failure { try await Self.put("brought", roots[1], cluster) }
        #expect("\(String(describing: error))".contains("another name"))
        #expect(cluster.state.issuers.values.map(\.certificate) == [roots[0].certificate])
    }

    @Test func `a mesh brings its own root, kept until it is enabled, and a share keeps it by its fingerprint`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("corp")
        let root = try await BroughtRoots.made("ec-p384")[0]
        let kept = Self.bringing(root, "own", enabled: false, to: try cluster.mesh("payments"))
        _ = try await cluster.authority.put(kept, keys: ["own": root.key], ifMatch: nil, by: Self.alice)
        let issuer = try #require(cluster.state.issuers.values.first { $0.certificateAuthority == "payments.own" })
        #expect(cluster.state.meshIssuers[kept.name]?[issuer.id] == .retired)
        #expect(cluster.state.certificateAuthorities["payments.own"]?.authority.keyAlgorithm == .ecP384)
        try await cluster.shareAndComplete("corp", "payments")
        var enabled = try cluster.mesh("payments")
        enabled.mtls?.enabledBackend = "own"
        let fingerprint = try #require(issuer.keyFingerprint)
        _ = try await cluster.authority.put(
            enabled, keys: ["own": .fingerprint(fingerprint)], leave: true, ifMatch: nil, by: Self.alice)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        #expect(cluster.state.activeIssuer(of: kept.name) == issuer)
        _ = try await cluster.first.authority.issueLeaf(for: cluster.first.caller(mesh: "payments"), node: "n")
    }

    @Test func `a root whose constraints shut a mesh out is joined by that mesh never`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments")
        let root = try await BroughtRoots.made("shut-out")[0]
        _ = try await Self.put("brought", root, cluster)
        let before = cluster.state
        let error = try await failure { try await cluster.share("brought", "payments") }
        #expect({ if case .conflict? = error { true } else { false } }(), "\(String(describing: error))")
        #expect(cluster.state == before)
    }
}
