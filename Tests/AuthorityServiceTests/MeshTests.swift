import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite struct MeshTests {
    @Test func `a mesh is made whole or not at all`() async throws {
        let service = try await Service.started()
        service.ledger.inject(.failed(.unavailable(detail: "injected")), into: .commit)
        await #expect(throws: AuthorityError.self) { try await service.makeMesh("payments") }
        var stored = try await service.ledger.load().authority
        #expect(stored.meshes.count == 1)
        #expect(stored.issuers.count == 1)
        #expect(stored.certificateAuthorities.count == 1)
        try await service.makeMesh("payments")
        stored = try await service.ledger.load().authority
        #expect(stored.activeIssuer(of: try MeshName("payments")) != nil)
    }

    @Test func `a commit that was made but not answered is found by the next read`() async throws {
        let service = try await Service.started()
        service.ledger.inject(.persistedThenFailed, into: .commit)
        await #expect(throws: AuthorityError.self) { try await service.makeMesh("payments") }
        let again = try Service(ledger: service.ledger, keyEncryptionKey: service.keyEncryptionKey)
        try await again.authority.start()
        #expect(again.authority.state.activeIssuer(of: try MeshName("payments")) != nil)
    }

    @Test func `of many who make the same mesh at once one wins, and there is one root`() async throws {
        let ledger = MemoryLedger()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        let replicas = try (0..<4).map { _ in try Service(ledger: ledger, keyEncryptionKey: key) }
        for replica in replicas { try await replica.authority.start() }
        let wins = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<20 {
                group.addTask {
                    (try? await replicas[index % 4].makeMesh("payments"))?.isCreated == true
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(wins == 1)
        let state = try await ledger.load().authority
        #expect(state.certificateAuthorities["payments.ca-1"] != nil)
        #expect(state.meshIssuers[try MeshName("payments")]?.count == 1)
    }

    @Test func `a revision that is not the current one loses`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let mesh = try Service.mesh("payments")
        await #expect {
            _ = try await service.authority.put(mesh, ifMatch: 7_000, by: Service.administrator)
        } throws: { if case .preconditionFailed = $0 as? AuthorityError { true } else { false } }
        let revision = try #require(service.authority.state.meshes[mesh.name]?.revision)
        let same = try await service.authority.put(mesh, ifMatch: revision, by: Service.administrator)
        #expect(!same.isCreated && same.revision == revision)
        var changed = mesh
        changed.isolated = true
        let outcome = try await service.authority.put(changed, ifMatch: revision, by: Service.administrator)
        #expect(!outcome.isCreated && outcome.revision == revision + 1)
    }

    @Test func `a mesh with connected proxies is not deleted, and the error names them`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let stream = service.authority.proxies.opened(caller, node: "n", at: service.clock.now)
        await #expect {
            try await service.authority.delete(mesh: caller.mesh, ifMatch: nil, by: Service.administrator)
        } throws: { "\($0)".contains("proxy-1") }
        service.authority.proxies.closed(stream, at: service.clock.now)
        try await service.authority.delete(mesh: caller.mesh, ifMatch: nil, by: Service.administrator)
        #expect(throws: Refusal.meshUnknown("default")) { try service.authority.standing(of: caller) }
    }

    @Test func `a deleted mesh's trust domain is free again only when all issued for it has expired`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments", leafLifetime: .seconds(60))
        _ = try await service.authority.issueLeaf(for: service.caller(mesh: "payments"), node: "node-1")
        try await service.authority.delete(mesh: MeshName("payments"), ifMatch: nil, by: Service.administrator)
        let domain = try TrustDomain("payments")
        let end = try #require(service.ledger.disk.store.trustDomains[domain]?.freeAt)
        await #expect {
            try await service.makeMesh("payments")
        } throws: { "\($0)".contains("'payments' is held until \(end.iso8601)") }
        service.clock.advance(by: .seconds(60))
        await #expect(throws: AuthorityError.self) { try await service.makeMesh("payments") }
        service.clock.advance(by: .seconds(8 * 86_400))
        try await service.makeMesh("payments")
    }

    @Test func `every act is in the audit trail with who did it, and refusals follow`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let page = try await service.authority.audit(AuditQuery())
        let entry = try #require(page.items.first { $0.action == "mesh-created" })
        #expect(entry.actor == "user:alice")
        #expect(entry.requestID == "r-1")
        #expect(page.items.contains { $0.action == "service-founded" && $0.actor == "system" })
    }

    @Test func `verify gives the verdict of the mesh's own bundle`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let chain = try await Service.chain(
            of: service.authority.issueLeaf(for: service.caller(mesh: "payments"), node: "node-1"))
        let own = try service.authority.verify(chain: chain, mesh: MeshName("payments"), service: nil)
        #expect(own.isAccepted)
        let other = try service.authority.verify(chain: chain, mesh: MeshName("default"), service: nil)
        #expect(!other.isAccepted)
        #expect(other.reason == "unknown-trust-domain")
        let asWeb = try service.authority.verify(chain: chain, mesh: MeshName("payments"), service: "web")
        #expect(asWeb.reason == "secret-empty")
    }

    @Test func `an issuing certificate is replaced at half of its life, and leaves go on`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let before = try await Service.chain(of: service.authority.issueLeaf(for: caller, node: "node-1"))
        service.clock.advance(by: .seconds(4 * 86_400))
        try await service.makeMesh("payments")
        let after = try await Service.chain(of: service.authority.issueLeaf(for: caller, node: "node-1"))
        #expect(before[1] != after[1])
        let verifier = try ChainVerifier(roots: service.authority.state.boundRoots)
        _ = try verifier.verify(chain: after, at: service.clock.now)
    }
}
