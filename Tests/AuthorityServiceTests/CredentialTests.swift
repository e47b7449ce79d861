import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite struct CredentialTests {
    private func refusal(of credentials: ProxyCredentials, by service: Service) async -> String? {
        do {
            _ = try await service.authority.authenticate(credentials)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `a token opens the door as the identity that its tags give`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        #expect(caller.identity.uri == "spiffe://default/api")
    }

    @Test func `garbage, altered, foreign and admin tokens are refused`() async throws {
        let service = try await Service.started()
        let token = try await service.token()
        let other = try await Service.started()
        let foreign = try await other.token()
        let admin = try await service.authority.issueUserToken(
            UserTokenRequest(name: "bob", roles: [.admin], validFor: nil), by: Service.administrator)
        let parts = token.split(separator: ".")
        let unsigned = "eyJhbGciOiJub25lIn0.\(parts[1])."
        for bad in [
            "", "x", "a.b.c", String(token.dropLast(2)) + "AA", foreign, admin, unsigned, "\(parts[0]).\(parts[1]).",
            String(repeating: "a", count: 20_000),
        ] {
            #expect(await refusal(of: Service.credentials(token: bad), by: service) == "token-invalid", "\(bad.prefix(40))")
        }
        #expect(await refusal(of: Service.credentials(), by: service) == "credential-missing")
    }

    @Test func `a token is refused at its end, and on a certificate door without a certificate`() async throws {
        let service = try await Service.started()
        let token = try await service.token(validFor: .seconds(60))
        #expect(await refusal(of: Service.credentials(token: token), by: service) == nil)
        #expect(
            await refusal(of: Service.credentials(token: token, requiresCertificate: true), by: service) == "no-certificate")
        service.clock.advance(by: .seconds(60))
        #expect(await refusal(of: Service.credentials(token: token), by: service) == "token-expired")
    }

    @Test func `an identity certificate opens the door as the token that it descends from`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let leaf = try await service.authority.issueLeaf(for: caller, node: "node-1")
        let chain = try Service.chain(of: leaf)
        #expect(service.authority.verifyHandshake(chain: chain, source: "s") == nil)
        let again = try await service.authority.authenticate(
            Service.credentials(chain: chain, requiresCertificate: true))
        #expect(again.identity == caller.identity)
        #expect(again.tokenID == caller.tokenID)
        #expect(again.certificate?.serial == leaf.serial)
        let agreeing = Service.credentials(token: try await service.token(), chain: chain, requiresCertificate: true)
        #expect(await refusal(of: agreeing, by: service) == nil)
        let disagreeing = Service.credentials(
            token: try await service.token(service: "web"), chain: chain, requiresCertificate: true)
        #expect(await refusal(of: disagreeing, by: service) == "credentials-disagree")
    }

    @Test func `a certificate of a foreign CA is refused at the handshake and at the call, even of the same names`() async throws
    {
        let service = try await Service.started()
        let foreign = try await Service.started()
        let chain = try await Service.chain(of: foreign.authority.issueLeaf(for: foreign.caller(), node: "node-1"))
        let atHandshake = service.authority.verifyHandshake(chain: chain, source: "s")
        #expect(atHandshake != nil)
        #expect(
            await refusal(of: Service.credentials(chain: chain, requiresCertificate: true), by: service)
                == atHandshake?.reason)
    }

    @Test func `an expired certificate, a leaf alone and an issuing certificate are refused`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments", leafLifetime: .seconds(30))
        let chain = try await Service.chain(
            of: service.authority.issueLeaf(for: service.caller(mesh: "payments"), node: "node-1"))
        #expect(service.authority.verifyHandshake(chain: chain, source: "s") == nil)
        #expect(service.authority.verifyHandshake(chain: [chain[0]], source: "s")?.reason == "untrusted-root")
        #expect(service.authority.verifyHandshake(chain: [chain[1]], source: "s") != nil)
        #expect(service.authority.verifyHandshake(chain: [], source: "s")?.reason == "no-certificate")
        service.clock.advance(by: .seconds(31))
        #expect(service.authority.verifyHandshake(chain: chain, source: "s")?.reason == "expired")
    }

    @Test func `what a handshake proved does not outlast the certificate`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments", leafLifetime: .seconds(30))
        let chain = try await Service.chain(
            of: service.authority.issueLeaf(for: service.caller(mesh: "payments"), node: "node-1"))
        let credentials = Service.credentials(chain: chain, requiresCertificate: true)
        #expect(service.authority.verifyHandshake(chain: chain, source: "s") == nil)
        #expect(await refusal(of: credentials, by: service) == nil)
        #expect(service.authority.verifyHandshake(chain: chain, source: "s") == nil)
        service.clock.advance(by: .seconds(31))
        #expect(await refusal(of: credentials, by: service) == "expired")
    }

    @Test func `revoking a token takes both credentials away at once and wakes the streams`() async throws {
        let service = try await Service.started()
        let token = try await service.token()
        let caller = try await service.authority.authenticate(Service.credentials(token: token))
        let chain = try await Service.chain(of: service.authority.issueLeaf(for: caller, node: "node-1"))
        let changes = service.authority.changes()
        try await service.authority.revokeToken(caller.tokenID, by: Service.administrator)
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() != nil)
        #expect(throws: Refusal.tokenRevoked(id: caller.tokenID)) { try service.authority.standing(of: caller) }
        #expect(await refusal(of: Service.credentials(token: token), by: service) == "token-revoked")
        #expect(
            await refusal(of: Service.credentials(chain: chain, requiresCertificate: true), by: service)
                == "token-revoked")
    }

    @Test func `revoking an identity refuses every token and certificate of it, and no other`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        try await service.authority.revokeIdentity(caller.identity, by: Service.administrator)
        #expect(throws: Refusal.identityRevoked(caller.identity)) { try service.authority.standing(of: caller) }
        await #expect(throws: AuthorityError.refused(.identityRevoked(caller.identity))) { try await service.token() }
        _ = try await service.caller(service: "web")
    }

    @Test func `an operator revokes a proxy's token and not an administrator's`() async throws {
        let service = try await Service.started()
        let oscar = Administrator(name: "oscar", roles: [.operator], source: "test", requestID: "r")
        _ = try await service.authority.issueUserToken(
            UserTokenRequest(name: "bob", roles: [.admin], validFor: nil), by: Service.administrator)
        _ = try await service.token()
        for record in try await service.authority.tokens(TokenQuery()).items {
            switch record.kind {
            case .dataplane: try await service.authority.revokeToken(record.id, by: oscar)
            case .user:
                await #expect(throws: AuthorityError.refused(.role(needed: "admin"))) {
                    try await service.authority.revokeToken(record.id, by: oscar)
                }
            }
        }
    }

    @Test func `an unknown token cannot be revoked`() async throws {
        let service = try await Service.started()
        await #expect(throws: AuthorityError.notFound(kind: "token", name: "nope")) {
            try await service.authority.revokeToken("nope", by: Service.administrator)
        }
    }

    @Test func `an admin token is good for its day and its roles, and a dataplane token is none`() async throws {
        let service = try await Service.started()
        let token = try await service.authority.issueUserToken(
            UserTokenRequest(name: "bob", roles: [.viewer], validFor: nil), by: Service.administrator)
        let bob = try await service.authority.administrator(token: token, source: "s", requestID: "r")
        #expect(bob.name == "bob")
        #expect(bob.roles == [.viewer])
        let dataplane = try await service.token()
        for bad in [dataplane, "garbage", nil] {
            await #expect(throws: AuthorityError.self) {
                try await service.authority.administrator(token: bad, source: "s", requestID: "r")
            }
        }
        service.clock.advance(by: .seconds(86_400))
        await #expect(throws: AuthorityError.self) {
            try await service.authority.administrator(token: token, source: "s", requestID: "r")
        }
    }

    @Test func `a token without what the identity needs, or for longer than a year, is not issued`() async throws {
        let service = try await Service.started()
        let mesh = try MeshName("default")
        let requests = [
            DataplaneTokenRequest(mesh: mesh, name: "", tags: [:], validFor: nil),
            DataplaneTokenRequest(mesh: mesh, name: "", tags: ["kuma.io/service": ["a", "b"]], validFor: nil),
            DataplaneTokenRequest(mesh: mesh, name: "", tags: ["kuma.io/service": ["a"]], validFor: .seconds(366 * 86_400)),
            DataplaneTokenRequest(mesh: mesh, name: "", tags: ["kuma.io/service": ["a"]], validFor: .zero),
            DataplaneTokenRequest(mesh: mesh, name: "a\u{1B}[31m", tags: ["kuma.io/service": ["a"]], validFor: nil),
        ]
        for request in requests {
            await #expect {
                try await service.authority.issueDataplaneToken(request, by: Service.administrator)
            } throws: { if case .invalid = $0 as? AuthorityError { true } else { false } }
        }
    }

    @Test func `the ledger keeps a token's digest and never the token`() async throws {
        let service = try await Service.started()
        let token = try await service.token()
        let page = try await service.authority.tokens(TokenQuery())
        let record = try #require(page.items.first)
        #expect(record.digest.bytes == Digest.sha256(Array(token.utf8)))
        #expect(!"\(record)".contains(token))
    }
}
