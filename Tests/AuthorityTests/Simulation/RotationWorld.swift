import Authority
import PKI

/// A small world: a ledger, replicas that lag behind it, and proxies that come, go, answer late or refuse, while meshes join and
/// leave certificate authorities, roots are replaced and revoked, and operators give orders. Everything that decides is the core's; what happens when is drawn from a seed.
struct RotationWorld {
    static let leafLife = Duration.seconds(30)
    /// A replica that has heard nothing, or said nothing, for so long lives no longer.
    static let replicaWindow = Duration.seconds(10)
    /// How long one asks to drive.
    static let leaseTime = Duration.seconds(6)
    static let meshes = ["a", "b", "c"]

    var random: SeededGenerator
    let sabotage: Sabotage?
    /// Whether the streams of one proxy may end at different replicas.
    let splitsStreams: Bool
    let wanted = SimulatedContexts()

    var bench: CoreBench
    var leaves: [SimulatedLeaf] = []
    /// The replicas' rows.
    var rows: [String: ReplicaReport] = [:]
    /// Those of replicas that went.
    var departedRows: [ReplicaReport] = []
    /// When each row was written, by the count of events.
    var writtenAt: [String: Int] = [:]
    var replicas: [SimulatedReplica]
    var proxies: [SimulatedProxy]
    var now = Fixture.now
    var event = 0
    var lease: SimulatedLease?
    /// Leaves that a revocation, or an order that was forced, has left behind: by their serials.
    var abandoned: Set<Int> = []
    /// What a revocation took from a mesh without waiting.
    var expelled: Set<MeshIssuer> = []
    /// How often what happened.
    var counts = Counts()
    /// Roots that a stolen key can speak under, with the issuer whose key it is, as of a revision.
    var stolenRoots: (revision: Int64, roots: [[UInt8]: IssuerID]) = (0, [:])
    private var serial = 0
    private var pairsBefore: Set<ProxyPair> = []
    private var admittedBefore: Set<MeshPair> = []
    private var admittedAt: [Int64: Set<MeshPair>] = [:]

    struct Counts {
        var forcedByClock = 0
        var forcedByOperator = 0
        var refusedOrders = 0
        var refusedWrites = 0
        var revocations = 0
        /// Two proxies of different meshes with one certificate authority accept each other.
        var sharedAcceptances = 0
        /// Somebody is accepted by nothing but the cross certificate that it carries.
        var crossAcceptances = 0
    }

    struct MeshIssuer: Hashable {
        var mesh: MeshName
        var issuer: IssuerID
    }

    struct MeshPair: Hashable {
        var from: MeshName
        var to: MeshName
    }

    private struct ProxyPair: Hashable {
        var from: Int
        var to: Int
    }

