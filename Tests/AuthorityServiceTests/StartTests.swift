import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite struct StartTests {
    @Test func `the first start makes the mesh default with one root, and later starts find it`() async throws {
        let service = try await Service.started()
        let mesh = try MeshName("default")
        let issuer = try #require(service.authority.state.activeIssuer(of: mesh))
        #expect(service.authority.state.meshes.count == 1)
        let again = try Service(ledger: service.ledger, keyEncryptionKey: service.keyEncryptionKey)
        try await again.authority.start()
        #expect(again.authority.state.activeIssuer(of: mesh) == issuer)
        #expect(again.authority.state.issuers.count == 1)
    }

    @Test func `a deleted default mesh does not come back`() async throws {
        let service = try await Service.started()
        try await service.authority.delete(mesh: MeshName("default"), ifMatch: nil, by: Service.administrator)
        let again = try Service(ledger: service.ledger, keyEncryptionKey: service.keyEncryptionKey)
        try await again.authority.start()
        #expect(again.authority.state.meshes.isEmpty)
    }

    @Test func `the default mesh is left out when it is not wanted`() async throws {
        var settings = AuthoritySettings()
        settings.skipDefaultMesh = true
        let service = try await Service.started(settings: settings)
        #expect(service.authority.state.meshes.isEmpty)
        #expect(service.authority.isReady)
    }

    @Test func `replicas that start at once make one root`() async throws {
        let ledger = MemoryLedger()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        let replicas = try (0..<8).map { _ in try Service(ledger: ledger, keyEncryptionKey: key) }
        try await withThrowingTaskGroup { group in
            for replica in replicas { group.addTask { try await replica.authority.start() } }
            try await group.waitForAll()
        }
        let roots = Set(replicas.flatMap { $0.authority.state.issuers.keys })
        #expect(roots.count == 1)
    }

    @Test func `another key-encryption key refuses to start and writes nothing`() async throws {
        let service = try await Service.started()
        let revision = try await service.ledger.revision()
        let other = try Service(ledger: service.ledger)
        await #expect(throws: AuthorityError.self) { try await other.authority.start() }
        #expect(try await service.ledger.revision() == revision)
        #expect(!other.authority.isReady)
    }

    @Test func `the root key is stored sealed, and opens only in its own row`() async throws {
        let service = try await Service.started()
        try await service.makeMesh("payments")
        let stored = try await service.ledger.load()
        #expect(stored.issuerKeys.count == 2)
        for (id, key) in stored.issuerKeys {
            guard case .sealed(let sealed) = key else {
                throw LedgerFailure.rejected(detail: "a key of the service's own is sealed")
            }
            let issuer = try #require(stored.authority.issuers[id])
            let own = SealingContext(owner: issuer.certificateAuthority, name: id.text)
            let opened = try service.keyEncryptionKey.open(sealed, context: own)
            #expect(try PrivateKey(pkcs8: opened).algorithm == .ecP256)
            for other in stored.authority.issuers.values where other.id != id {
                let foreign = SealingContext(owner: other.certificateAuthority, name: other.id.text)
                #expect(throws: KeyEncryptionKeyFailure.self) {
                    try service.keyEncryptionKey.open(sealed, context: foreign)
                }
            }
        }
    }
}
