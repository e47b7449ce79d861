import Authority
import PKI

/// Who takes rotations on: the one replica that holds the lease, operators, and whoever finds a root compromised.
extension RotationWorld {
    // MARK: - The driver

    /// Asks for the lease, as a row of the ledger gives it: to its holder, or to anybody once it has run out.
    private mutating func askForLease(_ index: Int) {
        let name = replicas[index].name
        if let lease, lease.holder != name, now < lease.until {
            if sabotage != .twoDrivers { replicas[index].fence = nil }
            return
        }
        let fence = lease.map { $0.holder == name ? $0.fence : $0.fence + 1 } ?? 1
        lease = SimulatedLease(holder: name, fence: fence, until: now + RotationWorld.leaseTime)
        replicas[index].fence = fence
    }

    /// A write of a driver, which the ledger refuses unless the lease is still its own.
    private mutating func write(
        by index: Int, fence: Int, _ change: (inout CoreBench) throws -> Void
    ) throws -> Bool {
        let isHolder = lease.map { $0.holder == replicas[index].name && $0.fence == fence && now < $0.until } ?? false
        guard isHolder || sabotage == .twoDrivers else {
            counts.refusedWrites += 1
            return false
        }
        try change(&bench)
        guard isHolder else {
            throw LawBroken(law: 8, description: "\(replicas[index].name) wrote under fence \(fence), and another drives")
        }
        take(bench.state, at: index)
        return true
    }

    mutating func takeReports(_ index: Int) throws {
        askForLease(index)
        guard let fence = replicas[index].fence else { return }
        let state = replicas[index].state
        if let due = state.authoritiesDue(at: now).first, state.revision == bench.state.revision {
            let now = now
            _ = try write(by: index, fence: fence) { try $0.replace(due, trigger: .schedule, at: now) }
        }
        // A dictionary has another order in every process.
        let running = replicas[index].state.rotations.values.sorted { $0.rotation.id < $1.rotation.id }
        guard let entry = running.randomElement(using: &random) else { return }
        replicas[index].judging = (entry, rows.sorted { $0.key < $1.key }.map(\.value), oldestReport)
    }

    private var oldestReport: Int { rows.keys.compactMap { writtenAt[$0] }.min() ?? event }

    mutating func judge(_ index: Int) throws {
        guard let judging = replicas[index].judging, let fence = replicas[index].fence else { return }
        let (entry, oldest) = (judging.entry, judging.oldest)
        var reports = judging.reports
        replicas[index].judging = nil
        let state = replicas[index].state
        guard let step = state.step(of: entry.rotation) else { return }
        if sabotage == .believesOldReports { for report in reports.indices { reports[report].pretend(entry) } }
        var gate = state.gate(of: entry, facts: facts(for: entry.rotation, step, in: state, reports))
        // What is known of it by the reports alone is never more than what it comes to.
        guard !gate.isOpen || !state.isHeld(entry, by: reports) else {
            throw LawBroken(law: 7, description: "\(entry.rotation.id) is held by its reports, and its gate is open")
        }
        switch (step, sabotage) {
        case (.distribute, .skipsDistribution), (.issue, .skipsReissue), (.withdraw, .skipsWithdrawal): gate.isOpen = true
        default: break
        }
        replicas[index].pacer.keep(only: state.rotations.keys)
        let goesOn = replicas[index].pacer.goesOn(entry, gate: gate, at: now)
        let isForced = !goesOn && state.isForcedByClock(entry.rotation, gate: gate, at: now)
        guard goesOn || isForced, let transition = state.advance(entry.rotation, at: now),
            bench.state.rotations[entry.rotation.id]?.revision == entry.revision
        else { return }
        guard try write(by: index, fence: fence, { try $0.commit(transition, revision: entry.revision) }) else { return }
        if isForced {
            counts.forcedByClock += 1
            try checkIssuingCertificates(after: entry.rotation)
        } else {
            try checkTransition(of: entry.rotation, step, reportsSince: oldest)
        }
    }

