import Authority
import PKI

/// A state with the meshes that a test names, each with a certificate authority of its own and one active issuer.
struct Fixture {
    static let now = Timestamp(seconds: 1_800_000_000)
    var state = AuthorityState()

    init(_ meshes: String...) throws {
        for name in meshes { try add(mesh: name) }
    }

    mutating func add(mesh name: String, change: (inout Mesh) throws -> Void = { _ in }) throws {
        var mesh = try Fixture.mesh(name)
        try change(&mesh)
        state.revision += 1
        state.meshes[mesh.name] = AuthorityState.MeshEntry(
            mesh: mesh, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
        guard let backend = mesh.enabledBackend else { return }
        if case .shared(let authority) = backend.kind {
            guard let issuer = state.currentIssuer(of: authority, at: Fixture.now) else { throw Missing(what: authority) }
            state.meshIssuers[mesh.name] = [issuer.id: .active]
            return
        }
        let name = mesh.certificateAuthorityName(of: backend)
        add(authority: name, owner: mesh.name, origin: backend.isProvided ? .provided : .generated)
        let issuer = try addIssuer(to: name, mesh: mesh.name, state: .active)
        if case .provided(let certificate) = backend.kind { state.issuers[issuer]?.certificate = certificate }
    }

    /// A thing that the test wanted is not there.
    struct Missing: Error {
        var what: String
    }

    /// A certificate authority without a root.
    mutating func add(
        authority name: String, owner: MeshName?, origin: CertificateAuthority.Origin = .generated,
        retireAfter: RetireAfter = .expired
    ) {
        state.certificateAuthorities[name] = AuthorityState.CertificateAuthorityEntry(
            authority: CertificateAuthority(
                name: name, keyAlgorithm: .ecP256, expiration: .seconds(86_400 * 3650), owner: owner, origin: origin,
                retireAfter: retireAfter),
            revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
    }

    /// A certificate authority that meshes may share, with a root that nobody uses yet.
    @discardableResult
    mutating func add(
        sharedAuthority name: String, origin: CertificateAuthority.Origin = .generated, retireAfter: RetireAfter = .expired
    ) throws -> IssuerID {
        add(authority: name, owner: nil, origin: origin, retireAfter: retireAfter)
        return try addIssuer(to: name)
    }

    /// A mesh whose only backend is a shared certificate authority that is there, enabled, with nothing on its way.
    mutating func add(mesh name: String, sharing authority: String, change: (inout Mesh) throws -> Void = { _ in }) throws {
        try add(mesh: name) { mesh in
            mesh.mtls = Mesh.MTLS(enabledBackend: authority, backends: [Fixture.shared(authority)])
            try change(&mesh)
        }
    }

    @discardableResult
    mutating func addIssuer(
        to authority: String, mesh: MeshName? = nil, state issuerState: IssuerState = .active, notBefore: Timestamp = Fixture.now
    ) throws -> IssuerID {
        let number = UInt8(state.issuers.count + 1)
        let id = IssuerID(random: [0, 0, 0, 0, 0, 0, 0, number])
        state.issuers[id] = Issuer(
            id: id, certificateAuthority: authority, certificate: [0x30, number], serial: SerialNumber(bytes: [number]),
            fingerprint: Fingerprint(sha256: [UInt8](repeating: number, count: 32)), notBefore: notBefore,
            notAfter: notBefore + .seconds(86_400 * 3650))
        if let mesh { state.meshIssuers[mesh, default: [:]][id] = issuerState }
        return id
    }

    static func mesh(_ name: String, backend: String? = "ca-1") throws -> Mesh {
        Mesh(
            name: try MeshName(name), trustDomain: try TrustDomain(name),
            mtls: Mesh.MTLS(enabledBackend: backend, backends: backend.map { [Fixture.backend($0)] } ?? []))
    }

    static func backend(_ name: String, keyAlgorithm: KeyAlgorithm = .ecP256) -> Mesh.Backend {
        Mesh.Backend(
            name: name, kind: .builtin(keyAlgorithm: keyAlgorithm, expiration: .seconds(86_400 * 3650)), mode: .strict,
            leafLifetime: nil, document: "{}")
    }

    static func shared(_ authority: String) -> Mesh.Backend {
        Mesh.Backend(
            name: authority, kind: .shared(authority: authority), mode: .strict, leafLifetime: nil, document: "{}")
    }

    static func provided(_ name: String, _ certificate: [UInt8]) -> Mesh.Backend {
        Mesh.Backend(
            name: name, kind: .provided(certificate: certificate), mode: .strict, leafLifetime: nil, document: "{}")
    }

    static func caller(mesh: String = "payments", service: String = "api") throws -> Caller {
        Caller(
            mesh: try MeshName(mesh), identity: try SPIFFEID("spiffe://\(mesh)/\(service)"), proxy: "proxy-1",
            tags: ["kuma.io/service": [service]], tokenID: "token-1")
    }

    static func claims(
        keyMesh: String = "payments", mesh: String = "payments", name: String = "proxy-1",
        tags: [String: [String]] = ["kuma.io/service": ["api"]], from: Timestamp = now - .seconds(1),
        to: Timestamp = now + .seconds(60)
    ) throws -> TokenClaims {
        TokenClaims(
            keyMesh: try MeshName(keyMesh), mesh: mesh, name: name, tags: tags, id: "token-1", notBefore: from, expiresAt: to)
    }
}

extension Mesh.Backend {
    fileprivate var isProvided: Bool { if case .provided = kind { true } else { false } }
}
