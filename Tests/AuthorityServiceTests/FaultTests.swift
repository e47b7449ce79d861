import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite struct FaultTests {
    @Test func `a ledger that lost transactions is not believed, and no revocation is called done on it`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let backup = service.ledger.disk.store
        try await service.makeMesh("payments")
        try await service.makeMesh("orders")
        service.ledger.disk.restore(backup)
        await #expect(throws: AuthorityError.self) {
            try await service.authority.revokeToken(caller.tokenID, by: Service.administrator)
        }
        #expect(!service.authority.isReady)
    }

    @Test func `a change that is durable is a success, even when it cannot be read back at once`() async throws {
        let service = try await Service.started()
        service.ledger.inject(.unavailable, into: .load)
        let outcome = try await service.makeMesh("payments")
        let stored = try await service.ledger.load().authority.meshes[try MeshName("payments")]
        #expect(outcome.isCreated && outcome.revision != nil && outcome.revision == stored?.revision)
    }

    @Test func `one mesh's damaged key holds back no revocation in another`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let caller = try await service.caller()
        let damagedIssuer = try #require(service.authority.state.activeIssuer(of: MeshName("payments"))?.id)
        var store = service.ledger.disk.store
        guard case .sealed(var damaged) = store.state.issuerKeys[damagedIssuer] else {
            throw LedgerFailure.rejected(detail: "no key")
        }
        damaged.ciphertext[20] ^= 1
        store.state.issuerKeys[damagedIssuer] = .sealed(damaged)
        service.ledger.disk.restore(store)
        service.clock.advance(by: .seconds(4 * 86_400))
        try await service.authority.revokeToken(caller.tokenID, by: Service.administrator)
        #expect(throws: Refusal.tokenRevoked(id: caller.tokenID)) { try service.authority.standing(of: caller) }
        let other = try await service.caller(service: "web")
        _ = try await service.authority.issueLeaf(for: other, node: "node-1")
    }

    @Test func `who is revoked while the record waits for the database gets no leaf`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let gate = LedgerGate()
        service.ledger.inject(.delayed(gate), into: .record)
        let leaf = Task { try await service.authority.issueLeaf(for: caller, node: "node-1") }
        #expect(await gate.awaitArrival())
        try await service.authority.revokeToken(caller.tokenID, by: Service.administrator)
        gate.open()
        await #expect(throws: AuthorityError.refused(.tokenRevoked(id: caller.tokenID))) { try await leaf.value }
    }

    @Test func `a record that the ledger refuses fails alone`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let gates = [LedgerGate(), LedgerGate()]
        for gate in gates { service.ledger.inject(.delayed(gate), into: .record) }
        // The batch that gathers behind the two is refused as a whole once; each of its records is then taken.
        service.ledger.inject(.failed(.rejected(detail: "injected")), into: .record)
        await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { _ = try await service.authority.issueLeaf(for: caller, node: "node-1") } }
            for gate in gates { #expect(await gate.awaitArrival()) }
            for gate in gates { gate.open() }
            var failures = 0
            while let result = await group.nextResult() { if case .failure = result { failures += 1 } }
            #expect(failures <= 1)
        }
    }

    @Test func `a flood of refusals from one address is one row with a count`() async throws {
        let service = try await Service.started()
        for port in 0..<50 {
            var credentials = Service.credentials(token: "garbage")
            credentials.source = "127.0.0.1:\(40_000 + port)"
            _ = try? await service.authority.authenticate(credentials)
        }
        let running = Task { try await service.authority.run() }
        defer { running.cancel() }
        let deadline = ContinuousClock.now + Cluster.patience
        var rows: [AuditRow] = []
        while rows.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            rows = try await service.authority.audit(AuditQuery()).items.filter { $0.action == "credential-refused" }
        }
        #expect(rows.map { $0.details["count"] } == ["50"])
    }

    @Test func `a refusal says whose token or certificate it was, as far as that was proved`() async throws {
        let service = try await Service.started()
        let token = try await service.token(validFor: .seconds(5))
        let caller = try await service.authority.authenticate(Service.credentials(token: token))
        let chain = try await Service.chain(of: service.authority.issueLeaf(for: caller, node: "node-1"))
        try await service.authority.revokeToken(caller.tokenID, by: Service.administrator)
        _ = try? await service.authority.authenticate(Service.credentials(chain: chain, requiresCertificate: true))
        _ = try? await service.authority.authenticate(Service.credentials(token: token, nodeID: "a\0b"))
        let running = Task { try await service.authority.run() }
        defer { running.cancel() }
        let deadline = ContinuousClock.now + Cluster.patience
        var rows: [AuditRow] = []
        while rows.count < 2, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            rows = try await service.authority.audit(AuditQuery(mesh: caller.mesh)).items
                .filter { $0.action == "credential-refused" }
        }
        #expect(Set(rows.map(\.actor)) == ["proxy:spiffe://default/api", "unknown"])
        #expect(Set(rows.compactMap { $0.details["reason"] }) == ["token-revoked", "node-invalid"])
    }
}