    /// As the shell asks the ledger: while the new root is distributed, who was issued a leaf later than any replica can lag
    /// counts only if it is known not to have it.
    private func facts(
        for rotation: Rotation, _ step: RotationStep, in state: AuthorityState, _ reports: [ReplicaReport]
    ) -> RotationFacts {
        func facts(
            _ outstanding: [OutstandingLeaf]?, early: [OutstandingLeaf] = [], late: [OutstandingLeaf] = []
        ) -> RotationFacts {
            RotationFacts(reports: reports, departed: departedRows, outstanding: outstanding, late: late, early: early)
        }
        if sabotage == .forgetsWhoIsAway { return facts([]) }
        let living = leaves.filter { now < $0.notAfter }
        /// Of everybody concerned: those who were issued one before every replica knew of the rotation, and the others.
        func concerned() -> (early: [OutstandingLeaf], late: [OutstandingLeaf]) {
            let meshes = state.meshesConcerned(by: rotation)
            let concerned = living.filter { meshes.contains($0.mesh) }
            let end = rotation.startedAt + RotationWorld.replicaWindow
            let early = concerned.filter { $0.issuedAt < end }.map(outstanding)
            let keys = Set(early.map(\.key))
            let late = concerned.filter { $0.issuedAt >= end }.map(outstanding).filter { $0.key != nil && !keys.contains($0.key) }
            return (early, late)
        }
        guard step.asksTheLedger else { return facts(nil) }
        switch step {
        case .expel, .withdraw: return facts(nil)
        case .distribute:
            let (early, late) = concerned()
            return facts(early, late: late)
        case .issue(let from, _):
            var old = living.filter { rotation.meshes.contains($0.mesh) && $0.issuer == from }.map(outstanding)
            if sabotage == .withdrawsBeforeTheLastLeaf { old = [] }
            guard rotation.asksWhomItCovered, sabotage != .forgetsWhomItCovered, sabotage != .withdrawsBeforeTheLastLeaf else {
                return facts(old)
            }
            let (early, late) = concerned()
            return facts(old, early: early, late: late)
        }
    }

    private func outstanding(_ leaf: SimulatedLeaf) -> OutstandingLeaf {
        let key = leaf.node == nil ? nil : proxies.first { $0.caller.identity == leaf.identity }?.key
        return OutstandingLeaf(
            mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: leaf.node, notAfter: leaf.notAfter, key: key)
    }

    // MARK: - Operators

    mutating func startReplacement() throws {
        guard let name = bench.state.certificateAuthorities.keys.sorted().randomElement(using: &random) else { return }
        let (isManual, isCovered) = (random.once(in: 5), !random.once(in: 4))
        let retireAfter: RetireAfter? = random.once(in: 2) ? .reissued : nil
        do {
            try bench.replace(name, isManual: isManual, retireAfter: retireAfter, isCovered: isCovered, at: now)
        } catch is RotationRefusal {
            counts.refusedOrders += 1
        }
    }

    /// At a replica that has just taken up the ledger's state.
    mutating func giveOrder() throws {
        let running = bench.state.rotations.values.sorted { $0.rotation.id < $1.rotation.id }
        guard let entry = running.randomElement(using: &random) else { return }
        let rotation = entry.rotation
        let order: RotationOrder
        switch Int.random(in: 0..<16, using: &random) {
        case 0: order = .pause
        case 1: order = .abort
        case 2, 3: order = .advance(force: true)
        default: order = rotation.isPaused ? .resume : .advance(force: false)
        }
        // The way back of a move is that of its mesh's document.
        if order == .abort, rotation.kind == .move { return }
        guard let step = bench.state.step(of: rotation) else { return }
        let reports = rows.sorted { $0.key < $1.key }.map(\.value)
        let gate = bench.state.gate(of: entry, facts: facts(for: rotation, step, in: bench.state, reports))
        let before = bench.state
        do {
            try bench.order(order, rotation.id, gate: gate, at: now)
        } catch is RotationRefusal {
            counts.refusedOrders += 1
            guard bench.state == before else { throw LawBroken(law: 7, description: "a refused order changed something") }
            return
        }
        guard case .advance(let force) = order else { return }
        if !gate.isOpen {
            guard force else { throw LawBroken(law: 7, description: "\(rotation.id) went through a gate that holds") }
            counts.forcedByOperator += 1
            leaveBehind(gate.blockers, rotation, step, entry.revision)
        }
        try checkTransition(of: rotation, step, reportsSince: oldestReport, leaving: gate.blockers)
    }

