import Authority
import AuthorityService
import PKI
import PKICrypto
import Synchronization
import TestSupport

/// Several replicas over one disk, which all read the test's clock, and the proxies that are connected to them.
struct Cluster {
    let clock: TestClock
    let disk: MemoryLedger.Disk
    let replicas: [Service]

    static let alice = Service.administrator

    /// Replicas that have started, of a service without meshes. Nothing of a rotation takes its time but what it waits for.
    static func started(
        _ count: Int = 1, _ configure: (inout AuthoritySettings) -> Void = { _ in }
    ) async throws -> Cluster {
        let clock = TestClock()
        let disk = MemoryLedger.Disk()
        let key = try KeyEncryptionKey(bytes: SecretBytes.random(32))
        var settings = AuthoritySettings()
        settings.skipDefaultMesh = true
        settings.rotationDwell = .zero
        settings.rotationInterval = .milliseconds(5)
        settings.revisionPollInterval = .milliseconds(20)
        settings.heartbeatInterval = .zero
        // While the clock stands still no later turn comes.
        settings.reissuePace = 1_000_000
        configure(&settings)
        var replicas: [Service] = []
        for _ in 0..<count {
            let service = try Service(
                ledger: MemoryLedger(disk: disk, now: { clock.now }), clock: clock, keyEncryptionKey: key, settings: settings)
            try await service.authority.start()
            replicas.append(service)
        }
        return Cluster(clock: clock, disk: disk, replicas: replicas)
    }

    var first: Service { replicas[0] }
    var authority: MeshAuthority { replicas[0].authority }
    var state: AuthorityState { disk.store.state.authority }
    var rotations: [AuthorityState.RotationEntry] { disk.store.rotations }
    var running: [AuthorityState.RotationEntry] { rotations.filter { $0.rotation.phase.isRunning } }

    func mesh(_ name: String) throws -> Mesh {
        guard let mesh = state.meshes[try MeshName(name)]?.mesh else { throw Missing(what: name) }
        return mesh
    }

    struct Missing: Error {
        var what: String
    }

    func makeMeshes(_ names: String...) async throws {
        for name in names { try await first.makeMesh(name, leafLifetime: .seconds(60)) }
    }

    /// A certificate authority that meshes may share.
    @discardableResult
    func makeAuthority(
        _ name: String, meshes: [String] = [], retireAfter: RetireAfter = .reissued
    ) async throws -> CertificateAuthorityOutcome {
        try await authority.put(
            Cluster.authority(name, retireAfter: retireAfter), meshes: meshes.map { try MeshName($0) }, root: nil,
            ifMatch: nil, by: Cluster.alice)
    }

    static func authority(_ name: String, retireAfter: RetireAfter = .reissued) -> CertificateAuthority {
        CertificateAuthority(
            name: name, keyAlgorithm: .ecP256, expiration: .seconds(3650 * 86_400), owner: nil, retireAfter: retireAfter)
    }

    @discardableResult
    func share(_ authority: String, _ mesh: String, isDryRun: Bool = false) async throws -> MeshOutcome {
        try await self.authority.share(authority, with: MeshName(mesh), isDryRun: isDryRun, by: Cluster.alice)
    }

    @discardableResult
    func unshare(_ authority: String, _ mesh: String, isDryRun: Bool = false) async throws -> MeshOutcome {
        try await self.authority.unshare(authority, from: MeshName(mesh), isDryRun: isDryRun, by: Cluster.alice)
    }

    /// The mesh is on the certificate authority, with nothing on its way: no proxy is connected, so that every gate is open.
    func shareAndComplete(_ authority: String, _ meshes: String...) async throws {
        for mesh in meshes { try await share(authority, mesh) }
        try await whileRunning { try await awaitEnd() }
    }

    /// Runs every replica while `body` does, and stops them after it.
    func whileRunning<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            for replica in replicas {
                group.addTask {
                    try? await replica.authority.run()
                    return nil
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let value = try await group.next() { if let value { return value } }
            throw CancellationError()
        }
    }