    /// `rootLife`: of the roots that are made as time goes by; short, and age alone replaces them.
    init(
        seed: UInt64, sabotage: Sabotage? = nil, splitsStreams: Bool = false, rootLife: Duration = .seconds(86_400 * 3650)
    ) throws {
        random = SeededGenerator(seed: seed)
        self.sabotage = sabotage
        self.splitsStreams = splitsStreams
        var fixture = try Fixture("a")
        try fixture.add(sharedAuthority: "slow")
        try fixture.add(sharedAuthority: "fast", retireAfter: .reissued)
        try fixture.add(mesh: "b", sharing: "fast")
        try fixture.add(mesh: "c", sharing: "fast")
        for (from, to) in [("a", "c"), ("b", "a")] {
            let access = CrossMeshAccess(
                name: "\(from)-to-\(to)", from: .init(mesh: try MeshName(from), services: nil),
                to: .init(mesh: try MeshName(to), services: nil))
            fixture.state.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
                access: access, revision: 1, createdAt: now, modifiedAt: now)
        }
        bench = CoreBench(fixture.state)
        bench.rootLife = rootLife
        replicas = ["r1", "r2"].map { SimulatedReplica(name: $0, state: fixture.state) }
        proxies = try RotationWorld.meshes.flatMap { mesh in
            try (1...2).map { number in
                let caller = Caller(
                    mesh: try MeshName(mesh), identity: try SPIFFEID("spiffe://\(mesh)/p\(number)"), proxy: "p\(number)",
                    tags: ["kuma.io/service": ["p\(number)"]], tokenID: "t")
                let key = SubscriberKey(UInt64(mesh.utf8.first ?? 0) << 8 | UInt64(number))
                return SimulatedProxy(caller: caller, node: "n\(number)", key: key)
            }
        }
        for index in replicas.indices {
            makeIssuingCertificates(at: index)
            writeReport(of: index)
        }
        for index in proxies.indices { connect(index) }
    }

    /// One thing happens, and every law is checked.
    mutating func step() throws {
        event += 1
        switch Int.random(in: 0..<1040, using: &random) {
        case 0..<70:
            now = now + .seconds(Int64.random(in: 1...2, using: &random))
            catchUp()
        case 70..<230: if let replica = servingReplica() { try serve(replica) }
        case 230..<370: deliver()
        case 370..<510: takeAnswers()
        case 510..<610:
            if let replica = servingReplica() {
                take(bench.state, at: replica)
                if !random.once(in: 4) { makeIssuingCertificates(at: replica) }
            }
        case 610..<720: if let replica = servingReplica() { writeReport(of: replica) }
        case 720..<810: if let replica = likelyDriver() { try takeReports(replica) }
        case 810..<900: if let replica = likelyDriver() { try judge(replica) }
        case 900..<950: connect(Int.random(in: proxies.indices, using: &random))
        case 950..<970:
            let index = Int.random(in: proxies.indices, using: &random)
            disconnect(index)
            if random.once(in: 3) { stop(index) }
        case 970..<982: try changeMesh()
        case 982..<987: try startReplacement()
        case 987..<1000: try giveOrder()
        case 1000..<1001: try revoke()
        case 1001..<1006:
            for index in proxies.indices { proxies[index].rejects = false }
            if random.once(in: 5) { proxies[Int.random(in: proxies.indices, using: &random)].rejects = true }
        case 1006..<1008: crash(proxy: Int.random(in: proxies.indices, using: &random))
        case 1008..<1012: crashOrStart(replica: Int.random(in: replicas.indices, using: &random))
        case 1012..<1015: forgetDepartedReplicas()
        case 1015..<1018: if random.once(in: 2), let replica = servingReplica() { try fetch(replica) }
        case 1018..<1030: if let replica = servingReplica() { makeIssuingCertificates(at: replica) }
        default: try passCalmly(seconds: Int.random(in: 2...8, using: &random))
        }
        forgetTheDead()
        try checkLaws()
    }

    /// However a replica lags, it is within the window.
    mutating func catchUp() {
        for index in replicas.indices where replicas[index].isServing && now - replicas[index].heardAt > .seconds(8) {
            take(bench.state, at: index)
            writeReport(of: index)
        }
    }

    mutating func take(_ state: AuthorityState, at index: Int) {
        replicas[index].state = state
        replicas[index].heardAt = now
        // Under a root that signs already it makes one before it serves the state.
        replicas[index].issuing.formUnion(state.meshes.keys.compactMap { state.activeIssuer(of: $0)?.id })
    }

    /// Under every root that its state binds, those that are only prepared included.
    mutating func makeIssuingCertificates(at index: Int) {
        let state = replicas[index].state
        replicas[index].issuing.formUnion(state.meshes.keys.flatMap { state.boundIssuers(of: $0) }.map(\.id))
    }

    /// Rows that nobody writes any more are too old at last. That takes longer than a proxy needs to ask another replica for what it
    /// had from the one that went, if it still has a stream at all, and than a replica needs to report it.
    private mutating func forgetDepartedReplicas() {
        let gone = rows.filter { name, _ in !replicas.contains { $0.name == name && $0.isServing } }
        guard !gone.isEmpty else { return }
        for index in proxies.indices where proxies[index].isConnected { connect(index) }
        for index in replicas.indices where replicas[index].isServing { writeReport(of: index) }
        for (name, row) in gone.sorted(by: { $0.key < $1.key }) {
            rows[name] = nil
            writtenAt[name] = nil
            departedRows.append(row)
        }
    }

    mutating func servingReplica() -> Int? {
        replicas.indices.filter { replicas[$0].isServing }.randomElement(using: &random)
    }

    /// Mostly whoever holds the lease.
    mutating func likelyDriver() -> Int? {
        let holder = replicas.firstIndex { $0.isServing && $0.name == lease?.holder }
        return random.once(in: 4) ? servingReplica() : holder ?? servingReplica()
    }

    // MARK: - Proxies

    /// Opens the streams that are not open, naming what it holds.
    mutating func connect(_ index: Int) {
        if let end = proxies[index].stoppedUntil, now < end { return }
        var replica = servingReplica()
        for name in SimulatedProxy.resources where proxies[index].streams[name] == nil {
            if splitsStreams { replica = servingReplica() }
            guard let replica else { return }
            proxies[index].streams[name] = SimulatedProxy.Stream(replica: replica, openedAt: event)
            var named: SimulatedSecret?
            if name == .identity {
                let state = replicas[replica].state
                named = proxies[index].leaf.flatMap { leaf in
                    state.isRightful(
                        issuer: leaf.issuer, notBefore: leaf.issuedAt, notAfter: leaf.notAfter,
                        for: proxies[index].caller, at: now) ? .leaf(leaf) : nil
                }
            } else {
                named = proxies[index].contexts[name].map { .bundle($0) }
            }
            replicas[replica].statuses[index, default: [:]][name] = SimulatedReplica.Status(
                sent: named, acked: named)
        }
    }

    /// It goes with all its streams, keeps what it has, and comes back later.
    mutating func stop(_ index: Int, for time: Duration? = nil) {
        for name in SimulatedProxy.resources { close(index, name) }
        proxies[index].stoppedUntil = now + (time ?? .seconds(Int64.random(in: 10...30, using: &random)))
    }

    mutating func disconnect(_ index: Int) {
        let names = proxies[index].streams.keys.sorted { "\($0)" < "\($1)" }
        for name in names where !splitsStreams || random.once(in: 2) { close(index, name) }
    }

    private mutating func close(_ index: Int, _ name: SecretName) {
        guard let stream = proxies[index].streams.removeValue(forKey: name) else { return }
        replicas[stream.replica].statuses[index]?[name]?.closedAt = now
        // What it was about to answer is lost, and what it took it has. The replica remembers what it heard.
    }

    /// It starts anew, and has nothing.
    private mutating func crash(proxy index: Int) {
        for name in SimulatedProxy.resources { close(index, name) }
        proxies[index].contexts = [:]
        proxies[index].leaf = nil
        proxies[index].confirmed = []
    }

    mutating func deliver() {
        for index in proxies.indices {
            for name in SimulatedProxy.resources where random.once(in: 2) {
                guard let stream = proxies[index].streams[name], let secret = stream.underway else { continue }
                proxies[index].streams[name]?.underway = nil
                let isTaken = !proxies[index].rejects
                proxies[index].streams[name]?.answer = (secret, isTaken)
                guard isTaken else { continue }
                switch secret {
                case .bundle(let context):
                    proxies[index].contexts[name] = context
                    // A replica that lags may take it back to where it was.
                    if stream.underwayRevision >= proxies[index].confirmedFrom {
                        proxies[index].confirmed.insert(name)
                    } else {
                        proxies[index].confirmed.remove(name)
                    }
                case .leaf(let leaf): proxies[index].leaf = leaf
                }
            }
        }
    }

    mutating func takeAnswers() {
        for index in proxies.indices {
            for name in SimulatedProxy.resources where random.once(in: 2) {
                guard let stream = proxies[index].streams[name], let answer = stream.answer else { continue }
                proxies[index].streams[name]?.answer = nil
                if answer.isTaken { replicas[stream.replica].statuses[index]?[name]?.acked = answer.secret }
                replicas[stream.replica].statuses[index]?[name]?.isAnswered = true
            }
        }
    }

    mutating func forgetTheDead() {
        for index in proxies.indices where !proxies[index].isAlive(at: now) { proxies[index].confirmed = [] }
        leaves.removeAll { $0.notAfter <= now }
    }

    // MARK: - Replicas

    /// Sends what is due on the streams of one replica.
    mutating func serve(_ replica: Int) throws {
        for index in proxies.indices {
            for name in SimulatedProxy.resources {
                guard let stream = proxies[index].streams[name], stream.replica == replica, stream.underway == nil,
                    stream.answer == nil, !random.once(in: 4), let status = replicas[replica].statuses[index]?[name]
                else { continue }
                let state = replicas[replica].state
                if name == .identity {
                    guard isDue(status.acked?.leaf, in: state, proxies[index].caller) else { continue }
                    guard let leaf = try sign(for: index, node: proxies[index].node, by: replica) else { continue }
                    send(.leaf(leaf), name, to: index, from: replica)
                } else if let context = wanted.context(name, of: proxies[index], in: state) {
                    if status.acked == .bundle(context) {
                        if proxies[index].isAlive(at: now), state.revision >= proxies[index].confirmedFrom {
                            proxies[index].confirmed.insert(name)
                        }
                    } else {
                        send(.bundle(context), name, to: index, from: replica)
                    }
                }
            }
        }
    }

    private mutating func isDue(_ leaf: SimulatedLeaf?, in state: AuthorityState, _ caller: Caller) -> Bool {
        guard let leaf else { return true }
        switch state.meshIssuers[caller.mesh]?[leaf.issuer] {
        case .active: return leaf.notAfter - now < RotationWorld.leafLife / 2 && random.once(in: 3)
        case .outgoing: return random.once(in: 3)
        case .prepared, .retired, .revoked, nil: return true
        }
    }

    private mutating func send(_ secret: SimulatedSecret, _ name: SecretName, to index: Int, from replica: Int) {
        proxies[index].streams[name]?.underway = secret
        proxies[index].streams[name]?.underwayRevision = replicas[replica].state.revision
        replicas[replica].statuses[index]?[name]?.sent = secret
        replicas[replica].statuses[index]?[name]?.isAnswered = false
    }

    /// Recorded before it is delivered.
    private mutating func sign(for index: Int, node: String?, by replica: Int) throws -> SimulatedLeaf? {
        let state = replicas[replica].state
        let caller = proxies[index].caller
        guard let issuer = state.activeIssuer(of: caller.mesh), now < issuer.notAfter,
            replicas[replica].issuing.contains(issuer.id),
            let grant = try? state.grantLeaf(
                to: caller, issuingNotAfter: min(now + RotationWorld.leafLife, issuer.notAfter), backdate: .zero, at: now)
        else { return nil }
        serial += 1
        let signer = state.rotations.values.first { $0.rotation.to == issuer.id && state.crossCertificates[issuer.id] != nil }
        var leaf = SimulatedLeaf(
            serial: serial, mesh: caller.mesh, identity: grant.identity, proxy: caller.proxy, node: node, issuer: issuer.id,
            root: issuer.certificate, issuedAt: now, notAfter: grant.notAfter)
        if sabotage != .noCrossCertificate, let signer { leaf.crossRoot = state.issuers[signer.rotation.from]?.certificate }
        leaves.append(leaf)
        let isBound = bench.state.meshIssuers[leaf.mesh]?[leaf.issuer]?.isBound == true
        if !isBound, expelled.contains(MeshIssuer(mesh: leaf.mesh, issuer: leaf.issuer)) { abandoned.insert(leaf.serial) }
        try checkFourthLaw(leaf, issuer)
        try checkSecondLaw(leaf)
        return leaf
    }

    private mutating func fetch(_ replica: Int) throws {
        _ = try sign(for: Int.random(in: proxies.indices, using: &random), node: nil, by: replica)
    }

    private mutating func crashOrStart(replica index: Int) {
        if replicas[index].isServing {
            guard replicas.filter(\.isServing).count > 1 else { return }
            for proxy in proxies.indices {
                for name in SimulatedProxy.resources where proxies[proxy].streams[name]?.replica == index { close(proxy, name) }
            }
            replicas[index].isServing = false
            replicas[index].statuses = [:]
            replicas[index].judging = nil
            replicas[index].fence = nil
            replicas[index].issuing = []
            replicas[index].pacer = RotationPacer(dwell: .seconds(2))
            // Whoever still has a stream elsewhere asks there at once for what it had here: nobody else knows of it.
            for proxy in proxies.indices where proxies[proxy].isConnected { connect(proxy) }
        } else {
            replicas[index].name = "r\(event)"
            writeReport(of: index)
            take(bench.state, at: index)
            makeIssuingCertificates(at: index)
            replicas[index].isServing = true
        }
    }

    mutating func writeReport(of index: Int) {
        rows[replicas[index].name] = report(of: index)
        writtenAt[replicas[index].name] = event
    }

    // MARK: - Documents

    private mutating func changeMesh() throws {
        let name = try MeshName(RotationWorld.meshes.randomElement(using: &random) ?? "a")
        guard let mesh = bench.state.meshes[name]?.mesh else { return }
        // Mostly a move may come to its end.
        if bench.state.rotation(of: name) != nil, !random.once(in: 4) { return }
        var next = mesh
        switch Int.random(in: 0..<6, using: &random) {
        case 0: next = mesh.sharing("slow")
        case 1, 2: next = mesh.sharing("fast")
        case 3, 4:
            // Away from wherever it is, or back to where it came from.
            let before = bench.state.rotation(of: name)?.rotation.previousAuthority
            if case .shared(let authority)? = mesh.enabledBackend?.kind { next = mesh.leaving(authority, for: before) }
        default: next.isolated.toggle()
        }
        do {
            try bench.put(next, leave: true, at: now)
        } catch is MeshChangeRefusal {
            return
        }
    }

    // MARK: - Acceptance

    /// Law 9: what two proxies that were healthy before must go on to do.
    mutating func checkNinthLaw() throws {
        let admitted = admittedByAll()
        var pairs: Set<ProxyPair> = []
        let healthy = proxies.indices.filter { isHealthy(proxies[$0]) }
        let doors = Set(bench.state.crossMeshAccesses.values.map { MeshPair(from: $0.access.from.mesh, to: $0.access.to.mesh) })
        for from in healthy {
            for to in healthy where from != to {
                guard let client = proxies[from].leaf, let server = proxies[to].leaf else { continue }
                let isAccepted =
                    proxies[to].accepts(client, by: .peers) && proxies[from].accepts(server, by: .destinations)
                let pair = MeshPair(from: client.mesh, to: server.mesh)
                let isNeighbour = client.mesh == server.mesh
                let isBehindADoor = doors.contains(pair)
                let wasAccepted =
                    pairsBefore.contains(ProxyPair(from: from, to: to)) && admittedBefore.contains(pair)
                    && admitted.contains(pair)
                if isAccepted, !isNeighbour, !isBehindADoor { counts.sharedAcceptances += 1 }
                if isAccepted, let context = proxies[to].contexts[.peers],
                    context.trustDomains[client.identity.trustDomain]?.contains(client.root) != true
                {
                    counts.crossAcceptances += 1
                }
                if isAccepted { pairs.insert(ProxyPair(from: from, to: to)) }
                guard isNeighbour || isBehindADoor || wasAccepted, !isAccepted else { continue }
                throw LawBroken(
                    law: 9,
                    description: "\(client.identity) (\(client.issuer)) to \(server.identity) (\(server.issuer)) fails: "
                        + "the server binds \(words(proxies[to].contexts[.peers], client.identity)), "
                        + "the client \(words(proxies[from].contexts[.destinations], server.identity))")
            }
        }
        pairsBefore = pairs
        admittedBefore = admitted
    }

    private func words(_ context: ValidationContext?, _ identity: SPIFFEID) -> String {
        let roots = context?.trustDomains[identity.trustDomain] ?? []
        let issuers = bench.state.issuers.values.filter { roots.contains($0.certificate) }.map(\.id.text).sorted()
        return issuers.isEmpty ? "no root that is there" : issuers.joined(separator: " ")
    }

    /// The pairs of meshes that share an authority by the ledger and by every replica that serves.
    private mutating func admittedByAll() -> Set<MeshPair> {
        var common = admitted(by: bench.state)
        for replica in replicas where replica.isServing { common.formIntersection(admitted(by: replica.state)) }
        return common
    }

    private mutating func admitted(by state: AuthorityState) -> Set<MeshPair> {
        if let known = admittedAt[state.revision] { return known }
        var pairs: Set<MeshPair> = []
        for entry in state.meshes.values {
            for sharer in state.sharers(of: entry.mesh) { pairs.insert(MeshPair(from: sharer.name, to: entry.mesh.name)) }
        }
        admittedAt[state.revision] = pairs
        return pairs
    }
}
