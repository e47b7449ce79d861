import Authority
import PKI
import Testing

@Suite struct AuthenticateTests {
    let fixture: Fixture

    init() throws {
        fixture = try Fixture("payments", "orders")
    }

    @Test func `a token's tags become the identity, and its name the proxy`() throws {
        let caller = try fixture.state.caller(with: Fixture.claims(), nodeID: "node-7", at: Fixture.now)
        #expect(caller.identity.uri == "spiffe://payments/api")
        #expect(caller.proxy == "proxy-1")
        #expect(caller.service == "api")
    }

    @Test func `a token without a name leaves the naming to the node id, and then to the path`() throws {
        let claims = try Fixture.claims(name: "")
        #expect(try fixture.state.caller(with: claims, nodeID: "node-7", at: Fixture.now).proxy == "node-7")
        #expect(try fixture.state.caller(with: claims, nodeID: "", at: Fixture.now).proxy == "/api")
    }

    @Test func `a token whose claim names another mesh than its key's is refused`() throws {
        #expect(throws: Refusal.tokenOfAnotherMesh) {
            try fixture.state.caller(
                with: Fixture.claims(keyMesh: "payments", mesh: "orders"), nodeID: "", at: Fixture.now)
        }
    }

    @Test func `a token is good from its beginning and no longer at its end`() throws {
        let claims = try Fixture.claims(from: Fixture.now, to: Fixture.now + .seconds(10))
        #expect(throws: Refusal.tokenNotYetValid(from: Fixture.now)) {
            try fixture.state.caller(with: claims, nodeID: "", at: Fixture.now - .milliseconds(1))
        }
        _ = try fixture.state.caller(with: claims, nodeID: "", at: Fixture.now)
        _ = try fixture.state.caller(with: claims, nodeID: "", at: Fixture.now + .milliseconds(9999))
        #expect(throws: Refusal.tokenExpired(at: Fixture.now + .seconds(10))) {
            try fixture.state.caller(with: claims, nodeID: "", at: Fixture.now + .seconds(10))
        }
    }

    @Test(arguments: [[:], ["kuma.io/service": ["a", "b"]], ["kuma.io/service": []]])
    func `a tag in the identity path with no value or two is refused`(tags: [String: [String]]) throws {
        #expect(throws: Refusal.identityTag(tag: "kuma.io/service", values: tags["kuma.io/service"]?.count ?? 0)) {
            try fixture.state.caller(with: Fixture.claims(tags: tags), nodeID: "", at: Fixture.now)
        }
    }

    @Test(arguments: ["a/b", "..", ".", "a b", "a%20", "", "ä"])
    func `a tag's value that is not one path segment is refused`(value: String) throws {
        #expect {
            try fixture.state.caller(
                with: Fixture.claims(tags: ["kuma.io/service": [value]]), nodeID: "", at: Fixture.now)
        } throws: { ($0 as? Refusal)?.reason == "identity-value" }
    }

    @Test func `a revoked token, identity or deleted mesh ends the standing of whoever was let in`() throws {
        let caller = try fixture.state.caller(with: Fixture.claims(), nodeID: "", at: Fixture.now)
        try fixture.state.confirmStanding(of: caller, at: Fixture.now)
        var state = fixture.state
        state.revokedTokens = ["token-1"]
        #expect(throws: Refusal.tokenRevoked(id: "token-1")) { try state.confirmStanding(of: caller, at: Fixture.now) }
        state = fixture.state
        state.revokedIdentities = [caller.identity]
        #expect(throws: Refusal.identityRevoked(caller.identity)) {
            try state.confirmStanding(of: caller, at: Fixture.now)
        }
        state = fixture.state
        state.meshes.removeValue(forKey: caller.mesh)
        #expect(throws: Refusal.meshUnknown("payments")) { try state.confirmStanding(of: caller, at: Fixture.now) }
    }

    @Test func `the token's end does not end a stream that it opened`() throws {
        let claims = try Fixture.claims()
        let caller = try fixture.state.caller(with: claims, nodeID: "", at: Fixture.now)
        try fixture.state.confirmStanding(of: caller, at: claims.expiresAt + .seconds(3600))
    }

    @Test func `a changed identity path takes the identity away from whoever holds it`() throws {
        let caller = try fixture.state.caller(with: Fixture.claims(), nodeID: "", at: Fixture.now)
        var state = fixture.state
        state.meshes[caller.mesh]?.mesh.identityPath = try IdentityPath("/svc/{kuma.io/service}")
        #expect(throws: Refusal.identityNotGranted(caller.identity)) {
            try state.confirmStanding(of: caller, at: Fixture.now)
        }
    }

    @Test func `a certificate authenticates the leaf that the ledger knows, and nobody else`() throws {
        let identity = try SPIFFEID("spiffe://payments/api")
        let issuer = try #require(fixture.state.activeIssuer(of: MeshName("payments"))?.id)
        var record = CertificateRecord(
            serial: SerialNumber(bytes: [1]), kind: .leaf, mesh: try MeshName("payments"),
            certificateAuthority: "payments.ca-1", issuer: issuer, signedBy: SerialNumber(bytes: [2]), identity: identity,
            notBefore: Fixture.now, notAfter: Fixture.now + .seconds(60),
            digest: Fingerprint(sha256: [UInt8](repeating: 0, count: 32)), issuedAt: Fixture.now,
            origin: CertificateRecord.Origin(tokenID: "token-1", proxy: "p", tags: ["kuma.io/service": ["api"]]))
        let state = fixture.state
        let caller = try state.caller(with: record, identity: identity, notAfter: record.notAfter, at: Fixture.now)
        #expect(caller.tokenID == "token-1")
        #expect(throws: Refusal.certificateNotRecorded(record.serial)) {
            try state.caller(
                with: record, identity: SPIFFEID("spiffe://payments/web"), notAfter: record.notAfter, at: Fixture.now)
        }
        #expect(throws: Refusal.chain(.expired(subject: identity.uri, notAfter: record.notAfter))) {
            try state.confirmStanding(of: caller, at: record.notAfter)
        }
        record.kind = .issuing
        #expect(throws: Refusal.certificateNotRecorded(record.serial)) {
            try state.caller(with: record, identity: identity, notAfter: record.notAfter, at: Fixture.now)
        }
        record.kind = .leaf
        // Once its root has gone nobody comes in by it; an open stream stays, for over it comes the next certificate.
        for use in [IssuerState.revoked, .retired] {
            var changed = state
            changed.meshIssuers[caller.mesh]?[issuer] = use
            #expect(throws: Refusal.chain(.untrustedRoot(identity.trustDomain))) {
                try changed.caller(with: record, identity: identity, notAfter: record.notAfter, at: Fixture.now)
            }
            #expect(throws: Never.self) { try changed.confirmStanding(of: caller, at: Fixture.now) }
        }
        var deleted = state
        deleted.meshIssuers[caller.mesh]?[issuer] = nil
        #expect(throws: Refusal.chain(.untrustedRoot(identity.trustDomain))) {
            try deleted.confirmStanding(of: caller, at: Fixture.now)
        }
    }
}
