import Authority
import PKI
import Testing

@Suite struct TrustTests {
    @Test func `a mesh's context binds its own trust domain to its own roots, and no other`() throws {
        let state = try Fixture("payments", "orders").state
        let caller = try Fixture.caller()
        for name in [SecretName.meshTrust, .allTrust, .peers, .destinations] {
            let context = try state.validationContext(name, for: caller)
            #expect(Set(context.trustDomains.keys) == [caller.identity.trustDomain])
            #expect(context.trustDomains[caller.identity.trustDomain] == [[0x30, 1]])
        }
    }

    @Test func `only peers and services carry matchers, and never an empty list`() throws {
        var state = try Fixture("payments").state
        let caller = try Fixture.caller()
        #expect(try state.validationContext(.meshTrust, for: caller).subjectAltNames == nil)
        #expect(try state.validationContext(.allTrust, for: caller).subjectAltNames == nil)
        #expect(try state.validationContext(.destinations, for: caller).subjectAltNames == nil)
        let peers = try state.validationContext(.peers, for: caller).subjectAltNames
        #expect(peers == [.trustDomain(caller.identity.trustDomain)])
        let web = SecretName.service(mesh: caller.mesh, name: "web")
        #expect(throws: Refusal.secretEmpty(name: "web")) { try state.validationContext(web, for: caller) }
        let identity = try SPIFFEID("spiffe://payments/web")
        state.serviceIdentities = [caller.mesh: ["web": [identity]]]
        #expect(try state.validationContext(web, for: caller).subjectAltNames == [.exact(identity)])
        state.revokedIdentities = [identity]
        #expect(throws: Refusal.secretEmpty(name: "web")) { try state.validationContext(web, for: caller) }
    }

    @Test func `a service of another mesh is behind no door`() throws {
        let state = try Fixture("payments", "orders").state
        #expect(throws: Refusal.secretForbidden(name: "orders/web")) {
            try state.validationContext(.service(mesh: MeshName("orders"), name: "web"), for: Fixture.caller())
        }
    }

    @Test(arguments: [
        (IssuerState.prepared, true), (.active, true), (.outgoing, true), (.retired, false), (.revoked, false),
    ])
    func `roots are bound while they are prepared, active or outgoing`(issuerState: IssuerState, isBound: Bool) throws {
        var fixture = try Fixture("payments")
        let mesh = try MeshName("payments")
        try fixture.addIssuer(to: "payments.ca-1", mesh: mesh, state: issuerState, notBefore: Fixture.now + .seconds(1))
        #expect(fixture.state.boundIssuers(of: mesh).count == (isBound ? 2 : 1))
    }

    @Test func `a mesh without a root gives no bundle rather than an empty one`() throws {
        var fixture = try Fixture()
        try fixture.add(mesh: "payments") { $0.mtls?.enabledBackend = nil }
        #expect(throws: Refusal.meshWithoutMTLS(try MeshName("payments"))) {
            try fixture.state.validationContext(.meshTrust, for: Fixture.caller())
        }
    }
}
