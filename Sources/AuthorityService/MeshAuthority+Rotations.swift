internal import Authority
internal import Logging
internal import PKI
internal import PKICrypto
internal import ServiceLifecycle

/// What one replica keeps between two rounds of its rotations: nothing that another could not take over.
struct RotationRound {
    var pacer: RotationPacer
    /// What was last written into this replica's row, and when.
    var reported: ReplicaReport?
    var reportedAt: Timestamp?
    var contexts: WantedContexts?
}

extension MeshAuthority {
    /// Reports this replica's progress and takes rotations through their gates, round after round, until shut down.
    ///
    /// Every replica does the same: a transition is one compare-and-swap on the rotation's row, and who loses it reads again.
    func driveRotations() async throws {
        var round = RotationRound(pacer: RotationPacer(dwell: settings.rotationDwell))
        while !Task.isShuttingDownGracefully {
            do {
                try await goRound(&round)
            } catch {
                logger.warning("a round of the rotations failed and is tried again", metadata: ["error": "\(error)"])
            }
            // Each replica at moments of its own.
            let pause = settings.rotationInterval * Double.random(in: 0.75...1.25)
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
            try Task.checkCancellation()
        }
        do {
            try await ledger.withdrawReport(of: instance)
        } catch {
            logger.info("this replica's row stays until it is too old", metadata: ["error": "\(error)"])
        }
    }

    private func goRound(_ round: inout RotationRound) async throws {
        let report = try report(&round.contexts)
        let now = clock.now
        let isNews = report.rotations != round.reported?.rotations || report.revision != round.reported?.revision
        // The revision alone is news only to a gate.
        if isNews && (!report.rotations.isEmpty || round.reported?.rotations.isEmpty != true) {
            try await ledger.report(report, of: instance)
            round.reported = report
            round.reportedAt = now
        } else if round.reportedAt.map({ now >= $0 + settings.heartbeatInterval }) ?? true {
            try await ledger.report(nil, of: instance)
            round.reportedAt = now
        }
        let running = state.rotations
        round.pacer.keep(only: running.keys)
        guard !running.isEmpty else { return }
        let reports = try await replicaReports()
        livingReplicas = reports.living.count
        for entry in running.values.sorted(by: { $0.rotation.id < $1.rotation.id }) {
            let gate = try await gate(of: entry, reports: reports, isThorough: false)
            guard round.pacer.goesOn(entry, gate: gate, at: clock.now) else { continue }
            try await goOn(entry)
        }
    }

    struct ReplicaReports {
        var living: [ReplicaReport]
        var departed: [ReplicaReport]
    }

    func replicaReports() async throws(LedgerFailure) -> ReplicaReports {
        let living = try await ledger.reports(within: settings.replicaWindow)
        let names = Set(living.map(\.replica))
        // As long as rows are kept: what a replica that went knew to lag is not forgotten with it.
        let kept = try await ledger.reports(within: .seconds(86_400))
        return ReplicaReports(living: living, departed: kept.filter { !names.contains($0.replica) })
    }

    /// The gate of a rotation by these reports, which must be older than the question to the ledger: whoever signed under the
    /// old issuer before confirming the new state is found there.
    ///
    /// Unless it is `isThorough`, the ledger is asked only when nothing else holds.
    func gate(
        of entry: AuthorityState.RotationEntry, reports: ReplicaReports, isThorough: Bool
    ) async throws(LedgerFailure) -> RotationGate {
        let state = state
        func facts(_ outstanding: [OutstandingLeaf]?, late: [OutstandingLeaf] = []) -> RotationFacts {
            RotationFacts(reports: reports.living, departed: reports.departed, outstanding: outstanding, late: late)
        }
        guard let step = state.step(of: entry.rotation), step.asksTheLedger else {
            return state.gate(of: entry, facts: facts(nil))
        }
        let first = state.gate(of: entry, facts: facts([]))
        guard first.isOpen || isThorough else { return first }
        let now = clock.now
        let meshes: Set<MeshName>
        let issuer: IssuerID?
        var issuedBefore: Timestamp?
        switch step {
        case .distribute:
            (meshes, issuer) = (state.meshesConcerned(by: entry.rotation), nil)
            // Whoever was issued one later, by a replica that knew of the phase, had the new root to fetch with it.
            issuedBefore = entry.rotation.phaseSince + settings.replicaWindow
        case .issue(let from, _):
            (meshes, issuer) = (Set(entry.rotation.meshes), from)
        case .withdraw:
            (meshes, issuer) = ([], nil)
        }
        // All of them where those that are settled are taken away again; else one is enough to hold.
        let needsAll = step == .distribute || entry.rotation.retireAfter == .reissued
        let most = isThorough ? MeshAuthority.mostShown : MeshAuthority.mostOutstanding
        let limit = needsAll ? most : RotationGate.mostBlockers + 1
        let outstanding = try await outstandingLeaves(
            in: meshes, issuer: issuer, issuedBefore: issuedBefore, at: now, limit: limit)
        var late: [OutstandingLeaf] = []
        if issuedBefore != nil {
            let earlier = Set(outstanding.map(\.key))
            late = try await outstandingLeaves(in: meshes, issuer: issuer, issuedBefore: nil, at: now, limit: limit)
                .filter { $0.key != nil && !earlier.contains($0.key) }
        }
        let isCutOff = needsAll && outstanding.count + late.count >= limit
        var gate = state.gate(of: entry, facts: facts(outstanding, late: late))
        if isCutOff { gate.isOpen = false }
        return gate
    }

    /// As the ledger has them, with their keys.
    private func outstandingLeaves(
        in meshes: Set<MeshName>, issuer: IssuerID?, issuedBefore: Timestamp?, at now: Timestamp, limit: Int
    ) async throws(LedgerFailure) -> [OutstandingLeaf] {
        try await ledger.outstandingLeaves(in: meshes, issuer: issuer, issuedBefore: issuedBefore, at: now, limit: limit)
            .map { leaf in
                var leaf = leaf
                leaf.key = leaf.node.map {
                    SubscriberKey(mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: $0)
                }
                return leaf
            }
    }

    /// Beyond it the gate stays shut rather than be judged by a part.
    private static let mostOutstanding = 1_000_000
    /// Enough for a person to see who holds a gate.
    private static let mostShown = 5_000

    private func goOn(_ entry: AuthorityState.RotationEntry) async throws {
        guard let transition = state.advance(entry.rotation, at: clock.now) else { return }
        let rotation = transition.rotation
        do {
            try await commit(
                transition.writes(from: entry.revision, in: state), .system, action: "rotation-\(rotation.phase.rawValue)",
                mesh: rotation.meshes.count == 1 ? rotation.meshes[0] : nil, object: rotation.id,
                details: [
                    "from": rotation.from.text, "to": rotation.to.text, "certificate-authority": rotation.certificateAuthority,
                    "previous-authority": rotation.previousAuthority,
                ])
        } catch .ledger(.conflict) {
            try await takeUp()
            // Another replica took it on, or something else stands in the way, and then somebody should know.
            let isUnchanged = state.rotations[rotation.id]?.revision == entry.revision
            logger.log(
                level: isUnchanged ? .warning : .debug, "a transition of a rotation lost a race",
                metadata: ["rotation": "\(rotation.id)", "is-tried-again": "\(isUnchanged)"])
            return
        }
        try await takeUp()
    }
}