    /// Long enough for a suite whose tests all run at once on two cores: whoever waits for so long waits for nothing.
    static let patience = Duration.seconds(60)

    /// Until no rotation runs and every replica knows it; `act` is done over and over meanwhile.
    func awaitEnd(_ act: @Sendable () async throws -> Void = {}) async throws {
        try await told {
            try await eventually(within: Cluster.patience, "the end of the rotations", every: .milliseconds(2)) {
                try await act()
                return running.isEmpty && replicas.allSatisfy { $0.authority.state.revision == state.revision }
            }
        }
    }

    /// Until the running rotation is in `phase`, and every replica knows it.
    func awaitPhase(_ phase: Rotation.Phase, _ act: @Sendable () async throws -> Void = {}) async throws {
        try await eventually(within: Cluster.patience, "\(phase)", every: .milliseconds(2)) {
            try await act()
            return rotations.last?.rotation.phase == phase
                && replicas.allSatisfy { $0.authority.state.revision == state.revision }
        }
    }

    /// Until the running rotation is in `phase`, and every replica knows it: whoever follows does only what the phases before it wait for, so that none is
    /// passed unseen.
    func approach(
        _ phase: Rotation.Phase, _ follow: @Sendable (_ bundles: Bool, _ leaf: Bool) async throws -> Void
    ) async throws {
        try await awaitThat("\(phase)") {
            let current = rotations.last?.rotation.phase
            if current == phase { return replicas.allSatisfy { $0.authority.state.revision == state.revision } }
            try await follow(current != .issuing, current != .distributing)
            return false
        }
    }

    /// Until `condition` holds, which may act meanwhile.
    func awaitThat(_ what: String, _ condition: @Sendable () async throws -> Bool) async throws {
        try await told { try await eventually(within: Cluster.patience, what, every: .milliseconds(2), condition) }
    }

    /// A wait that ends without its event says how things stand.
    private func told(_ wait: () async throws -> Void) async throws {
        do {
            try await wait()
        } catch let error as DeadlineExceeded {
            let gate = try? await within(.seconds(5), "the gate") { try await self.gate() }
            let known = replicas.map { replica in
                let calls = [MemoryLedger.Call.lease, .report, .commit].map { replica.ledger.count(of: $0) }
                return "\(replica.authority.instance) at \(replica.authority.state.revision) after \(calls)"
            }
            throw Missing(
                what: "\(error): \(running.map(\.rotation.phase)) at \(state.revision), \(known), driver "
                    + "\(String(describing: disk.store.driver)), now \(clock.now), gate \(String(describing: gate))")
        }
    }

