import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

/// Proxies under one certificate authority, which is a mesh's own or shared by two, and every one of them talks to every other.
struct SharedWorld {
    enum Ownership: CaseIterable {
        case own, shared
    }

    let cluster: Cluster
    /// Of the certificate authority.
    let name: String
    let meshes: [MeshName]
    let proxies: [FollowingProxy]

    static let alice = Service.administrator

    /// `payments` with two proxies, at the first and at the last replica, and where it is shared, `orders` with one.
    init(
        _ ownership: Ownership = .shared, replicas: Int = 1, authority: CertificateAuthority? = nil,
        root: ProvidedRoot? = nil, _ configure: (inout AuthoritySettings) -> Void = { _ in }
    ) async throws {
        cluster = try await Cluster.started(replicas, configure)
        let last = try #require(cluster.replicas.last)
        try await cluster.first.makeMesh("payments", leafLifetime: .seconds(60))
        switch ownership {
        case .own:
            name = "payments.ca-1"
            meshes = [try MeshName("payments")]
        case .shared:
            name = "corp"
            meshes = [try MeshName("orders"), try MeshName("payments")]
            try await cluster.makeMeshes("orders")
            _ = try await cluster.authority.put(
                authority ?? Cluster.authority("corp"), meshes: [], root: root, ifMatch: nil, by: Self.alice)
            for mesh in meshes { try await cluster.share("corp", mesh.name) }
        }
        try await cluster.whileRunning { [cluster] in
            // No dwell ends while the clock stands still.
            try await cluster.awaitEnd { cluster.clock.advance(by: cluster.authority.settings.rotationDwell / 2) }
        }
        var proxies = [
            try await FollowingProxy.connected("payments", "api", at: cluster.first),
            try await FollowingProxy.connected("payments", "web", at: last),
        ]
        if ownership == .shared { proxies.append(try await FollowingProxy.connected("orders", "job", at: last)) }
        self.proxies = proxies
    }

    /// A world that a test has set up itself.
    init(cluster: Cluster, name: String, meshes: [MeshName], proxies: [FollowingProxy]) {
        self.cluster = cluster
        self.name = name
        self.meshes = meshes
        self.proxies = proxies
    }

    var state: AuthorityState { cluster.state }
    var authority: MeshAuthority { cluster.authority }
    var rotation: Rotation {
        get throws { try #require(cluster.rotations.last).rotation }
    }
    var active: IssuerID {
        get throws { try #require(state.activeIssuer(of: meshes[0])).id }
    }
    var identities: Set<SPIFFEID> { Set(proxies.map(\.caller.identity)) }

    func follow(bundles: Bool = true, leaf: Bool = true) async throws {
        for proxy in proxies { try await proxy.follow(bundles: bundles, leaf: leaf) }
    }

    @discardableResult
    func rotate(isManual: Bool = false, retireAfter: RetireAfter? = .reissued) async throws -> Rotation {
        try await authority.rotate(
            RotationRequest(certificateAuthority: name, isManual: isManual, retireAfter: retireAfter), by: Self.alice
        ).rotation
    }

    func steer(_ order: RotationOrder, reason: String? = nil) async throws -> RotationOverview {
        try await authority.steer(rotation.id, order, reason: reason, by: Self.alice)
    }

    /// Law 9: by the chains and contexts that they hold.
    func expectTalk(_ at: SourceLocation = #_sourceLocation) throws {
        for from in proxies {
            for to in proxies where from !== to { #expect(try from.accepts(to), sourceLocation: at) }
        }
    }

    /// What each mesh's issuers are to it, as the operator sees the end of a rotation.
    func expectSettled(on issuer: IssuerID, _ at: SourceLocation = #_sourceLocation) {
        for mesh in meshes {
            #expect(state.boundIssuers(of: mesh).map(\.id) == [issuer], sourceLocation: at)
            #expect(state.meshIssuers[mesh]?[issuer] == .active, sourceLocation: at)
        }
        cluster.expectLaws(at)
    }

    func events() async throws -> [String] {
        try await authority.rotation(rotation.id).events.map(\.event)
    }

    func audited(_ object: String? = nil) throws -> [String] {
        let id = try object ?? rotation.id
        return cluster.disk.store.audit.filter { $0.object == id }.map(\.action)
    }
}

extension Cluster {
    /// Laws 1, 4 and 5, by what is stored: one active issuer for a mesh with mTLS, one rotation at most, each issuer with a key.
    func expectLaws(_ at: SourceLocation = #_sourceLocation) {
        let store = disk.store
        let state = store.state.authority
        let running = store.rotations.map(\.rotation).filter(\.phase.isRunning)
        for entry in state.meshes.values where entry.mesh.enabledAuthority != nil {
            let issuers = state.meshIssuers[entry.mesh.name] ?? [:]
            #expect(issuers.values.filter { $0 == .active }.count == 1, sourceLocation: at)
            let own = running.filter { $0.meshes.contains(entry.mesh.name) }
            #expect(own.count <= 1, sourceLocation: at)
            let most = own.contains { $0.kind != .revoke } ? 2 : 1
            #expect(issuers.values.filter(\.isBound).count <= most, sourceLocation: at)
            for (id, use) in issuers {
                #expect(state.issuers[id] != nil, sourceLocation: at)
                #expect(state.issuers[id]?.revokedAt == nil || !use.isBound, sourceLocation: at)
            }
            if own.isEmpty {
                #expect(
                    state.activeIssuer(of: entry.mesh.name)?.certificateAuthority == entry.mesh.enabledAuthority,
                    sourceLocation: at)
            }
        }
        let replaced = running.filter { $0.kind != .move }.map(\.certificateAuthority)
        #expect(Set(replaced).count == replaced.count, sourceLocation: at)
        #expect(Set(store.state.issuerKeys.keys) == Set(state.issuers.keys), sourceLocation: at)
        #expect(Set(store.certificates.map(\.serial)).count == store.certificates.count, sourceLocation: at)
        for rotation in running.compactMap(\.crossCertificate) {
            let facts = try? CertificateFacts(der: rotation.certificate)
            #expect(store.certificates.contains { $0.kind == .cross && $0.serial == facts?.serial }, sourceLocation: at)
        }
    }
}

/// The kind of an error, for a comparison.
extension AuthorityError? {
    var isConflict: Bool { if case .conflict? = self { true } else { false } }
    var isLedger: Bool { if case .ledger? = self { true } else { false } }
    var isNotFound: Bool { if case .notFound? = self { true } else { false } }
    var isOutOfScope: Bool { if case .refused(.meshOutOfScope)? = self { true } else { false } }
    /// Of an invalid request.
    var fields: [String]? { if case .invalid(let parameters)? = self { parameters.map(\.field) } else { nil } }
    var text: String { self.map { "\($0)" } ?? "no error" }
}
