import Authority
import PKI
import Testing

/// A mesh that is not named by the difference of two states is answered alike by both: whoever relies on it asks nothing anew.
@Suite("Differences of states")
struct DifferenceTests {
    /// All that a proxy of a mesh may be answered, but for what depends on time.
    private struct Answers: Equatable {
        var contexts: [String: Result<ValidationContext, Refusal>] = [:]
        var standing: [String: String] = [:]
        var active: IssuerID?
        var issuers: [IssuerID: IssuerState]?
        var rotation: AuthorityState.RotationEntry?
    }

    /// What two answers differ in, of those that a proxy can tell.
    private static func differences(_ old: Answers, _ new: Answers, ended: Set<String>) -> [String] {
        var found = Set(old.contexts.keys).union(new.contexts.keys).filter { old.contexts[$0] != new.contexts[$0] }
        for (service, standing) in old.standing where new.standing[service] != standing {
            // The token has ended: nobody can come with it, and whose stream it was has none since the revocation.
            if ended.contains(where: { standing == "\(Refusal.tokenRevoked(id: $0))" }) { continue }
            found.insert("standing of '\(service)': \(standing)")
        }
        if old.active != new.active { found.insert("active") }
        if old.issuers != new.issuers { found.insert("issuers") }
        if old.rotation != new.rotation { found.insert("rotation") }
        return found.sorted()
    }

    private static let services = ["api", "web"]
    private static let names = ["a", "b", "c", "d", "e", "f"]

    private static func answers(for mesh: String, by state: AuthorityState) throws -> Answers {
        let name = try MeshName(mesh)
        var answers = Answers(
            active: state.activeIssuer(of: name)?.id, issuers: state.meshIssuers[name], rotation: state.rotation(of: name))
        for service in services + [""] {
            let caller = Caller(
                mesh: name, identity: try SPIFFEID("spiffe://\(mesh)/\(service.isEmpty ? "none" : service)"), proxy: "p",
                tags: service.isEmpty ? [:] : ["kuma.io/service": [service]], tokenID: "token-\(mesh)-\(service)")
            do throws(Refusal) {
                try state.confirmStanding(of: caller, at: Fixture.now)
                answers.standing[service] = "stays"
            } catch {
                answers.standing[service] = "\(error)"
            }
            var wanted: [SecretName] = [.allTrust, .destinations, .meshTrust, .peers]
            for other in names {
                for target in services + ["picked"] { wanted.append(.service(mesh: try MeshName(other), name: target)) }
            }
            for secret in wanted {
                let context: Result<ValidationContext, Refusal>
                do throws(Refusal) {
                    context = .success(try state.validationContext(secret, for: caller))
                } catch {
                    context = .failure(error)
                }
                answers.contexts["\(service) \(secret)"] = context
            }
        }
        return answers
    }

    /// Two meshes of their own, two that share, one whose root was brought, and one more; none with anything on its way.
    private static func start() throws -> AuthorityState {
        var fixture = try Fixture("a", "e")
        try fixture.add(sharedAuthority: "corp")
        try fixture.add(mesh: "b", sharing: "corp")
        try fixture.add(mesh: "c", sharing: "corp")
        try fixture.add(mesh: "d") { $0.mtls = Mesh.MTLS(enabledBackend: "ca-1", backends: [Fixture.provided("ca-1", [7])]) }
        try fixture.add(mesh: "f")
        return fixture.state
    }