    /// Some twenty rounds of whatever runs: for what must not happen meanwhile.
    func linger(_ act: @Sendable () async throws -> Void = {}) async throws {
        let end = ContinuousClock().now + .milliseconds(120)
        while ContinuousClock().now < end {
            try await act()
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// The gate of the rotation as an operator sees it.
    func gate() async throws -> RotationGate? {
        guard let id = rotations.last?.rotation.id else { return nil }
        return try await authority.rotation(id).gate
    }
}

/// A proxy that takes whatever its replica has for it, and acknowledges it, when the test says so.
final class FollowingProxy: Sendable {
    private struct Held {
        var stream: ProxyRegistry.StreamID?
        var contexts: [SecretName: ServedTrust] = [:]
        var leaf: DeliveredLeaf?
    }

    let caller: Caller
    let node: String
    private let replica: Service
    private let bundles: [SecretName]
    private let held = Mutex(Held())

    /// A proxy of the mesh with a token of its own; not connected yet.
    init(
        _ mesh: String, _ service: String = "api", node: String = "n1", at replica: Service,
        bundles: [SecretName] = [.peers, .destinations]
    ) async throws {
        caller = try await replica.caller(mesh: mesh, service: service)
        self.node = node
        self.replica = replica
        self.bundles = bundles
    }

    /// Connected, with all that it asks for.
    static func connected(
        _ mesh: String, _ service: String = "api", node: String = "n1", at replica: Service
    ) async throws -> FollowingProxy {
        let proxy = try await FollowingProxy(mesh, service, node: node, at: replica)
        proxy.open()
        try await proxy.follow()
        return proxy
    }

    func open() {
        let stream = replica.authority.proxies.opened(caller, node: node, at: replica.clock.now)
        held.withLock { $0.stream = stream }
        // What it holds it names, and that is an acknowledgement.
        for (name, served) in held.withLock({ $0.contexts }) { acknowledge(name, served.version, nil) }
        if let leaf = held.withLock({ $0.leaf }) { acknowledge(.identity, leaf.version, leaf.held) }
    }

    func close() {
        guard let stream = held.withLock(\.stream) else { return }
        held.withLock { $0.stream = nil }
        replica.authority.proxies.closed(stream, at: replica.clock.now)
    }

    var contexts: [SecretName: ValidationContext] { held.withLock { $0.contexts.mapValues(\.context) } }
    var leaf: DeliveredLeaf? { held.withLock { $0.leaf } }

    /// Takes every bundle as it is now, and a leaf where one is due.
    func follow(bundles isForBundles: Bool = true, leaf isForLeaf: Bool = true) async throws {
        if isForBundles {
            for name in bundles {
                let served = try replica.authority.trust(name, for: caller)
                guard held.withLock({ $0.contexts[name] }) != served else { continue }
                held.withLock { $0.contexts[name] = served }
                acknowledge(name, served.version, nil)
            }
        }
        guard isForLeaf else { return }
        let now = replica.clock.now
        if let leaf, now < leaf.renewAt, replica.authority.replacement(of: leaf.held, for: caller).map({ now < $0 }) ?? true {
            return
        }
        // Nil where the issuer was just replaced: the next time gives one of the new.
        guard let next = try await issue() else { return }
        held.withLock { $0.leaf = next }
        acknowledge(.identity, next.version, next.held)
    }

    private func issue() async throws(AuthorityError) -> DeliveredLeaf? {
        do {
            return try await replica.authority.issueLeaf(for: caller, node: node)
        } catch {
            guard case .conflict = error else { throw error }
            return nil
        }
    }

    /// Says no to whatever was sent of the name.
    func reject(_ name: SecretName, saying words: String) {
        guard let stream = held.withLock({ $0.stream }) else { return }
        let kept = held.withLock { $0.contexts[name]?.version }
        replica.authority.proxies.report(
            stream,
            SubscriptionStatus(
                resource: "\(name)", meaning: name, sentVersion: "rejected", sentAt: replica.clock.now, ackedVersion: kept,
                nack: SubscriptionStatus.Nack(version: "rejected", message: words, at: replica.clock.now)))
    }

    private func acknowledge(_ name: SecretName, _ version: String, _ leaf: HeldLeaf?) {
        guard let stream = held.withLock({ $0.stream }) else { return }
        let now = replica.clock.now
        replica.authority.proxies.report(
            stream,
            SubscriptionStatus(
                resource: "\(name)", meaning: name, sentVersion: version, sentAt: now, ackedVersion: version, ackedAt: now,
                leaf: leaf))
    }

    /// Whether it would take a connection from `peer`, and be taken by it, by what both really hold: chains and contexts.
    func accepts(_ peer: FollowingProxy) throws -> Bool {
        try Self.isTaken(peer, by: contexts[.peers], at: replica.clock.now)
            && Self.isTaken(self, by: peer.contexts[.destinations], at: replica.clock.now)
    }

    private static func isTaken(_ peer: FollowingProxy, by context: ValidationContext?, at now: Timestamp) throws -> Bool {
        guard let context, let leaf = peer.leaf else { return false }
        do {
            let chain = try Service.chain(of: leaf)
            let verified = try ChainVerifier(roots: context.trustDomains).verify(chain: chain, at: now)
            return context.admits(verified.identity)
        } catch is ChainRefusal {
            return false
        }
    }
}
