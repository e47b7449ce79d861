import Authority
import PKI
import Testing

/// The wall between meshes that is the issuer's own: no name constraints, and one root that both trust domains are bound to, so
/// that whatever it signed for the other mesh would be accepted.
@Suite struct `The issuer's own wall between meshes` {
    private let now = Timestamp(seconds: 1_800_000_000)
    private let root: [UInt8] = [0x30, 0x00]

    private func sharedWithoutConstraints() throws -> AuthorityState {
        var state = AuthorityState()
        let id = IssuerID(random: [0, 0, 0, 0, 0, 0, 0, 1])
        state.issuers[id] = Issuer(
            id: id, certificateAuthority: "corp", certificate: root, serial: SerialNumber(bytes: [1]),
            fingerprint: Fingerprint(sha256: [UInt8](repeating: 1, count: 32)), notBefore: now - .seconds(1),
            notAfter: now + .seconds(86_400 * 3650))
        for name in ["payments", "orders"] {
            var mesh = Mesh(
                name: try MeshName(name), trustDomain: try TrustDomain(name),
                mtls: Mesh.MTLS(
                    enabledBackend: "corp",
                    backends: [
                        Mesh.Backend(
                            name: "corp", kind: .shared(authority: "corp"), mode: .strict, leafLifetime: nil, document: "{}")
                    ]))
            mesh.nameConstraints = false
            state.meshes[mesh.name] = AuthorityState.MeshEntry(mesh: mesh, revision: 1, createdAt: now, modifiedAt: now)
            state.meshIssuers[mesh.name] = [id: .active]
        }
        return state
    }

    private func caller(mesh: String, identity: String, service: String) throws -> Caller {
        Caller(
            mesh: try MeshName(mesh), identity: try SPIFFEID(identity), proxy: "proxy-1", tags: ["kuma.io/service": [service]],
            tokenID: "token-1")
    }

    private func grant(_ caller: Caller) throws(Refusal) -> LeafGrant {
        let state: AuthorityState
        do {
            state = try sharedWithoutConstraints()
        } catch {
            Issue.record(error)
            throw .meshUnknown("\(error)")
        }
        return try state.grantLeaf(to: caller, issuingNotAfter: now + .seconds(3600), backdate: .seconds(10), at: now)
    }

    @Test func `the other two are down: both trust domains are bound to the one root`() throws {
        let state = try sharedWithoutConstraints()
        #expect(try state.boundRoots == [TrustDomain("payments"): [root], TrustDomain("orders"): [root]])
        #expect(state.meshes.values.allSatisfy { !$0.mesh.nameConstraints })
    }

    @Test func `a proxy is granted its own mesh's identity`() throws {
        let own = try caller(mesh: "payments", identity: "spiffe://payments/api", service: "api")
        #expect(try grant(own).identity == own.identity)
    }

    @Test(arguments: [
        "spiffe://orders/web", "spiffe://orders/api", "spiffe://payments.orders/api", "spiffe://payment/api",
        "spiffe://payments-2/api",
    ])
    func `a proxy is refused an identity of another trust domain`(identity: String) throws {
        let foreign = try SPIFFEID(identity)
        let service = String(foreign.path.dropFirst())
        #expect(throws: Refusal.identityNotGranted(foreign)) {
            try grant(caller(mesh: "payments", identity: identity, service: service))
        }
    }

    @Test func `no value of a tag leads out of the mesh's trust domain`() throws {
        let state = try sharedWithoutConstraints()
        let mesh = try #require(state.meshes[MeshName("payments")]?.mesh)
        for value in ["/orders/web", "../orders/web", "//orders/web", "spiffe://orders/web", "web@orders", "orders/../web"] {
            do {
                let identity = try mesh.identityPath.identity(in: mesh.trustDomain, tags: ["kuma.io/service": [value]])
                #expect(identity.trustDomain == mesh.trustDomain)
            } catch {
                #expect(error.reason == "identity-value")
            }
        }
    }
}
