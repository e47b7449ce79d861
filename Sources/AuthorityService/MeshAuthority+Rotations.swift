internal import Authority
internal import Logging
internal import PKI
internal import PKICrypto
internal import ServiceLifecycle

extension MeshAuthority {
    /// Reports this replica's progress, round after round, until shut down; the one that holds the lease also takes rotations
    /// through their gates, and starts those that are due by age.
    ///
    /// A transition is one compare-and-swap on the rotation's row under the lease's fence: a driver that was taken for dead and comes
    /// back changes nothing.
    func driveRotations() async throws {
        var round = RotationRound(pacer: RotationPacer(dwell: settings.rotationDwell))
        while !Task.isShuttingDownGracefully {
            do {
                try await goRound(&round)
            } catch {
                round.isTroubled = true
                let isKnown = outage.doubt != nil || outage.status.awaySince != nil
                logger.log(
                    level: isKnown ? .debug : .warning, "a round of the rotations failed and is tried again",
                    metadata: ["error": "\(error)"])
            }
            await rest(round)
            try Task.checkCancellation()
        }
        do {
            if outage.mayWrite, let lease = round.lease { try await ledger.endLease(lease) }
            try await leave()
        } catch {
            logger.info("this replica's row stays until it is too old", metadata: ["error": "\(error)"])
        }
    }

    /// Until the next round is due: in the interval, each replica at moments of its own; at the end of a dwell; or at once when a
    /// gate may open. A look costs what changed since the last one, and a round some questions to the ledger: so that the first
    /// follows every change, and the second few.
    private func rest(_ round: RotationRound) async {
        let clock = ContinuousClock()
        let now = self.clock.now
        var pause = settings.rotationInterval * Double.random(in: 0.75...1.25)
        if let end = round.pacer.nextEnd(after: now) { pause = min(pause, max(end - now, .milliseconds(1))) }
        let deadline = clock.now + pause
        // The next look comes with the next round.
        guard pause > settings.rotationGathering else {
            try? await cancelWhenGracefulShutdown { try await Task.sleep(until: deadline, clock: clock) }
            return
        }
        while clock.now < deadline, !Task.isShuttingDownGracefully, !Task.isCancelled {
            // Whatever rings from now on is heard after the look.
            let rings = bell.listen()
            if let snapshot = currentSnapshot { tally.look(at: snapshot, proxies) }
            // After a failure the interval is waited for: the ledger may be in trouble.
            if tally.mayOpen, !round.isTroubled { return }
            let looked = clock.now
            try? await cancelWhenGracefulShutdown {
                await withTaskGroup { group in
                    group.addTask { for await _ in rings { break } }
                    group.addTask { try? await Task.sleep(until: deadline, clock: clock) }
                    await group.next()
                    group.cancelAll()
                }
                try await Task.sleep(until: min(deadline, looked + self.settings.rotationGathering), clock: clock)
            }
        }
    }

    private func goRound(_ round: inout RotationRound) async throws {
        tally.look(at: try snapshot, proxies)
        try await confirmWritable()
        try await tellPermit()
        try await report(&round)
        round.isTroubled = false
        let running = state.rotations
        if isUnfitToDrive() {
            if let lease = round.lease { try await ledger.endLease(lease) }
            round.lease = nil
            return
        }
        try await askForLease(&round, isBusy: !running.isEmpty)
        round.keep(only: running)
        if let lease = round.lease { await startRotationsByAge(as: lease) }
        guard !running.isEmpty else { return }
        guard let lease = round.lease else {
            // How many share the pace; who does not drive needs no more of the others.
            if MeshAuthority.isDue(round.countedAt, every: settings.heartbeatInterval, at: clock.now) {
                livingReplicas = try await ledger.livingReplicas(within: settings.replicaWindow).count
                round.countedAt = clock.now
            }
            return
        }
        round.replicas.take(
            try await ledger.replicaRows(
                livingWithin: settings.replicaWindow, known: round.replicas.editions, besides: instance),
            besides: instance)
        livingReplicas = round.replicas.livingCount
        for entry in running.values.sorted(by: { $0.rotation.id < $1.rotation.id }) {
            do {
                try await drive(entry, as: lease, &round)
            } catch {
                // Whatever is wrong with one, such as a key that cannot be read, holds up no other.
                logger.warning(
                    "a rotation could not be driven and is tried again",
                    metadata: ["rotation": "\(entry.rotation.id)", "error": "\(error)"])
            }
        }
    }

