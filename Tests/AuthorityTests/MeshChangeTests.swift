import Authority
import PKI
import Testing

@Suite struct MeshChangeTests {
    let now = Fixture.now

    @Test func `a new mesh gets a certificate authority named for mesh and backend`() throws {
        let directives = try AuthorityState().directives(toApply: Fixture.mesh("payments"), connected: [], at: now)
        guard case .createCertificateAuthority(let authority, let backend, let use) = directives.first else {
            Issue.record("\(directives)")
            return
        }
        #expect(directives.count == 1)
        #expect(authority.name == "payments.ca-1")
        #expect(authority.owner?.name == "payments")
        #expect(backend == "ca-1" && use == .active)
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
        // Its certificate authority's row changes, so that a rotation which starts at this moment is excluded.
        #expect(
            try state.directives(toApply: off, connected: [], at: now) == [
                .retire(issuer, from: .active), .touch(certificateAuthority: "payments.ca-1"),
            ])
    }

    @Test func `mTLS switched on again takes up the root that there was`() throws {
        var state = try Fixture("payments").state
        let mesh = try MeshName("payments")
        let issuer = try #require(state.activeIssuer(of: mesh)?.id)
        state.meshIssuers[mesh] = [issuer: .retired]
        state.meshes[mesh]?.mesh.mtls?.enabledBackend = nil
        let directives = try state.directives(toApply: Fixture.mesh("payments"), connected: [], at: now)
        #expect(directives == [.use(issuer, from: .retired, as: .active)])
    }

    @Test func `another key type is a matter for another root, which a rotation brings`() throws {
        let state = try Fixture("payments").state
        var retyped = try Fixture.mesh("payments")
        retyped.mtls?.backends = [Fixture.backend("ca-1", keyAlgorithm: .rsa2048)]
        let directives = try state.directives(toApply: retyped, connected: ["p"], at: now)
        guard case .replaceRoot(let authority)? = directives.first, directives.count == 1 else {
            Issue.record("\(directives)")
            return
        }
        #expect(authority.name == "payments.ca-1" && authority.keyAlgorithm == .rsa2048)
    }

    @Test func `another life of the root changes the terms of the next, and no root`() throws {
        let state = try Fixture("payments").state
        var longer = try Fixture.mesh("payments")
        longer.mtls?.backends[0].kind = .builtin(keyAlgorithm: .ecP256, expiration: .seconds(86_400 * 7300))
        let directives = try state.directives(toApply: longer, connected: ["p"], at: now)
        guard case .replaceCertificateAuthority(let authority)? = directives.first, directives.count == 1 else {
            Issue.record("\(directives)")
            return
        }
        #expect(authority.expiration == .seconds(86_400 * 7300))
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
