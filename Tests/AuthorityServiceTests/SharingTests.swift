import Authority
import AuthorityService
import PKI
import PKICrypto
import TestSupport
import Testing

@Suite("Sharing certificate authorities", .timeLimit(.minutes(2)))
struct SharingTests {
    private static let alice = Service.administrator

    /// `payments` and `orders` with CAs of their own, and `corp`, which nobody uses.
    private static func cluster() async throws -> Cluster {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("payments", "orders")
        try await cluster.makeAuthority("corp")
        return cluster
    }

    /// What a refusal must leave as it was: everything but what was refused to whom.
    private static func picture(_ cluster: Cluster) -> String {
        let store = cluster.disk.store
        let rotations = store.rotations.map { "\($0.rotation.id) \($0.revision)" }
        return [
            "\(store.state.authority.hashValue)", "\(store.state.issuerKeys.count)", "\(store.state.tokenSigningKeys.count)",
            "\(store.certificates.count)", "\(store.tokens.count)", "\(store.audit.count)", "\(rotations)",
        ].joined(separator: " ")
    }

    @discardableResult
    private static func expectRefusal(
        _ cluster: Cluster, _ words: String..., at location: SourceLocation = #_sourceLocation,
        of body: () async throws -> Void
    ) async throws -> AuthorityError? {
        let before = picture(cluster)
        let error = try await failure(of: body)
        #expect(error != nil, sourceLocation: location)
        let text = error.map { "\($0)" } ?? ""
        for word in words { #expect(text.contains(word), "\(text)", sourceLocation: location) }
        #expect(picture(cluster) == before, "something was changed", sourceLocation: location)
        #expect(cluster.authority.state.revision == cluster.state.revision, sourceLocation: location)
        return error
    }

    private static func pairs(_ pairs: [TrustPair]) -> [String] { pairs.map { "\($0.from)>\($0.to)" } }

    // MARK: - The certificate authority

    @Test func `a shared CA is made with one root and one key, and meshes that join get the very same`() async throws {
        let cluster = try await Self.cluster()
        let outcome = try await cluster.makeAuthority("lab", meshes: ["payments", "orders"])
        #expect(outcome.isCreated && outcome.rotations.count == 2)
        #expect(outcome.rotations.flatMap(\.meshes).map(\.name).sorted() == ["orders", "payments"])
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        let roots = cluster.state.issuers.values.filter { $0.certificateAuthority == "lab" }
        #expect(roots.count == 1)
        for mesh in ["payments", "orders"] {
            #expect(cluster.state.activeIssuer(of: try MeshName(mesh)) == roots.first)
            #expect(cluster.state.boundIssuers(of: try MeshName(mesh)).count == 1)
        }
        let record = try #require(cluster.disk.store.certificates.first { $0.certificateAuthority == "lab" && $0.kind == .root })
        #expect(record.mesh == nil)
        let name = Array("spiffe://".utf8)
        #expect(try #require(roots.first).certificate.firstRange(of: name) == nil)
        let own = try #require(cluster.state.issuers.values.first { $0.certificateAuthority == "orders.ca-1" })
        #expect(own.certificate.firstRange(of: name) != nil)
        #expect(outcome.revision != nil)
        #expect(cluster.state.certificateAuthorities["lab"]?.authority == outcome.authority)
    }

    @Test func `a dry run tells all of it and changes nothing, keys included`() async throws {
        let cluster = try await Self.cluster()
        let before = Self.picture(cluster)
        let made = try await cluster.authority.put(
            Cluster.authority("lab"), meshes: [MeshName("payments"), MeshName("orders")], root: nil, isDryRun: true,
            ifMatch: nil, by: Self.alice)
        #expect(made.isCreated && made.revision == nil && made.rotations.count == 2)
        #expect(Self.pairs(made.trust.begins) == ["orders>payments", "payments>orders"])
        let shared = try await cluster.share("corp", "payments", isDryRun: true)
        #expect(shared.revision == nil && shared.rotation?.certificateAuthority == "corp")
        #expect(shared.mesh.enabledAuthority == "corp" && shared.trust == TrustChange())
        var moved = try cluster.mesh("payments")
        moved.mtls?.backends.append(try #require(Service.mesh("x").mtls?.backends.first))
        moved.mtls?.backends[1].name = "ca-2"
        moved.mtls?.enabledBackend = "ca-2"
        let put = try await cluster.authority.put(moved, isDryRun: true, ifMatch: nil, by: Self.alice)
        #expect(put.rotation?.certificateAuthority == "payments.ca-2" && !put.isCreated)
        let new = try await cluster.authority.put(Service.mesh("new"), isDryRun: true, ifMatch: nil, by: Self.alice)
        #expect(new.isCreated && new.rotation == nil)
        #expect(Self.picture(cluster) == before)
        #expect(cluster.authority.state.revision == cluster.state.revision)
    }

    @Test func `a dry run refuses what the act would`() async throws {
        let cluster = try await Self.cluster()
        try await cluster.share("corp", "payments")
        try await cluster.makeAuthority("lab")
        try await Self.expectRefusal(cluster, "rot-") {
            _ = try await cluster.authority.put(
                cluster.mesh("payments").sharing("lab"), leave: true, isDryRun: true, ifMatch: nil, by: Self.alice)
        }
        try await Self.expectRefusal(cluster, "there is no mesh 'nobody'") {
            _ = try await cluster.authority.put(
                Cluster.authority("lab"), meshes: [MeshName("nobody")], root: nil, isDryRun: true, ifMatch: nil, by: Self.alice)
        }
    }

    @Test func `new terms keep the root, and its origin does not change under the meshes`() async throws {
        let cluster = try await Self.cluster()
        let root = try #require(cluster.state.currentIssuer(of: "corp", at: cluster.clock.now))
        var terms = Cluster.authority("corp", retireAfter: .expired)
        terms.expiration = .seconds(86_400)
        terms.rotatesAutomatically = false
        let outcome = try await cluster.authority.put(terms, meshes: [], root: nil, ifMatch: nil, by: Self.alice)
        #expect(!outcome.isCreated && outcome.rotations.isEmpty)
        #expect(cluster.state.certificateAuthorities["corp"]?.authority == terms)
        #expect(cluster.state.currentIssuer(of: "corp", at: cluster.clock.now) == root)
        var provided = terms
        provided.origin = .provided
        try await Self.expectRefusal(cluster, "corp") {
            _ = try await cluster.authority.put(provided, meshes: [], root: nil, ifMatch: nil, by: Self.alice)
        }
    }

    @Test func `a revision that lost is refused for CAs as for meshes`() async throws {
        let cluster = try await Self.cluster()
        let revision = try #require(cluster.state.certificateAuthorities["corp"]?.revision)
        func isLost(_ body: () async throws -> Void) async throws {
            let error = try await Self.expectRefusal(cluster, "corp", of: body)
            #expect({ if case .preconditionFailed? = error { true } else { false } }())
        }
        try await isLost {
            _ = try await cluster.authority.put(Cluster.authority("corp"), meshes: [], root: nil, ifMatch: 0, by: Self.alice)
        }
        try await isLost {
            try await cluster.authority.delete(certificateAuthority: "corp", ifMatch: revision + 9, by: Self.alice)
        }
        // A mesh that joins changes the row: whoever read it before knows less.
        try await cluster.share("corp", "payments")
        try await isLost {
            _ = try await cluster.authority.put(
                Cluster.authority("corp"), meshes: [], root: nil, ifMatch: revision, by: Self.alice)
        }
    }

    @Test(arguments: ["", "UPPER", "payments.ca-1", "a_b", String(repeating: "a", count: 64)])
    func `a name that is none is refused, and so is a mesh's own`(name: String) async throws {
        let cluster = try await Self.cluster()
        let error = try await Self.expectRefusal(cluster, "DNS label") {
            _ = try await cluster.authority.put(Cluster.authority(name), meshes: [], root: nil, ifMatch: nil, by: Self.alice)
        }
        guard case .invalid(let parameters)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(parameters.map(\.field) == ["name"])
    }

    @Test func `a CA in use is not deleted, and the refusal names the meshes; unused it goes with its key`() async throws {
        let cluster = try await Self.cluster()
        try await cluster.share("corp", "payments")
        func delete() async throws {
            try await cluster.authority.delete(certificateAuthority: "corp", ifMatch: nil, by: Self.alice)
        }
        try await Self.expectRefusal(cluster, "payments", "unshare", of: delete)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        try await Self.expectRefusal(cluster, "payments", of: delete)
        try await cluster.unshare("corp", "payments")
        // Still trusted while the mesh is on its way.
        try await Self.expectRefusal(cluster, "payments", of: delete)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        try await delete()
        #expect(cluster.state.certificateAuthorities["corp"] == nil)
        #expect(cluster.state.issuers.values.allSatisfy { $0.certificateAuthority != "corp" })
        #expect(Set(cluster.disk.store.state.issuerKeys.keys) == Set(cluster.state.issuers.keys))
        try await Self.expectRefusal(cluster, "corp", of: delete)
        // Another of its name starts anew.
        try await cluster.makeAuthority("corp", meshes: ["payments"])
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        #expect(cluster.state.activeIssuer(of: try MeshName("payments"))?.certificateAuthority == "corp")
    }

    @Test func `a mesh's own CA is deleted by nobody but its document, and shared with nobody`() async throws {
        let cluster = try await Self.cluster()
        try await Self.expectRefusal(cluster, "payments") {
            try await cluster.authority.delete(certificateAuthority: "payments.ca-1", ifMatch: nil, by: Self.alice)
        }
        try await Self.expectRefusal(cluster, "cannot be shared") { try await cluster.share("payments.ca-1", "orders") }
        try await Self.expectRefusal(cluster, "cannot be shared") { try await cluster.share("payments.ca-1", "payments") }
    }

    // MARK: - Joining and leaving

    @Test func `sharing writes the backend, starts one move, and again is nothing new`() async throws {
        let cluster = try await Self.cluster()
        let outcome = try await cluster.share("corp", "payments")
        #expect(outcome.isCreated && outcome.rotation?.phase == .distributing)
        #expect(try cluster.mesh("payments").mtls?.backends.map(\.name) == ["ca-1", "corp"])
        #expect(try cluster.mesh("payments").enabledAuthority == "corp")
        #expect(cluster.running.count == 1)
        let before = Self.picture(cluster)
        let again = try await cluster.share("corp", "payments")
        #expect(!again.isCreated && again.rotation?.id == outcome.rotation?.id)
        #expect(Self.picture(cluster) == before)
        let audit = try #require(cluster.disk.store.audit.last { $0.action == "mesh-replaced" })
        #expect(audit.details["rotation"] == outcome.rotation?.id && audit.details["certificate-authority"] == "corp")
        #expect(audit.actor == "user:alice")
    }

    @Test func `a share of what is not there is refused, and names it`() async throws {
        let cluster = try await Self.cluster()
        let noCA = try await Self.expectRefusal(cluster, "nowhere") { try await cluster.share("nowhere", "payments") }
        #expect(noCA == .notFound(kind: "certificate authority", name: "nowhere"))
        let noMesh = try await Self.expectRefusal(cluster, "nobody") { try await cluster.share("corp", "nobody") }
        #expect(noMesh == .notFound(kind: "mesh", name: "nobody"))
        try await Self.expectRefusal(cluster, "payments") { try await cluster.unshare("corp", "payments") }
    }

    @Test func `a mesh on its way is shared with no other CA, and may go back`() async throws {
        let cluster = try await Self.cluster()
        try await cluster.makeAuthority("lab")
        let outcome = try await cluster.share("corp", "payments")
        let id = try #require(outcome.rotation?.id)
        try await Self.expectRefusal(cluster, "payments") { try await cluster.share("lab", "payments") }
        let back = try await cluster.unshare("corp", "payments")
        #expect(back.rotation?.id == id && back.rotation?.phase == .reverting)
        try await Self.expectRefusal(cluster, id) { try await cluster.share("corp", "payments") }
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        #expect(cluster.rotations.map(\.rotation.phase) == [.aborted])
        #expect(try cluster.mesh("payments").mtls?.backends.map(\.name) == ["ca-1"])
        #expect(cluster.state.activeIssuer(of: try MeshName("payments"))?.certificateAuthority == "payments.ca-1")
    }

    @Test func `leaving a shared CA for another takes two steps, so that no document does it by accident`() async throws {
        let cluster = try await Self.cluster()
        try await cluster.makeAuthority("lab")
        try await cluster.shareAndComplete("corp", "payments")
        try await Self.expectRefusal(cluster, "corp", "leave=true") { try await cluster.share("lab", "payments") }
        var own = try cluster.mesh("payments")
        own.mtls?.enabledBackend = "ca-1"
        let stale = own
        try await Self.expectRefusal(cluster, "corp", "leave=true") {
            _ = try await cluster.authority.put(stale, ifMatch: nil, by: Self.alice)
        }
        let left = try await cluster.authority.put(own, leave: true, ifMatch: nil, by: Self.alice)
        #expect(left.rotation?.previousAuthority == "corp")
    }

    @Test func `unsharing goes back to where the mesh came from, with the root that it had`() async throws {
        let cluster = try await Self.cluster()
        let own = try #require(cluster.state.activeIssuer(of: MeshName("payments")))
        try await cluster.shareAndComplete("corp", "payments", "orders")
        let preview = try await cluster.unshare("corp", "payments", isDryRun: true)
        #expect(Self.pairs(preview.trust.ceases) == ["orders>payments", "payments>orders"])
        let outcome = try await cluster.unshare("corp", "payments")
        #expect(outcome.mesh == preview.mesh)
        #expect(outcome.mesh.enabledAuthority == "payments.ca-1")
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        #expect(cluster.state.activeIssuer(of: try MeshName("payments")) == own)
        #expect(cluster.state.activeIssuer(of: try MeshName("orders"))?.certificateAuthority == "corp")
    }

    @Test func `a mesh that was born on a shared CA gets one of its own when it leaves`() async throws {
        let cluster = try await Self.cluster()
        var born = try Service.mesh("born", leafLifetime: .seconds(60))
        born.mtls = nil
        born = born.sharing("corp")
        let made = try await cluster.authority.put(born, ifMatch: nil, by: Self.alice)
        #expect(made.isCreated && made.rotation == nil)
        #expect(cluster.state.activeIssuer(of: born.name)?.certificateAuthority == "corp")
        let left = try await cluster.unshare("corp", "born")
        #expect(left.mesh.enabledAuthority == "born.ca-1" && left.mesh.mtls?.backends.count == 1)
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        #expect(cluster.state.activeIssuer(of: born.name)?.certificateAuthority == "born.ca-1")
    }

    @Test func `a mesh in a rotation is not deleted, and afterwards takes nothing of the shared CA along`() async throws {
        let cluster = try await Self.cluster()
        let id = try #require(try await cluster.share("corp", "payments").rotation?.id)
        let name = try MeshName("payments")
        try await Self.expectRefusal(cluster, id) {
            try await cluster.authority.delete(mesh: name, ifMatch: nil, by: Self.alice)
        }
        try await cluster.whileRunning { try await cluster.awaitEnd() }
        try await cluster.authority.delete(mesh: name, ifMatch: nil, by: Self.alice)
        #expect(cluster.state.certificateAuthorities.keys.sorted() == ["corp", "orders.ca-1"])
        #expect(cluster.state.currentIssuer(of: "corp", at: cluster.clock.now) != nil)
        try await cluster.authority.delete(certificateAuthority: "corp", ifMatch: nil, by: Self.alice)
    }

    @Test func `the certificate of a mesh on a shared root speaks for that mesh alone`() async throws {
        let cluster = try await Self.cluster()
        try await cluster.shareAndComplete("corp", "payments", "orders")
        let chain = try await Service.chain(
            of: cluster.authority.issueLeaf(for: cluster.first.caller(mesh: "payments"), node: "n"))
        let identifier: [UInt8] = [0x55, 0x1D, 0x1E]
        #expect(chain[1].firstRange(of: identifier) != nil)
        for (mesh, isAccepted) in [("payments", true), ("orders", true)] {
            #expect(try cluster.authority.verify(chain: chain, mesh: MeshName(mesh), service: nil).isAccepted == isAccepted)
        }
        var isolated = try cluster.mesh("orders")
        isolated.isolated = true
        let preview = try await cluster.authority.put(isolated, isDryRun: true, ifMatch: nil, by: Self.alice)
        let outcome = try await cluster.authority.put(isolated, ifMatch: nil, by: Self.alice)
        #expect(outcome.rotation == nil)
        #expect(Self.pairs(preview.trust.ceases) == ["orders>payments", "payments>orders"])
        let verdict = try cluster.authority.verify(chain: chain, mesh: MeshName("orders"), service: nil)
        #expect(!verdict.isAccepted && verdict.reason == "unknown-trust-domain")
    }

    // MARK: - At once

    @Test func `fifty shares of one mesh at once start one rotation`() async throws {
        let cluster = try await Cluster.started(3)
        try await cluster.makeMeshes("payments")
        try await cluster.makeAuthority("corp")
        let name = try MeshName("payments")
        let results = await withTaskGroup(of: Result<MeshOutcome, any Error>.self) { group in
            for index in 0..<50 {
                group.addTask {
                    let authority = cluster.replicas[index % 3].authority
                    do {
                        return .success(try await authority.share("corp", with: name, by: Self.alice))
                    } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(cluster.rotations.count == 1)
        let ids = Set(results.compactMap { try? $0.get().rotation?.id })
        #expect(ids == [try #require(cluster.rotations.first?.rotation.id)])
        #expect(results.filter { (try? $0.get().isCreated) == true }.count == 1)
        for case .failure(let error) in results {
            #expect({ if case .ledger(.conflict)? = error as? AuthorityError { true } else { false } }(), "\(error)")
        }
        #expect(cluster.state.meshIssuers[name]?.values.filter(\.isBound).count == 2)
    }

    @Test func `of a CA's deletion and a mesh that joins it one wins, never both`() async throws {
        var outcomes: Set<String> = []
        for round in 0..<30 {
            let cluster = try await Cluster.started(2)
            try await cluster.makeMeshes("payments")
            try await cluster.makeAuthority("corp")
            let name = try MeshName("payments")
            // The other replica has to know both before it can lose.
            try await eventually(within: .seconds(5), "the news", every: .milliseconds(1)) {
                _ = try? await cluster.replicas[1].authority.share("corp", with: name, isDryRun: true, by: Self.alice)
                return cluster.replicas[1].authority.state.revision == cluster.state.revision
            }
            let gate = LedgerGate()
            for replica in cluster.replicas { replica.ledger.inject(.delayed(gate), into: .commit) }
            let order = round % 2
            async let deletion = failure {
                try await cluster.replicas[order].authority.delete(certificateAuthority: "corp", ifMatch: nil, by: Self.alice)
            }
            async let joining = failure {
                try await cluster.replicas[1 - order].authority.share("corp", with: name, by: Self.alice)
            }
            #expect(await gate.awaitArrival())
            #expect(await gate.awaitArrival())
            gate.open()
            let (deleted, joined) = (try await deletion == nil, try await joining == nil)
            #expect(deleted != joined)
            let mesh = try #require(cluster.state.meshes[name]?.mesh)
            #expect((cluster.state.certificateAuthorities["corp"] == nil) == deleted)
            #expect((mesh.enabledAuthority == "corp") == joined && cluster.rotations.count == (joined ? 1 : 0))
            outcomes.insert(deleted ? "deleted" : "joined")
        }
        #expect(outcomes.count == 2)
    }
}