    /// Tells the others how this replica's proxies are, or that it lives.
    ///
    /// What whoever takes its place must know is told in every round: who lags. That somebody lags no longer holds a gate up only
    /// until it is told, so that thousands who settle one after the other make few reports: one at most in two intervals, and one
    /// as soon as nobody is waited for any more.
    private func report(_ round: inout RotationRound) async throws {
        let now = clock.now
        let instant = ContinuousClock().now
        let isOld = round.toldAt.map { instant >= $0 + settings.rotationInterval * 2 } ?? true
        let (edition, isNews) = (tally.edition, tally.isNews)
        // What comes while the report is on its way is news again.
        tally.tell()
        if round.toldEdition == nil || (edition != round.toldEdition && (isNews || isOld)) {
            // Whether it arrives or not: unless it is known to have, the next round tells all of it again.
            round.toldEdition = nil
            let report = ownReport(in: try snapshot)
            // After the snapshot was taken: what was issued by an earlier one is in the ledger before this one is confirmed.
            try await confirmWritable()
            try await tell(report)
            round.toldEdition = edition
            round.toldAt = instant
            round.reportedAt = now
        } else if MeshAuthority.isDue(round.reportedAt, every: heartbeat, at: now) {
            try await tell(nil)
            round.reportedAt = now
        }
    }

    /// How this replica's proxies are with every rotation that runs, by the last look.
    private func ownReport(in snapshot: Snapshot) -> ReplicaReport {
        var rotations: [String: RotationProgress] = [:]
        for id in snapshot.authority.rotations.keys { rotations[id] = tally.progress(of: id, in: snapshot, proxies) }
        return ReplicaReport(replica: instance, revision: snapshot.authority.revision, rotations: rotations)
    }

    private func drive(
        _ entry: AuthorityState.RotationEntry, as lease: DriverLease, _ round: inout RotationRound
    ) async throws {
        let id = entry.rotation.id
        if let defect = state.defect(of: entry) {
            warn("a rotation is not driven", about: id, because: defect)
            return
        }
        // What was renewed has another revision, and its gate is judged in the next round.
        if try await renewCrossCertificate(of: entry, as: lease) { return }
        let snapshot = try snapshot
        let state = snapshot.authority
        tally.look(at: snapshot, proxies)
        let isUnderTheClock = state.isUnderTheClock(entry.rotation, at: clock.now)
        // Who is connected and lags shuts the gate, whatever else there is to know.
        if tally.isHeld(id), !isUnderTheClock { return round.pacer.holds(id) }
        let own = tally.progress(of: id, in: snapshot, proxies).map { [id: $0] } ?? [:]
        let reports = ReplicaReports(
            living: [ReplicaReport(replica: instance, revision: state.revision, rotations: own)] + round.replicas.living,
            departed: round.replicas.departed)
        let facts = RotationRound.Facts(state: state.revision, own: tally.edition, others: round.replicas.edition)
        if !isUnderTheClock {
            if state.isHeld(entry, by: reports.living) { return round.pacer.holds(id) }
            // It was found open, and is judged once more at the dwell's end.
            if round.pacer.isDwelling(entry, at: clock.now) { return }
            if round.holds[id]?.lasts(of: entry, in: state, reports, facts, at: clock.now) == true {
                return round.pacer.holds(id)
            }
        }
        let gate = try await gate(of: entry, reports: reports, isThorough: false)
        round.holds[id] = gate.isOpen ? nil : LedgerHold(gate, of: entry, facts)
        if round.pacer.goesOn(entry, gate: gate, at: clock.now) {
            try await goOn(entry, as: lease)
        } else if state.isForcedByClock(entry.rotation, gate: gate, at: clock.now) {
            try await goOn(
                entry, as: lease,
                detail: "the old root's end is near: \(gate.pendingCount) behind, covered by the cross certificate")
        }
    }

    /// Also when the clock was set back: what was done in a future that is none any more was not done.
    private static func isDue(_ last: Timestamp?, every interval: Duration, at now: Timestamp) -> Bool {
        guard let last else { return true }
        return now < last || now >= last + interval
    }

    /// Whoever has it prolongs it in time, and whoever has not asks in each round while rotations run; with the heartbeat otherwise:
    /// nobody asks for it more often than he has to. Every transition confirms it.
    private func askForLease(_ round: inout RotationRound, isBusy: Bool) async throws {
        let now = clock.now
        let isWaiting = isBusy && round.lease == nil
        let interval = isWaiting ? Duration.zero : min(settings.heartbeatInterval, settings.driverLease / 3)
        guard MeshAuthority.isDue(round.leaseAskedAt, every: interval, at: now) else { return }
        let before = round.lease
        // Whoever cannot be asked does not drive.
        round.lease = nil
        round.lease = try await ledger.lease(to: instance, for: settings.driverLease)
        round.leaseAskedAt = now
        if before == nil, let lease = round.lease {
            logger.info("this replica drives rotations from now on", metadata: ["fence": "\(lease.fence)"])
        } else if before != nil, round.lease == nil {
            logger.warning("another replica drives rotations from now on")
        }
    }