    /// One thing becomes another.
    private static func change(_ state: inout AuthorityState, _ random: inout SeededGenerator) throws {
        state.revision += 1
        let mesh = try MeshName(names.randomElement(using: &random) ?? "a")
        let other = try MeshName(names.randomElement(using: &random) ?? "b")
        let service = services.randomElement(using: &random) ?? "api"
        switch Int.random(in: 0..<17, using: &random) {
        case 0: state.meshes[mesh]?.mesh.isolated.toggle()
        case 1:
            let name = "door-\(mesh)-\(other)"
            if state.crossMeshAccesses[name] != nil {
                state.crossMeshAccesses[name] = nil
            } else if mesh != other {
                let access = CrossMeshAccess(
                    name: name, from: .init(mesh: mesh, services: random.once(in: 2) ? [service] : nil),
                    to: .init(mesh: other, services: random.once(in: 2) ? [service] : nil))
                state.crossMeshAccesses[name] = AuthorityState.CrossMeshAccessEntry(
                    access: access, revision: state.revision, createdAt: Fixture.now, modifiedAt: Fixture.now)
            }
        case 2:
            let identity = try SPIFFEID("spiffe://\(mesh)/\(service)-\(Int.random(in: 0..<3, using: &random))")
            state.serviceIdentities[mesh, default: [:]][service, default: []].formSymmetricDifference([identity])
        case 3:
            let identity = try SPIFFEID("spiffe://\(mesh)/picked-\(Int.random(in: 0..<3, using: &random))")
            state.meshServiceIdentities[mesh, default: [:]]["picked", default: []].formSymmetricDifference([identity])
        case 4: state.revokedIdentities.formSymmetricDifference([try SPIFFEID("spiffe://\(mesh)/\(service)-1")])
        case 5: state.revokedIdentities.formSymmetricDifference([try SPIFFEID("spiffe://\(mesh)/\(service)")])
        case 6: state.revokedTokens.insert("token-\(mesh)-\(service)")
        case 7:
            // As if they had ended.
            state.revokedTokens = []
        case 8:
            guard let id = state.meshIssuers[mesh]?.keys.sorted().randomElement(using: &random) else { return }
            state.meshIssuers[mesh]?[id] = IssuerState.allCases.filter { $0 != .active }.randomElement(using: &random)
        case 9:
            let from = state.activeIssuer(of: mesh)
            let number = UInt8.random(in: 100...250, using: &random)
            let id = IssuerID(random: [9, 0, 0, 0, 0, 0, 0, number])
            guard state.issuers[id] == nil, let from else { return }
            // A new root, which may be of the very key that another has.
            let certificate =
                random.once(in: 3) ? (state.issuers.values.map(\.certificate).min { $0.count < $1.count } ?? [1]) : [1, number]
            state.issuers[id] = Issuer(
                id: id, certificateAuthority: from.certificateAuthority, certificate: certificate,
                serial: SerialNumber(bytes: [number]), fingerprint: Fingerprint(sha256: [UInt8](repeating: number, count: 32)),
                notBefore: Fixture.now + .seconds(Int64(number)), notAfter: Fixture.now + .seconds(86_400))
            if random.once(in: 2) { state.meshIssuers[mesh, default: [:]][id] = .prepared }
        case 10:
            // Gone, if nobody has it.
            let used = Set(state.meshIssuers.values.flatMap(\.keys))
            guard let id = state.issuers.keys.filter({ !used.contains($0) }).min() else { return }
            state.issuers[id] = nil
        case 11:
            guard let name = state.certificateAuthorities.keys.sorted().randomElement(using: &random) else { return }
            let origin = state.certificateAuthorities[name]?.authority.origin
            state.certificateAuthorities[name]?.authority.origin = origin == .provided ? .generated : .provided
        case 12:
            if let running = state.rotation(of: mesh)?.rotation.id {
                state.rotations[running] = nil
            } else if let from = state.activeIssuer(of: mesh) {
                let rotation = Rotation(
                    id: "rot-\(state.revision)", kind: random.once(in: 2) ? .move : .replace, meshes: [mesh],
                    certificateAuthority: from.certificateAuthority, previousAuthority: from.certificateAuthority, from: from.id,
                    to: from.id, retireAfter: .expired, startedAt: Fixture.now)
                state.rotations[rotation.id] = AuthorityState.RotationEntry(rotation: rotation, revision: state.revision)
            }
        case 13:
            guard let id = state.rotation(of: mesh)?.rotation.id else { return }
            state.rotations[id]?.revision = state.revision
            state.rotations[id]?.rotation.isPaused.toggle()
        case 14:
            guard let enabled = state.meshes[mesh]?.mesh.mtls?.backends.first?.name else { return }
            let isOn = state.meshes[mesh]?.mesh.mtls?.enabledBackend != nil
            state.meshes[mesh]?.mesh.mtls?.enabledBackend = isOn ? nil : enabled
        case 15:
            if state.meshes.removeValue(forKey: mesh) == nil, let document = try? Fixture.mesh(mesh.name) {
                state.meshes[mesh] = AuthorityState.MeshEntry(
                    mesh: document, revision: state.revision, createdAt: Fixture.now, modifiedAt: Fixture.now)
            }
        default:
            // What no proxy can tell.
            state.meshes[mesh]?.revision = state.revision
            state.certificateAuthorities["corp"]?.revision = state.revision
        }
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `who is not named is answered as before`(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        var state = try Self.start()
        var answers: [String: Answers] = [:]
        for mesh in Self.names { answers[mesh] = try Self.answers(for: mesh, by: state) }
        var spared = 0
        var moved = 0
        for _ in 0..<25 {
            // Others have deadlines to meet on the same threads.
            await Task.yield()
            let before = state
            for _ in 0..<Int.random(in: 1...2, using: &random) { try Self.change(&state, &random) }
            let named = state.meshesChanged(since: before)
            let ended = before.revokedTokens.subtracting(state.revokedTokens)
            for mesh in Self.names {
                let (old, new) = (try #require(answers[mesh]), try Self.answers(for: mesh, by: state))
                answers[mesh] = new
                let differences = Self.differences(old, new, ended: ended)
                if named.contains(try MeshName(mesh)) {
                    if !differences.isEmpty { moved += 1 }
                } else {
                    spared += 1
                    #expect(differences.isEmpty, "\(mesh) is not named among \(named) at revision \(state.revision)")
                }
            }
        }
        // It would be no use if it named everybody, and no test if nothing ever changed.
        #expect(spared > 30 && moved > 5)
    }

    @Test func `a mesh's own change names it and those around it, and no other`() throws {
        var state = try Self.start()
        let before = state
        state.revision += 1
        #expect(state.meshesChanged(since: before).isEmpty)
        let (a, b, c) = (try MeshName("a"), try MeshName("b"), try MeshName("c"))
        state.meshes[a]?.mesh.isolated = true
        #expect(state.meshesChanged(since: before) == [a])
        state.meshes[b]?.mesh.isolated = true
        #expect(state.meshesChanged(since: before) == [a, b, c])
    }

    @Test func `a revoked token is everybody's news, and one that has ended nobody's`() throws {
        var state = try Self.start()
        let before = state
        state.revokedTokens = ["t"]
        #expect(state.meshesChanged(since: before) == Set(state.meshes.keys))
        #expect(before.meshesChanged(since: state).isEmpty)
    }
}
