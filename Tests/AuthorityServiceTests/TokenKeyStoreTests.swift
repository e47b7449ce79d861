import Authority
import AuthorityService
import Logging
import PKI
import PKICrypto
import TestSupport
import Testing
import TokenSupport

/// Certificate authorities whose root keys are in a token, SoftHSM's.
@Suite("Root keys in tokens", .timeLimit(.minutes(3)))
struct TokenKeyStoreTests {
    private static func location(_ number: Int) async throws -> TokenLocation {
        let hsm = try await SoftHSM.inThisProcess()
        return hsm.location("unit-\(number)", pinFile: try hsm.writePIN(SoftHSM.unitPIN, named: "unit-\(number).pin"))
    }

    private static func authority(_ name: String, in location: TokenLocation) -> CertificateAuthority {
        var authority = Cluster.authority(name)
        authority.keyStore = .pkcs11(location)
        return authority
    }

    private static func access(_ locations: TokenLocation...) -> TokenAccess {
        TokenAccess(modules: Set(locations.map(\.module)), pinFiles: Set(locations.map(\.pinFile)))
    }

    @Test func `a CA in a token issues chains that openssl accepts, and its next root is made in the same token`() async throws {
        let location = try await Self.location(0)
        let world = try await SharedWorld(.shared, authority: Self.authority("corp", in: location)) {
            $0.tokenAccess = Self.access(location)
        }
        let cluster = world.cluster
        func verdict() async throws -> ChainVerdict {
            let proxy = world.proxies[0]
            let chain = try Service.chain(of: try await world.authority.issueLeaf(for: proxy.caller, node: proxy.node))
            let roots = world.state.boundIssuers(of: proxy.caller.mesh).map(\.certificate)
            return try await ChainVerdict.of(
                chain, roots: roots, in: TrustDomain("payments"), at: cluster.clock.now)
        }
        #expect(try await verdict() == .accepted)
        let rotation = try await world.rotate()
        #expect(rotation.crossCertificate != nil)
        try await cluster.whileRunning {
            try await cluster.awaitPhase(.issuing) { try await world.follow(leaf: false) }
            try await cluster.approach(.withdrawing) { try await world.follow(bundles: $0, leaf: $1) }
            try await cluster.awaitEnd { try await world.follow() }
        }
        world.expectSettled(on: rotation.to)
        #expect(try await verdict() == .accepted)
        let keys = cluster.disk.store.state.issuerKeys
        for id in [rotation.from, rotation.to] {
            #expect(keys[id] == .token(TokenKeyReference(location: location, id: id.text)))
        }
    }

    @Test func `a restart finds the key, and a token that cannot be used keeps nobody else from starting`() async throws {
        let location = try await Self.location(1)
        let world = try await SharedWorld(.shared, authority: Self.authority("corp", in: location)) {
            $0.tokenAccess = Self.access(location)
        }
        let first = world.cluster.first
        try await first.makeMesh("own", leafLifetime: .seconds(60))
        func restarted(_ access: TokenAccess) async throws -> Service {
            var settings = first.authority.settings
            settings.tokenAccess = access
            let service = try Service(
                ledger: MemoryLedger(disk: world.cluster.disk), clock: world.cluster.clock,
                keyEncryptionKey: first.keyEncryptionKey, settings: settings)
            try await service.authority.start()
            return service
        }
        let again = try await restarted(Self.access(location))
        _ = try await again.authority.issueLeaf(for: try await again.caller(mesh: "payments"), node: "node-1")
        let without = try await restarted(TokenAccess())
        _ = try await without.authority.issueLeaf(for: try await without.caller(mesh: "own"), node: "node-1")
        let caller = try await without.caller(mesh: "payments")
        let failure = try await failure(of: { try await without.authority.issueLeaf(for: caller, node: "node-1") })
        #expect(failure.text.contains("no issuing certificate"), "\(failure.text)")
    }

