import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

/// What is asked of a replacement and cannot be: a clear word, and nothing changed.
@Suite("Refused replacements", .timeLimit(.minutes(2)))
struct ReplacementRefusalTests {
    private static let alice = Service.administrator

    /// The error of a request that changes nothing.
    private static func refused(
        _ cluster: Cluster, at location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws -> AuthorityError? {
        let before = cluster.disk.store
        let error = try await failure(of: body)
        #expect(error != nil, sourceLocation: location)
        let after = cluster.disk.store
        #expect(after.state.authority == before.state.authority, sourceLocation: location)
        #expect(after.rotations == before.rotations && after.certificates == before.certificates, sourceLocation: location)
        #expect(after.state.issuerKeys.keys == before.state.issuerKeys.keys, sourceLocation: location)
        return error
    }

    private static func rotate(
        _ cluster: Cluster, _ name: String, isManual: Bool = false, keyAlgorithm: KeyAlgorithm? = nil, root: ProvidedRoot? = nil,
        isDryRun: Bool = false, by administrator: Administrator = alice
    ) async throws {
        _ = try await cluster.authority.rotate(
            RotationRequest(certificateAuthority: name, isManual: isManual, keyAlgorithm: keyAlgorithm, root: root),
            isDryRun: isDryRun, by: administrator)
    }

    @Test(arguments: [false, true])
    func `a CA that is unknown, of a deleted mesh, or in a rotation`(isDryRun: Bool) async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders", "gone")
        try await cluster.makeAuthority("corp", meshes: ["orders"])
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        try await cluster.authority.delete(mesh: MeshName("gone"), ifMatch: nil, by: Self.alice)
        for name in ["nowhere", "gone.ca-1", "\u{1b}[2J"] {
            let error = try await Self.refused(cluster) { try await Self.rotate(cluster, name, isDryRun: isDryRun) }
            #expect(error.isNotFound && !error.text.contains("\u{1b}"))
        }
        try await Self.rotate(cluster, "corp")
        let id = try #require(cluster.running.first?.rotation.id)
        let again = try await Self.refused(cluster) { try await Self.rotate(cluster, "corp", isDryRun: isDryRun) }
        #expect(again.isConflict && again.text.contains(id), "\(again.text)")
        // Nobody joins, leaves or changes what is in a rotation.
        let join = try await Self.refused(cluster) { try await cluster.share("corp", "payments") }
        #expect(join.isConflict && join.text.contains(id), "\(join.text)")
        let leave = try await Self.refused(cluster) { try await cluster.unshare("corp", "orders") }
        #expect(leave.isConflict && leave.text.contains(id), "\(leave.text)")
        let retype = try await Self.refused(cluster) {
            var authority = Cluster.authority("corp")
            authority.keyAlgorithm = .ecP384
            _ = try await cluster.authority.put(
                authority, meshes: [], root: nil, isDryRun: isDryRun, ifMatch: nil, by: Self.alice)
        }
        #expect(retype.isConflict && retype.text.contains(id), "\(retype.text)")
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        // And no root is replaced under a mesh that is on its way.
        try await cluster.share("corp", "payments")
        let move = try #require(cluster.running.first?.rotation.id)
        for name in ["corp", "payments.ca-1"] {
            let error = try await Self.refused(cluster) { try await Self.rotate(cluster, name, isDryRun: isDryRun) }
            #expect(error.isConflict && error.text.contains(move) && error.text.contains("payments"), "\(error.text)")
        }
    }

