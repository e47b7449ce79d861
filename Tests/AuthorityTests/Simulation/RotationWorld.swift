import Authority
import PKI

/// A small world: a ledger, replicas that lag behind it, and proxies that come, go, answer late or refuse, while meshes join and
/// leave certificate authorities. Everything that decides is the core's; what happens when is drawn from a seed.
struct RotationWorld {
    static let leafLife = Duration.seconds(40)
    /// A replica that has heard nothing, or said nothing, for so long lives no longer.
    static let replicaWindow = Duration.seconds(10)
    static let meshes = ["a", "b", "c"]

    var random: SeededGenerator
    let sabotage: Sabotage?
    /// Whether the streams of one proxy may end at different replicas.
    let splitsStreams: Bool

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
    private var serial = 0
    private var pairsBefore: Set<ProxyPair> = []
    private var admittedBefore: Set<MeshPair> = []
    private var admittedAt: [Int64: Set<MeshPair>] = [:]
    /// How often two proxies of different meshes with one certificate authority were found to accept each other.
    private(set) var sharedAcceptances = 0

    struct MeshPair: Hashable {
        var from: MeshName
        var to: MeshName
    }

    private struct ProxyPair: Hashable {
        var from: Int
        var to: Int
    }

    init(seed: UInt64, sabotage: Sabotage? = nil, splitsStreams: Bool = false) throws {
        random = SeededGenerator(seed: seed)
        self.sabotage = sabotage
        self.splitsStreams = splitsStreams
        var fixture = try Fixture("a", "c")
        try fixture.add(sharedAuthority: "slow")
        try fixture.add(sharedAuthority: "fast", retireAfter: .reissued)
        try fixture.add(mesh: "b", sharing: "fast")
        for (from, to) in [("a", "c"), ("b", "a")] {
            let access = CrossMeshAccess(
                name: "\(from)-to-\(to)", from: .init(mesh: try MeshName(from), services: nil),
                to: .init(mesh: try MeshName(to), services: nil))
            fixture.state.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
                access: access, revision: 1, createdAt: now, modifiedAt: now)
        }
        bench = CoreBench(fixture.state)
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
        for index in replicas.indices { writeReport(of: index) }
        for index in proxies.indices { connect(index) }
    }

    /// One thing happens, and every law is checked.
    mutating func step() throws {
        event += 1
        switch Int.random(in: 0..<1000, using: &random) {
        case 0..<110:
            now = now + .seconds(Int64.random(in: 1...2, using: &random))
            catchUp()
        case 110..<270: if let replica = servingReplica() { try serve(replica) }
        case 270..<420: deliver()
        case 420..<560: takeAnswers()
        case 560..<640: if let replica = servingReplica() { take(bench.state, at: replica) }
        case 640..<740: if let replica = servingReplica() { writeReport(of: replica) }
        case 740..<820: if let replica = servingReplica() { takeReports(replica) }
        case 820..<900: if let replica = servingReplica() { try judge(replica) }
        case 900..<950: connect(Int.random(in: proxies.indices, using: &random))
        case 950..<970: disconnect(Int.random(in: proxies.indices, using: &random))
        case 970..<985: try changeMesh()
        case 985..<989:
            let index = Int.random(in: proxies.indices, using: &random)
            proxies[index].rejects = !proxies.contains(where: \.rejects) && random.once(in: 2)
            if !proxies[index].rejects { for index in proxies.indices { proxies[index].rejects = false } }
        case 989..<991: crash(proxy: Int.random(in: proxies.indices, using: &random))
        case 991..<995: crashOrStart(replica: Int.random(in: replicas.indices, using: &random))
        case 995..<998: forgetDepartedReplicas()
        default: if random.once(in: 2), let replica = servingReplica() { try fetch(replica) }
        }
        forgetTheDead()
        try checkLaws()
    }

    /// However a replica lags, it is within the window.
    private mutating func catchUp() {
        for index in replicas.indices where replicas[index].isServing && now - replicas[index].heardAt > .seconds(8) {
            take(bench.state, at: index)
            writeReport(of: index)
        }
    }

    private mutating func take(_ state: AuthorityState, at index: Int) {
        replicas[index].state = state
        replicas[index].heardAt = now
    }

    /// Rows that nobody writes any more are too old at last.
    private mutating func forgetDepartedReplicas() {
        for (name, row) in rows where !replicas.contains(where: { $0.name == name && $0.isServing }) {
            rows[name] = nil
            writtenAt[name] = nil
            departedRows.append(row)
        }
    }

    private mutating func servingReplica() -> Int? {
        replicas.indices.filter { replicas[$0].isServing }.randomElement(using: &random)
    }

    // MARK: - Proxies

    /// Opens the streams that are not open, naming what it holds.
    private mutating func connect(_ index: Int) {
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
                        issuer: leaf.issuer, notBefore: leaf.notAfter - RotationWorld.leafLife, notAfter: leaf.notAfter,
                        for: proxies[index].caller, at: now) ? .leaf(leaf) : nil
                }
            } else {
                named = proxies[index].contexts[name].map { .bundle($0) }
            }
            replicas[replica].statuses[index, default: [:]][name] = SimulatedReplica.Status(
                sent: named, acked: named)
        }
    }

    private mutating func disconnect(_ index: Int) {
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

    private mutating func deliver() {
        for index in proxies.indices {
            for name in SimulatedProxy.resources where random.once(in: 2) {
                guard let secret = proxies[index].streams[name]?.underway else { continue }
                proxies[index].streams[name]?.underway = nil
                let isTaken = !proxies[index].rejects
                proxies[index].streams[name]?.answer = (secret, isTaken)
                guard isTaken else { continue }
                switch secret {
                case .bundle(let context):
                    proxies[index].contexts[name] = context
                    proxies[index].confirmed.insert(name)
                case .leaf(let leaf): proxies[index].leaf = leaf
                }
            }
        }
    }

    private mutating func takeAnswers() {
        for index in proxies.indices {
            for name in SimulatedProxy.resources where random.once(in: 2) {
                guard let stream = proxies[index].streams[name], let answer = stream.answer else { continue }
                proxies[index].streams[name]?.answer = nil
                if answer.isTaken { replicas[stream.replica].statuses[index]?[name]?.acked = answer.secret }
                replicas[stream.replica].statuses[index]?[name]?.isAnswered = true
            }
        }
    }

    private mutating func forgetTheDead() {
        for index in proxies.indices where !proxies[index].isAlive(at: now) { proxies[index].confirmed = [] }
        leaves.removeAll { $0.notAfter <= now }
    }

    // MARK: - Replicas

    /// Sends what is due on the streams of one replica.
    private mutating func serve(_ replica: Int) throws {
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
                } else if let context = try? state.validationContext(name, for: proxies[index].caller) {
                    if status.acked == .bundle(context) {
                        if proxies[index].isAlive(at: now) { proxies[index].confirmed.insert(name) }
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
        replicas[replica].statuses[index]?[name]?.sent = secret
        replicas[replica].statuses[index]?[name]?.isAnswered = false
    }

    /// Recorded before it is delivered.
    private mutating func sign(for index: Int, node: String?, by replica: Int) throws -> SimulatedLeaf? {
        let state = replicas[replica].state
        let caller = proxies[index].caller
        let end = now + RotationWorld.leafLife
        guard let issuer = state.activeIssuer(of: caller.mesh),
            let grant = try? state.grantLeaf(to: caller, issuingNotAfter: end, backdate: .zero, at: now)
        else { return nil }
        serial += 1
        let leaf = SimulatedLeaf(
            serial: serial, mesh: caller.mesh, identity: grant.identity, proxy: caller.proxy, node: node, issuer: issuer.id,
            root: issuer.certificate, issuedAt: now, notAfter: end)
        leaves.append(leaf)
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
            replicas[index].pacer = RotationPacer(dwell: .seconds(2))
        } else {
            replicas[index].name = "r\(event)"
            writeReport(of: index)
            take(bench.state, at: index)
            replicas[index].isServing = true
        }
    }

    private mutating func writeReport(of index: Int) {
        rows[replicas[index].name] = report(of: index)
        writtenAt[replicas[index].name] = event
    }

    private mutating func takeReports(_ index: Int) {
        // A dictionary has another order in every process.
        let running = replicas[index].state.rotations.values.sorted { $0.rotation.id < $1.rotation.id }
        guard let entry = running.randomElement(using: &random) else { return }
        let oldest = rows.keys.compactMap { writtenAt[$0] }.min() ?? event
        replicas[index].judging = (entry, rows.sorted { $0.key < $1.key }.map(\.value), oldest)
    }

    private mutating func judge(_ index: Int) throws {
        guard let judging = replicas[index].judging else { return }
        let (entry, oldest) = (judging.entry, judging.oldest)
        var reports = judging.reports
        replicas[index].judging = nil
        let state = replicas[index].state
        guard let step = state.step(of: entry.rotation) else { return }
        if sabotage == .believesOldReports { for report in reports.indices { reports[report].pretend(entry) } }
        var gate = state.gate(of: entry, facts: facts(for: entry.rotation, step, in: state, reports))
        switch (step, sabotage) {
        case (.distribute, .skipsDistribution), (.issue, .skipsReissue), (.withdraw, .skipsWithdrawal): gate.isOpen = true
        default: break
        }
        replicas[index].pacer.keep(only: state.rotations.keys)
        guard replicas[index].pacer.goesOn(entry, gate: gate, at: now),
            let transition = state.advance(entry.rotation, at: now)
        else { return }
        guard bench.state.rotations[entry.rotation.id]?.revision == entry.revision else { return }
        try bench.commit(transition, revision: entry.revision)
        replicas[index].state = bench.state
        try checkTransition(of: entry.rotation, step, reportsSince: oldest)
    }

    /// As the shell asks the ledger: while the new root is distributed, who was issued a leaf later than any replica can lag
    /// counts only if it is known not to have it.
    private func facts(
        for rotation: Rotation, _ step: RotationStep, in state: AuthorityState, _ reports: [ReplicaReport]
    ) -> RotationFacts {
        func facts(_ outstanding: [OutstandingLeaf]?, late: [OutstandingLeaf] = []) -> RotationFacts {
            RotationFacts(reports: reports, departed: departedRows, outstanding: outstanding, late: late)
        }
        if sabotage == .forgetsWhoIsAway { return facts([]) }
        let living = leaves.filter { now < $0.notAfter }
        switch step {
        case .withdraw: return facts(nil)
        case .distribute:
            let meshes = state.meshesConcerned(by: rotation)
            let concerned = living.filter { meshes.contains($0.mesh) }
            let end = rotation.phaseSince + RotationWorld.replicaWindow
            let early = concerned.filter { $0.issuedAt < end }.map(outstanding)
            let keys = Set(early.map(\.key))
            let late = concerned.filter { $0.issuedAt >= end }.map(outstanding).filter { $0.key != nil && !keys.contains($0.key) }
            return facts(early, late: late)
        case .issue(let from, _):
            return facts(living.filter { rotation.meshes.contains($0.mesh) && $0.issuer == from }.map(outstanding))
        }
    }

    private func outstanding(_ leaf: SimulatedLeaf) -> OutstandingLeaf {
        let key = leaf.node == nil ? nil : proxies.first { $0.caller.identity == leaf.identity }?.key
        return OutstandingLeaf(
            mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: leaf.node, notAfter: leaf.notAfter, key: key)
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
        let healthy = proxies.indices.filter { proxies[$0].isHealthy(at: now) }
        for from in healthy {
            for to in healthy where from != to {
                guard let client = proxies[from].leaf, let server = proxies[to].leaf else { continue }
                let isAccepted =
                    proxies[to].accepts(client, by: .peers) && proxies[from].accepts(server, by: .destinations)
                let pair = MeshPair(from: client.mesh, to: server.mesh)
                let isNeighbour = client.mesh == server.mesh
                let isBehindADoor = bench.state.crossMeshAccesses.values.contains {
                    $0.access.from.mesh == client.mesh && $0.access.to.mesh == server.mesh
                }
                let wasAccepted =
                    pairsBefore.contains(ProxyPair(from: from, to: to)) && admittedBefore.contains(pair)
                    && admitted.contains(pair)
                if isAccepted, !isNeighbour, !isBehindADoor { sharedAcceptances += 1 }
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

extension ReplicaReport {
    /// As if it told of the rotation as it is.
    fileprivate mutating func pretend(_ entry: AuthorityState.RotationEntry) {
        revision = entry.revision
        rotations[entry.rotation.id]?.revision = entry.revision
    }
}