    /// Whether it was due.
    private func renewCrossCertificate(of entry: AuthorityState.RotationEntry, as lease: DriverLease) async throws -> Bool {
        guard let cross = try await renewedCrossCertificate(of: entry.rotation) else { return false }
        var rotation = entry.rotation
        rotation.crossCertificate = cross.certificate
        try await write(
            [
                .requireLease(lease), .recordCertificate(cross.record), .replaceRotation(rotation, revision: entry.revision),
                .insertRotationEvent(
                    rotation: rotation.id,
                    RotationEvent(
                        event: "cross-certificate-renewed", at: clock.now, actor: Administrator.system.auditName,
                        detail: "valid until \(cross.certificate.notAfter.iso8601)")),
            ], of: rotation, from: entry.revision, action: "rotation-cross-certificate-renewed", detail: "")
        return true
    }

    struct ReplicaReports {
        var living: [ReplicaReport]
        var departed: [ReplicaReport]
    }

    /// As the ledger has them; of this replica, as it is now.
    func replicaReports() async throws(LedgerFailure) -> ReplicaReports {
        var living = try await ledger.reports(within: settings.replicaWindow)
        let names = Set(living.map(\.replica))
        // As long as rows are kept: what a replica that went knew to lag is not forgotten with it.
        let kept = try await ledger.reports(within: .seconds(86_400))
        if let own = living.firstIndex(where: { $0.replica == instance }), let snapshot = currentSnapshot {
            tally.look(at: snapshot, proxies)
            living[own] = ownReport(in: snapshot)
        }
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
        func facts(
            _ outstanding: [OutstandingLeaf]?, late: [OutstandingLeaf] = [], early: [OutstandingLeaf] = []
        ) -> RotationFacts {
            RotationFacts(
                reports: reports.living, departed: reports.departed, outstanding: outstanding, late: late, early: early)
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
        case .expel, .withdraw:
            (meshes, issuer) = ([], nil)
        }
        // All of them where those that are settled are taken away again, or are to be counted; else one is enough to hold.
        // Of revoked identities none counts, and a page of them alone would tell nothing.
        let needsAll =
            isThorough || entry.rotation.phase == .distributing || entry.rotation.retireAfter == .reissued
            || !state.revokedIdentities.isEmpty
        let most = MeshAuthority.mostOutstanding
        let limit = needsAll ? most : RotationGate.mostBlockers + 1
        let outstanding = try await outstandingLeaves(
            in: meshes, issuer: issuer, issuedBefore: issuedBefore, at: now, limit: limit)
        var late: [OutstandingLeaf] = []
        if issuedBefore != nil {
            let earlier = Set(outstanding.map(\.key))
            late = try await outstandingLeaves(in: meshes, issuer: issuer, issuedBefore: nil, at: now, limit: limit)
                .filter { $0.key != nil && !earlier.contains($0.key) }
        }
        var isCutOff = needsAll && outstanding.count + late.count >= limit
        if !isThorough {
            let judged = state.gate(of: entry, facts: facts(outstanding, late: late))
            guard judged.isOpen else { return judged }
        }
        var early: [OutstandingLeaf] = []
        if entry.rotation.asksWhomItCovered {
            let concerned = state.meshesConcerned(by: entry.rotation)
            let all = try await outstandingLeaves(in: concerned, issuer: nil, issuedBefore: nil, at: now, limit: most)
            early = try await outstandingLeaves(
                in: concerned, issuer: nil, issuedBefore: entry.rotation.startedAt + settings.replicaWindow, at: now, limit: most)
            let before = Set(early.map(\.key))
            late = all.filter { $0.key != nil && !before.contains($0.key) }
            isCutOff = isCutOff || all.count >= most
        }
        var gate = state.gate(of: entry, facts: facts(outstanding, late: late, early: early))
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

    private func goOn(
        _ entry: AuthorityState.RotationEntry, as lease: DriverLease, detail: String = ""
    ) async throws {
        guard let transition = state.advance(entry.rotation, at: clock.now) else { return }
        let rotation = transition.rotation
        let event = rotation.began(by: Administrator.system.auditName, detail: detail)
        try await write(
            [.requireLease(lease)]
                + transition.writes(from: entry.revision, in: state, by: Administrator.system.auditName, event: event),
            of: rotation, from: entry.revision, action: "rotation-\(rotation.phase.rawValue)", detail: detail)
    }

    private func write(
        _ writes: [LedgerWrite], of rotation: Rotation, from revision: Int64, action: String, detail: String
    ) async throws {
        var details = [
            "from": rotation.from.text, "to": rotation.to.text, "certificate-authority": rotation.certificateAuthority,
            "previous-authority": rotation.previousAuthority,
        ]
        if !detail.isEmpty { details["detail"] = detail }
        do {
            try await commit(
                writes, .system, action: action, mesh: rotation.meshes.count == 1 ? rotation.meshes[0] : nil,
                object: rotation.id, details: details)
        } catch .ledger(.conflict) {
            try await takeUp()
            // Another replica took it on, or something else stands in the way, and then somebody should know.
            let isUnchanged = state.rotations[rotation.id]?.revision == revision
            logger.log(
                level: isUnchanged ? .warning : .debug, "a transition of a rotation lost a race",
                metadata: ["rotation": "\(rotation.id)", "is-tried-again": "\(isUnchanged)"])
            return
        }
        try await takeUp()
    }
}