    /// Those whom the gate named, and nobody else, may be refused from now on, until they have what they need. Whoever is covered by
    /// the cross certificate is left behind by nothing.
    private mutating func leaveBehind(
        _ blockers: [RotationBlocker], _ rotation: Rotation, _ step: RotationStep, _ revision: Int64
    ) {
        for blocker in blockers {
            switch step {
            case .distribute(isCovered: true), .expel, .withdraw: continue
            case .distribute(isCovered: false): break
            case .issue(let from, _):
                let node: String? = blocker.node.isEmpty ? nil : blocker.node
                for leaf in leaves where leaf.identity == blocker.identity && leaf.node == node && leaf.issuer == from {
                    abandoned.insert(leaf.serial)
                }
                if blocker.reason == .unexpired { continue }
            }
            for index in proxies.indices where proxies[index].caller.identity == blocker.identity {
                proxies[index].confirmed = []
                proxies[index].confirmedFrom = max(proxies[index].confirmedFrom, revision)
            }
        }
    }

    // MARK: - Compromise

    mutating func revoke() throws {
        // In an order of their own: a dictionary has another in every process.
        let living = bench.state.issuers.values.filter { $0.revokedAt == nil }.sorted { $0.id < $1.id }
        let bound = Set(bench.state.meshIssuers.values.flatMap { $0.filter(\.value.isBound).keys })
        let candidates = random.once(in: 8) ? living : living.filter { bound.contains($0.id) }
        guard let issuer = candidates.randomElement(using: &random) else { return }
        let before = bench.state.meshIssuers
        let rotation = try bench.revoke(
            issuer.id, of: issuer.certificateAuthority, sparesSigners: sabotage == .revokesWithoutCrossSigners, at: now
        ).rotation
        counts.revocations += 1
        for (mesh, issuers) in before {
            for (id, state) in issuers where state.isBound && bench.state.meshIssuers[mesh]?[id]?.isBound != true {
                expelled.insert(MeshIssuer(mesh: mesh, issuer: id))
            }
        }
        for leaf in leaves + proxies.compactMap(\.leaf) where bench.state.meshIssuers[leaf.mesh]?[leaf.issuer]?.isBound != true {
            abandoned.insert(leaf.serial)
        }
        let concerned = rotation.map { bench.state.meshesConcerned(by: $0) } ?? []
        for index in proxies.indices where concerned.contains(proxies[index].caller.mesh) {
            proxies[index].confirmed = []
            proxies[index].confirmedFrom = bench.state.revision
        }
    }

    // MARK: - Quiet

    /// Everybody does what is to be done, in order, for so many seconds.
    mutating func passCalmly(seconds: Int, isDriven: Bool = true) throws {
        for _ in 0..<seconds {
            event += 1
            now = now + .seconds(1)
            for replica in replicas.indices where replicas[replica].isServing {
                take(bench.state, at: replica)
                makeIssuingCertificates(at: replica)
                for _ in 0..<3 {
                    try serve(replica)
                    deliver()
                    takeAnswers()
                }
                writeReport(of: replica)
            }
            if isDriven, let driver = likelyDriver() {
                try takeReports(driver)
                try judge(driver)
            }
            forgetTheDead()
            try checkLaws()
        }
    }
}

extension ReplicaReport {
    /// As if it told of the rotation as it is.
    fileprivate mutating func pretend(_ entry: AuthorityState.RotationEntry) {
        revision = entry.revision
        rotations[entry.rotation.id]?.revision = entry.revision
    }
}
