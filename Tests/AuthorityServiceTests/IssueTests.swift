import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite struct IssueTests {
    @Test(arguments: KeyAlgorithm.allCases)
    func `a leaf's chain leads to the mesh's root, whatever its key type, and is in the ledger`(
        algorithm: KeyAlgorithm
    ) async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments", keyAlgorithm: algorithm)
        let caller = try await service.caller(mesh: "payments")
        let leaf = try await service.authority.issueLeaf(for: caller, node: "node-1")
        let verified = try ChainVerifier(roots: service.authority.state.boundRoots).verify(
            chain: Service.chain(of: leaf), at: service.clock.now)
        #expect(verified.identity == caller.identity)
        let record = try #require(try await service.ledger.certificate(leaf.serial))
        #expect(record.digest == verified.digest)
        #expect(record.origin?.tokenID == caller.tokenID)
        #expect(record.notAfter == leaf.notAfter)
        let issuing = try #require(try await service.ledger.certificate(record.signedBy))
        #expect(issuing.kind == .issuing)
        #expect(leaf.notAfter <= issuing.notAfter)
    }

    @Test func `no certificate leaves unrecorded`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        service.ledger.inject(.failed(.unavailable(detail: "injected")), into: .record)
        await #expect(throws: AuthorityError.self) { try await service.authority.issueLeaf(for: caller, node: "node-1") }
        service.ledger.inject(.persistedThenFailed, into: .record)
        await #expect(throws: AuthorityError.self) { try await service.authority.issueLeaf(for: caller, node: "node-1") }
        _ = try await service.authority.issueLeaf(for: caller, node: "node-1")
    }

    @Test func `many leaves at once share batches, and each is recorded`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let serials = try await withThrowingTaskGroup(of: SerialNumber.self) { group in
            for _ in 0..<300 { group.addTask { try await service.authority.issueLeaf(for: caller, node: "node-1").serial } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(serials.count == 300)
        for serial in serials { #expect(try await service.ledger.certificate(serial) != nil) }
    }

    @Test func `a version names a leaf only for its own identity and only unaltered`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let leaf = try await service.authority.issueLeaf(for: caller, node: "node-1")
        let held = try #require(service.authority.heldLeaf(version: leaf.version, by: caller))
        #expect(held == leaf.held)
        let other = try await service.caller(service: "web")
        #expect(service.authority.heldLeaf(version: leaf.version, by: other) == nil)
        for index in leaf.version.indices {
            var forged = leaf.version
            forged.replaceSubrange(index...index, with: forged[index] == "0" ? "1" : "0")
            #expect(service.authority.heldLeaf(version: forged, by: caller) == nil)
        }
        #expect(service.authority.heldLeaf(version: "", by: caller) == nil)
    }

    @Test func `another replica knows the version without the database`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let leaf = try await service.authority.issueLeaf(for: caller, node: "node-1")
        let replica = try Service(ledger: service.ledger, clock: service.clock, keyEncryptionKey: service.keyEncryptionKey)
        try await replica.authority.start()
        #expect(replica.authority.heldLeaf(version: leaf.version, by: caller) == leaf.held)
    }

    @Test func `past half of its life a leaf is no longer its right one`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments", leafLifetime: .seconds(100))
        let caller = try await service.caller(mesh: "payments")
        let leaf = try await service.authority.issueLeaf(for: caller, node: "node-1")
        service.clock.advance(by: .seconds(40))
        #expect(service.authority.heldLeaf(version: leaf.version, by: caller) != nil)
        service.clock.advance(by: .seconds(10))
        #expect(service.authority.heldLeaf(version: leaf.version, by: caller) == nil)
    }

    @Test func `trust versions are digests of content, equal on every replica`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let replica = try Service(ledger: service.ledger, clock: service.clock, keyEncryptionKey: service.keyEncryptionKey)
        try await replica.authority.start()
        for name in [SecretName.meshTrust, .allTrust, .peers, .destinations] {
            let here = try service.authority.trust(name, for: caller)
            #expect(here == (try replica.authority.trust(name, for: caller)))
        }
        #expect(
            try service.authority.trust(.meshTrust, for: caller).version
                != service.authority.trust(.peers, for: caller).version)
    }

    @Test func `a mesh without name constraints gets an issuing certificate without them`() async throws {
        let service = try await Service.started()
        var mesh = try Service.mesh("payments")
        _ = try await service.authority.put(mesh, ifMatch: nil, by: Service.administrator)
        let caller = try await service.caller(mesh: "payments")
        let before = try await Service.chain(of: service.authority.issueLeaf(for: caller, node: "node-1"))
        mesh.nameConstraints = false
        _ = try await service.authority.put(mesh, ifMatch: nil, by: Service.administrator)
        let after = try await Service.chain(of: service.authority.issueLeaf(for: caller, node: "node-1"))
        #expect(before[1] != after[1])
        let identifier: [UInt8] = [0x55, 0x1D, 0x1E]
        #expect(before[1].firstRange(of: identifier) != nil)
        #expect(after[1].firstRange(of: identifier) == nil)
    }

    @Test func `a service's identities can be pinned once a token was issued for it`() async throws {
        let service = try await Service.started()
        let caller = try await service.caller()
        let name = SecretName.service(mesh: caller.mesh, name: "web")
        #expect(throws: Refusal.secretEmpty(name: "web")) { try service.authority.trust(name, for: caller) }
        _ = try await service.token(service: "web")
        try await service.makeMesh("unrelated")
        let pinned = try service.authority.trust(name, for: caller)
        #expect(pinned.context.subjectAltNames == [.exact(try SPIFFEID("spiffe://default/web"))])
    }
}