    @Test(arguments: [false, true])
    func `a root for a CA that makes its own, and none for one whose roots are brought`(isDryRun: Bool) async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("corp")
        let roots = try await BroughtRoots.made("ec-p256", "ec-p384", "expired")
        var authority = Cluster.authority("brought")
        authority.origin = .provided
        _ = try await cluster.authority.put(authority, meshes: [], root: roots[0], ifMatch: nil, by: Self.alice)
        let cases: [(String, KeyAlgorithm?, ProvidedRoot?, String)] = [
            ("corp", nil, roots[1], "cert"), ("brought", nil, nil, "cert"), ("brought", nil, roots[0], "cert"),
            ("brought", nil, roots[2], "cert"), ("brought", .ecP384, roots[1], "keyType"),
            ("brought", nil, ProvidedRoot(certificate: roots[1].certificate, key: roots[0].key), "key"),
            ("brought", nil, ProvidedRoot(certificate: roots[1].certificate, key: .pem("nonsense")), "key"),
        ]
        for (name, keyAlgorithm, root, field) in cases {
            let error = try await Self.refused(cluster) {
                try await Self.rotate(cluster, name, keyAlgorithm: keyAlgorithm, root: root, isDryRun: isDryRun)
            }
            #expect(error.fields == [field], "\(error.text)")
        }
        // That of a mesh's own document is exchanged there.
        var mesh = try cluster.mesh("payments")
        mesh.mtls?.backends.append(
            Mesh.Backend(
                name: "own", kind: .provided(certificate: roots[1].certificate), mode: .strict, leafLifetime: .seconds(60),
                document: "{}"))
        mesh.mtls?.enabledBackend = "own"
        _ = try await cluster.authority.put(mesh, keys: ["own": roots[1].key], ifMatch: nil, by: Self.alice)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        for root in [nil, roots[0]] {
            let error = try await Self.refused(cluster) {
                try await Self.rotate(cluster, "payments.own", root: root, isDryRun: isDryRun)
            }
            #expect(error.isConflict && error.text.contains("add a backend"), "\(error.text)")
        }
    }

    @Test func `who is limited to meshes steers what those alone use, and nothing else`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders", "web")
        try await cluster.makeAuthority("corp", meshes: ["payments", "orders"])
        try await cluster.makeAuthority("spare")
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        func admin(_ meshes: String...) throws -> Administrator {
            Administrator(
                name: "bob", roles: [.admin], meshes: Set(try meshes.map { try MeshName($0) }), source: "test", requestID: "r")
        }
        let bob = try admin("payments", "web")
        // What is not there is told from what is not theirs by nobody.
        for name in ["corp", "spare", "nowhere", "orders.ca-1"] {
            for isDryRun in [false, true] {
                let error = try await Self.refused(cluster) {
                    try await Self.rotate(cluster, name, isDryRun: isDryRun, by: bob)
                }
                #expect(error.isOutOfScope, "\(name): \(error.text)")
                #expect(!error.text.contains("'orders'"))
            }
            let issuer = try #require(
                cluster.state.issuers.values.first { $0.certificateAuthority == name }
                    ?? cluster.state.issuers.values.first)
            let error = try await Self.refused(cluster) {
                _ = try await cluster.authority.revoke(issuer: issuer.id, of: name, reason: "stolen", by: bob)
            }
            #expect(error.isOutOfScope, "\(name): \(error.text)")
        }
        try await Self.rotate(cluster, "corp", isManual: true)
        let id = try #require(cluster.running.first?.rotation.id)
        for order in [RotationOrder.pause, .resume, .abort, .advance(force: false), .advance(force: true)] {
            let error = try await Self.refused(cluster) {
                _ = try await cluster.authority.steer(id, order, reason: "mine", by: bob)
            }
            #expect(error.isOutOfScope, "\(order): \(error.text)")
        }
        let both = try admin("payments", "orders")
        _ = try await cluster.authority.steer(id, .abort, reason: nil, by: both)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        let resume = try await Self.refused(cluster) {
            _ = try await cluster.authority.steer(id, .resume, reason: nil, by: bob)
        }
        #expect(resume.isOutOfScope)
        _ = try await cluster.authority.steer(id, .resume, reason: nil, by: both)
        try await Self.rotate(cluster, "web.ca-1", by: bob)
        try await Self.rotate(cluster, "corp", by: both)
        #expect(cluster.running.count == 2)
    }

    @Test(arguments: [Duration.seconds(-3600), .seconds(3600), .seconds(-40 * 86_400)])
    func `a clock that jumps stops no rotation and breaks no law`(jump: Duration) async throws {
        // Heartbeats and the lease are asked for by the clock too.
        let world = try await SharedWorld(.shared, replicas: 2) { settings in
            settings.heartbeatInterval = .seconds(5)
            settings.rotationDwell = .seconds(2)
        }
        let cluster = world.cluster
        let rotation = try await world.rotate()
        try await cluster.whileRunning {
            try await cluster.awaitThat("an open gate") {
                try await world.follow()
                return try await cluster.gate()?.isOpen == true
            }
            // Seen as open by the driver too.
            try await cluster.linger { try await world.follow() }
            cluster.clock.advance(by: jump)
            try await cluster.awaitEnd {
                try await world.follow()
                cluster.expectLaws()
                // The dwell passes in it.
                cluster.clock.advance(by: .milliseconds(50))
            }
        }
        world.expectSettled(on: rotation.to)
        #expect(
            try await world.events().filter { $0 != "cross-certificate-renewed" } == [
                "distributing", "issuing", "withdrawing", "completed",
            ])
    }

    @Test func `one CA whose key cannot be read holds up no other's rotation`() async throws {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("broken", "payments")
        let root = try #require(cluster.state.activeIssuer(of: MeshName("broken")))
        var store = cluster.disk.store
        store.state.issuerKeys[root.id] = store.state.issuerKeys.first { $0.key != root.id }?.value
        cluster.disk.restore(store)
        let error = try await Self.refused(cluster) { try await Self.rotate(cluster, "broken.ca-1") }
        #expect({ if case .crypto? = error { true } else { false } }(), "\(error.text)")
        // Both are due by age.
        cluster.clock.advance(by: root.notAfter - cluster.clock.now - .seconds(29 * 86_400))
        try await cluster.whileRunning {
            try await cluster.awaitThat("the rotation of the other") {
                cluster.rotations.map(\.rotation.certificateAuthority) == ["payments.ca-1"]
                    && cluster.rotations.allSatisfy { $0.rotation.phase == .completed }
            }
        }
        #expect(cluster.rotations.map(\.rotation.trigger) == [.schedule])
    }
}
