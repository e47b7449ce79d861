import Authority
import PKI
import Testing

@Suite struct SecretNameTests {
    let caller: Caller

    init() throws {
        caller = try Fixture.caller()
    }

    @Test(arguments: ["default", "identity_cert:secret:payments", "spiffe://payments/api"])
    func `every alias of the identity means the caller's own`(name: String) throws {
        #expect(try SecretName.parse(name, for: caller) == .identity)
    }

    @Test(arguments: ["ROOTCA", "mesh_ca:secret:payments", "spiffe://payments"])
    func `every alias of the mesh's trust means its own trust domain`(name: String) throws {
        #expect(try SecretName.parse(name, for: caller) == .meshTrust)
    }

    @Test(arguments: ["ALL", "mesh_ca:secret:all"])
    func `every alias of all trust is known`(name: String) throws {
        #expect(try SecretName.parse(name, for: caller) == .allTrust)
    }

    @Test func `peers, destinations and services are read`() throws {
        #expect(try SecretName.parse("mesh_ca:secret:payments:peers", for: caller) == .peers)
        #expect(try SecretName.parse("mesh_ca:secret:payments:destinations", for: caller) == .destinations)
        let own = try SecretName.parse("mesh_ca:secret:payments:service:web", for: caller)
        #expect(own == .service(mesh: caller.mesh, name: "web"))
        let other = try SecretName.parse("mesh_ca:secret:payments:service:orders/web", for: caller)
        #expect(other == .service(mesh: try MeshName("orders"), name: "web"))
    }

    @Test(arguments: [
        "identity_cert:secret:orders", "mesh_ca:secret:orders", "mesh_ca:secret:orders:peers", "spiffe://orders",
        "spiffe://orders/api", "spiffe://payments/web", "spiffe://payments/api/", "spiffe://PAYMENTS/api",
    ])
    func `another mesh's or proxy's secret is forbidden`(name: String) {
        #expect(throws: Refusal.secretForbidden(name: name)) { try SecretName.parse(name, for: caller) }
    }

    @Test(arguments: [
        "", "Default", "rootca", "mesh_ca:secret:", "mesh_ca:secret:payments:", "mesh_ca:secret:payments:peer",
        "mesh_ca:secret:payments:service", "mesh_ca:secret:payments:service:", "mesh_ca:secret:payments:service:a/",
        "mesh_ca:secret:payments:service:/a", "identity_cert:secret:", "foo", "mesh_ca:secret:payments:peers:x",
    ])
    func `a name of no known form is unknown`(name: String) {
        #expect(throws: Refusal.secretUnknown(name: name)) { try SecretName.parse(name, for: caller) }
    }
}