    @Test func `a module or PIN file that is not listed, a wrong PIN and a missing token are refused, with nothing half done`()
        async throws
    {
        let hsm = try await SoftHSM.inThisProcess()
        let good = try await Self.location(2)
        let wrong = hsm.location("unit-2", pinFile: try hsm.writePIN("wrong", named: "unit-2-wrong.pin"))
        let cluster = try await Cluster.started { $0.tokenAccess = Self.access(good, wrong) }
        let before = cluster.disk.store.state.authority.revision
        for (location, field) in [
            (TokenLocation(module: "/tmp/any.so", token: "unit-2", pinFile: good.pinFile), "keyStore.pkcs11.module"),
            (TokenLocation(module: good.module, token: "unit-2", pinFile: "/etc/shadow"), "keyStore.pkcs11.pinFile"),
            (TokenLocation(module: good.module, token: "nowhere", pinFile: good.pinFile), "keyStore.pkcs11.token"),
            (wrong, "keyStore.pkcs11.pinFile"),
        ] {
            for isDryRun in [true, false] {
                let failure = try await failure(of: {
                    try await cluster.authority.put(
                        Self.authority("corp", in: location), meshes: [], root: nil, isDryRun: isDryRun, ifMatch: nil,
                        by: Cluster.alice)
                })
                #expect(failure.fields == [field], "\(location): \(failure.text)")
            }
        }
        #expect(cluster.disk.store.state.authority.revision == before)
        // None of it stands in the way of the right one.
        _ = try await cluster.authority.put(
            Self.authority("corp", in: good), meshes: [], root: nil, ifMatch: nil, by: Cluster.alice)
    }

    @Test func `a CA that goes into a token, and to another one, gets a new root there each time`() async throws {
        let (first, second) = (try await Self.location(3), try await Self.location(4))
        let world = try await SharedWorld(.shared) { $0.tokenAccess = Self.access(first, second) }
        let cluster = world.cluster
        for location in [first, second] {
            let old = try world.active
            let current = try #require(world.state.certificateAuthorities["corp"])
            var wanted = current.authority
            wanted.keyStore = .pkcs11(location)
            let outcome = try await cluster.authority.put(wanted, meshes: [], root: nil, ifMatch: nil, by: Cluster.alice)
            let rotation = try #require(outcome.rotations.first)
            #expect(rotation.from == old && rotation.kind == .replace && rotation.crossCertificate != nil)
            try await cluster.whileRunning { try await cluster.awaitEnd { try await world.follow() } }
            world.expectSettled(on: rotation.to)
            #expect(
                cluster.disk.store.state.issuerKeys[rotation.to]
                    == .token(TokenKeyReference(location: location, id: rotation.to.text)))
            try world.expectTalk()
        }
        // Another PIN file for the same token is another way, and no rotation.
        var moved = try #require(world.state.certificateAuthorities["corp"]).authority
        let hsm = try await SoftHSM.inThisProcess()
        let pinFile = try hsm.writePIN(SoftHSM.unitPIN, named: "unit-4.pin")
        moved.keyStore = .pkcs11(hsm.location("unit-4", pinFile: pinFile))
        let outcome = try await cluster.authority.put(moved, meshes: [], root: nil, ifMatch: nil, by: Cluster.alice)
        #expect(outcome.rotations.isEmpty)
    }

    @Test func `a key that was made for a change which lost the race is taken back`() async throws {
        let location = try await Self.location(5)
        let cluster = try await Cluster.started { $0.tokenAccess = Self.access(location) }
        cluster.first.ledger.inject(.failed(.conflict(what: "somebody else was first")), into: .commit)
        let failure = try await failure(of: {
            try await cluster.authority.put(
                Self.authority("corp", in: location), meshes: [], root: nil, ifMatch: nil, by: Cluster.alice)
        })
        #expect(failure.isLedger, "\(failure.text)")
        #expect(try await SoftHSM.inThisProcess().keyCount(in: "unit-5") == 0)
        _ = try await cluster.authority.put(
            Self.authority("corp", in: location), meshes: [], root: nil, ifMatch: nil, by: Cluster.alice)
        #expect(try await SoftHSM.inThisProcess().keyCount(in: "unit-5") == 2, "a public and a private key")
    }
}
