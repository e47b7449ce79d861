import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(5))) struct IssueBatchTests {
    /// Proxies of different services, each with a token of its own.
    private static func requests(_ count: Int, at service: Service) async throws -> [LeafRequest] {
        var requests: [LeafRequest] = []
        for number in 0..<count {
            requests.append(
                LeafRequest(caller: try await service.caller(service: "service-\(number)"), node: "node-\(number)"))
        }
        return requests
    }

    private static func failure(_ result: Result<DeliveredLeaf, AuthorityError>) -> AuthorityError? {
        if case .failure(let error) = result { error } else { nil }
    }

    @Test func `a batch is one call of the ledger, and gives each its own leaf, in their order`() async throws {
        let service = try await Service.started()
        let requests = try await Self.requests(10, at: service)
        let calls = service.ledger.count(of: .record)
        let leaves = try await service.authority.issueLeaves(requests).map { try $0.get() }
        #expect(service.ledger.count(of: .record) == calls + 1)
        #expect(Set(leaves.map(\.serial)).count == 10)
        let verifier = try ChainVerifier(roots: service.authority.state.boundRoots)
        for (request, leaf) in zip(requests, leaves) {
            let verified = try verifier.verify(chain: Service.chain(of: leaf), at: service.clock.now)
            #expect(verified.identity == request.caller.identity)
            let record = try #require(try await service.ledger.certificate(leaf.serial))
            #expect(record.digest == verified.digest && record.identity == request.caller.identity)
            #expect(record.origin?.node == request.node && record.origin?.tokenID == request.caller.tokenID)
            #expect(service.authority.heldLeaf(version: leaf.version, by: request.caller) == leaf.held)
        }
    }

    @Test func `openssl verifies each leaf, and finds each key to be its own`() async throws {
        let service = try await Service.started()
        // openssl judges by the clock on the wall.
        service.clock.advance(by: MemoryLedger.systemTime() - service.clock.now)
        try await service.makeMesh("payments")
        var requests: [LeafRequest] = []
        for name in ["api", "web", "api"] {
            requests.append(LeafRequest(caller: try await service.caller(mesh: "payments", service: name), node: "n"))
        }
        let root = try #require(service.authority.state.activeIssuer(of: MeshName("payments")))
        let leaves = try await service.authority.issueLeaves(requests).map { try $0.get() }
        let keys = try await Workspace.open("batch") { workspace in
            let anchor = try workspace.write(PEM.encode(label: "CERTIFICATE", der: root.certificate), to: "root.pem")
            var keys: Set<String> = []
            for leaf in leaves {
                let chain = try workspace.write(String(decoding: leaf.chainPEM, as: UTF8.self), to: "chain.pem")
                let key = try workspace.write(
                    leaf.privateKeyPEM.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }, to: "key.pem")
                try await Tool.openssl.output(["verify", "-x509_strict", "-CAfile", anchor, "-untrusted", chain, chain])
                let ofKey = try await Tool.openssl.run(["pkey", "-in", key, "-check", "-pubout"])
                let ofLeaf = try await Tool.openssl.output(["x509", "-in", chain, "-noout", "-pubkey"])
                #expect(ofKey.status == 0 && ofKey.output.contains(ofLeaf), "\(ofKey)")
                keys.insert(ofLeaf)
            }
            return keys
        }
        #expect(keys.count == requests.count)
    }

    @Test func `who is refused fails none of the others`() async throws {
        let service = try await Service.started()
        var requests = try await Self.requests(5, at: service)
        try await service.authority.revokeToken(requests[1].caller.tokenID, by: Service.administrator)
        requests[3].caller.mesh = try MeshName("nowhere")
        let results = await service.authority.issueLeaves(requests)
        #expect(Self.failure(results[1]) == .refused(.tokenRevoked(id: requests[1].caller.tokenID)))
        #expect(Self.failure(results[3]) != nil)
        for index in [0, 2, 4] {
            let leaf = try results[index].get()
            #expect(try await service.ledger.certificate(leaf.serial)?.identity == requests[index].caller.identity)
        }
        let recorded = try await service.ledger.certificates(CertificateQuery(kind: .leaf)).total
        #expect(recorded == 3)
    }

    @Test(arguments: [
        MemoryLedger.Fault.unavailable, .notPersistedOutcomeUnknown, .persistedThenFailed,
    ])
    func `a ledger that fails, or does not tell, delivers nothing`(fault: MemoryLedger.Fault) async throws {
        let service = try await Service.started()
        let requests = try await Self.requests(4, at: service)
        service.ledger.inject(fault, into: .record)
        for result in await service.authority.issueLeaves(requests) {
            guard case .ledger? = Self.failure(result) else {
                Issue.record("\(result) was delivered, or failed for another reason")
                continue
            }
        }
        for result in await service.authority.issueLeaves(requests) { _ = try result.get() }
    }

    @Test func `a record that the ledger refuses fails alone, in a batch too`() async throws {
        let service = try await Service.started()
        let requests = try await Self.requests(6, at: service)
        // The batch as a whole, and then the first of the records by itself.
        service.ledger.inject(.failed(.rejected(detail: "injected")), into: .record)
        service.ledger.inject(.failed(.conflict(what: "the serial")), into: .record)
        let results = await service.authority.issueLeaves(requests)
        #expect(Self.failure(results[0]) == .ledger(.conflict(what: "the serial")))
        for result in results.dropFirst() {
            #expect(try await service.ledger.certificate(result.get().serial) != nil)
        }
    }

    @Test func `batches that gather behind others share a call of the ledger, and each gets its own outcome`() async throws {
        let service = try await Service.started()
        let requests = try await Self.requests(7, at: service)
        let gates = [LedgerGate(), LedgerGate()]
        for gate in gates { service.ledger.inject(.delayed(gate), into: .record) }
        // What gathers behind the two is refused as a whole, and so is its first record by itself.
        service.ledger.inject(.failed(.rejected(detail: "injected")), into: .record)
        service.ledger.inject(.failed(.rejected(detail: "injected")), into: .record)
        let calls = service.ledger.count(of: .record)
        await withTaskGroup(of: [Result<DeliveredLeaf, AuthorityError>].self) { group in
            for number in 0..<5 {
                group.addTask { await service.authority.issueLeaves(Array(requests[number..<number + 3])) }
            }
            for gate in gates { #expect(await gate.awaitArrival()) }
            for gate in gates { gate.open() }
            let results = await group.reduce(into: []) { $0 += $1 }
            #expect(results.count == 15)
            #expect(results.count { Self.failure($0) != nil } <= 1)
        }
        // Two that were held back; of the other three batches' nine records at most each by itself, and the refused calls.
        #expect(service.ledger.count(of: .record) - calls <= 2 + 3 + 9)
    }

    @Test func `who is revoked while the records wait for the database gets no leaf, and the others do`() async throws {
        let service = try await Service.started()
        let requests = try await Self.requests(3, at: service)
        let gate = LedgerGate()
        service.ledger.inject(.delayed(gate), into: .record)
        async let issued = service.authority.issueLeaves(requests)
        #expect(await gate.awaitArrival())
        try await service.authority.revokeToken(requests[2].caller.tokenID, by: Service.administrator)
        gate.open()
        let results = await issued
        #expect(Self.failure(results[2]) == .refused(.tokenRevoked(id: requests[2].caller.tokenID)))
        for result in results.prefix(2) { _ = try result.get() }
    }

    @Test func `a mesh whose issuer is replaced while the records wait gets nothing of the old, and another mesh its leaf`()
        async throws
    {
        let cluster = try await Cluster.started(1)
        try await cluster.makeMeshes("payments", "orders")
        try await cluster.makeAuthority("corp", meshes: ["orders"], retireAfter: .reissued)
        try await cluster.whileRunning { [cluster] in try await cluster.awaitEnd() }
        let proxies = [
            try await FollowingProxy.connected("payments", "api", at: cluster.first),
            try await FollowingProxy.connected("orders", "job", at: cluster.first),
        ]
        try await cluster.share("corp", "payments")
        for proxy in proxies { try await proxy.follow() }
        let gate = LedgerGate()
        cluster.first.ledger.inject(.delayed(gate), into: .record)
        let requests = proxies.map { LeafRequest(caller: $0.caller, node: "late") }
        async let issued = cluster.authority.issueLeaves(requests)
        #expect(await gate.awaitArrival())
        try await cluster.whileRunning { try await cluster.awaitPhase(.issuing) }
        gate.open()
        let results = await issued
        guard case .conflict? = Self.failure(results[0]) else {
            Issue.record("a leaf of the old root was signed after the replica had confirmed the new state")
            return
        }
        _ = try results[1].get()
    }

    @Test func `nobody asks, and nothing happens`() async throws {
        let service = try await Service.started()
        let calls = service.ledger.count(of: .record)
        #expect(await service.authority.issueLeaves([]).isEmpty)
        #expect(service.ledger.count(of: .record) == calls)
    }
}
