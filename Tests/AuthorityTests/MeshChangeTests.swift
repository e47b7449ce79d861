import Authority
import PKI
import Testing

@Suite struct MeshChangeTests {
    let now = Fixture.now

    @Test func `a new mesh gets a certificate authority named for mesh and backend`() throws {
        let directives = try AuthorityState().directives(toApply: Fixture.mesh("payments"), connected: [], at: now)
        guard case .createCertificateAuthority(let authority) = directives.first else {
            Issue.record("\(directives)")
            return
        }
        #expect(directives.count == 1)
        #expect(authority.name == "payments.ca-1")
        #expect(authority.owner?.name == "payments")
    }

    @Test func `a mesh as it stands asks for nothing`() throws {
        let state = try Fixture("payments").state
        #expect(try state.directives(toApply: Fixture.mesh("payments"), connected: ["p"], at: now) == [])
    }

    @Test func `a trust domain is one mesh's alone, and for good`() throws {
        let state = try Fixture("payments").state
        var other = try Fixture.mesh("orders")
        other.trustDomain = try TrustDomain("payments")
        #expect(throws: MeshChangeRefusal.self) { try state.directives(toApply: other, connected: [], at: now) }
        var same = try Fixture.mesh("payments")
        same.trustDomain = try TrustDomain("billing")
        #expect(throws: MeshChangeRefusal.self) { try state.directives(toApply: same, connected: [], at: now) }
    }

    @Test func `mTLS is not switched off under connected proxies`() throws {
        let state = try Fixture("payments").state
        var off = try Fixture.mesh("payments")
        off.mtls?.enabledBackend = nil
        #expect {
            try state.directives(toApply: off, connected: ["proxy-1"], at: now)
        } throws: { "\($0)".contains("proxy-1") }
        let issuer = try #require(state.activeIssuer(of: off.name)?.id)
        #expect(try state.directives(toApply: off, connected: [], at: now) == [.retire(issuer, from: .active)])
    }

    @Test func `mTLS switched on again takes up the root that there was`() throws {
        var state = try Fixture("payments").state
        let mesh = try MeshName("payments")
        let issuer = try #require(state.activeIssuer(of: mesh)?.id)
        state.meshIssuers[mesh] = [issuer: .retired]
        state.meshes[mesh]?.mesh.mtls?.enabledBackend = nil
        let directives = try state.directives(toApply: Fixture.mesh("payments"), connected: [], at: now)
        #expect(directives == [.resume(issuer, from: .retired)])
    }

    @Test func `the CA is never replaced under live traffic by an edit`() throws {
        let state = try Fixture("payments").state
        var moved = try Fixture.mesh("payments")
        moved.mtls?.backends.append(Fixture.backend("ca-2"))
        moved.mtls?.enabledBackend = "ca-2"
        #expect(throws: MeshChangeRefusal.self) { try state.directives(toApply: moved, connected: [], at: now) }
        var retyped = try Fixture.mesh("payments")
        retyped.mtls?.backends = [Fixture.backend("ca-1", keyAlgorithm: .rsa2048)]
        #expect(throws: MeshChangeRefusal.self) { try state.directives(toApply: retyped, connected: [], at: now) }
    }

    @Test func `a backend that is gone takes its certificate authority along`() throws {
        var state = try Fixture("payments").state
        let mesh = try MeshName("payments")
        state.meshes[mesh]?.mesh.mtls?.enabledBackend = nil
        let none = try Fixture.mesh("payments", backend: nil)
        let directives = try state.directives(toApply: none, connected: [], at: now)
        #expect(directives.contains(.deleteCertificateAuthority(name: "payments.ca-1")))
    }
}
