package import PKI

/// What a phase waits for, as of the reports that it was judged by.
package struct RotationGate: Hashable, Sendable {
    package var isOpen: Bool
    /// How many subscribers acknowledged what the phase asks.
    package var settled: Int
    /// How many are waited for.
    package var pendingCount: Int
    /// The first of them, at most `mostBlockers`.
    package var blockers: [RotationBlocker]

    package static let mostBlockers = 100

    package init(isOpen: Bool, settled: Int, pendingCount: Int, blockers: [RotationBlocker]) {
        self.isOpen = isOpen
        self.settled = settled
        self.pendingCount = pendingCount
        self.blockers = blockers
    }
}

/// What a phase asks of everybody before it is left.
package enum RotationStep: Hashable, Sendable {
    /// Every bundle subscription holds both roots. Unless a cross certificate covers whoever is away, nobody who may lack the new
    /// one is.
    case distribute(isCovered: Bool)
    /// Every bundle subscription holds a context without what was revoked, and every identity subscription a leaf of the issuer
    /// that signs now.
    case expel
    /// Every identity subscription holds a leaf of `to`, and no leaf of `from` is needed any more.
    case issue(from: IssuerID, to: IssuerID)
    /// Every bundle subscription holds a context without the root that went.
    case withdraw

    /// Whether the gate also asks the ledger who holds an unexpired leaf.
    package var asksTheLedger: Bool {
        switch self {
        case .distribute(let isCovered): !isCovered
        case .issue: true
        case .expel, .withdraw: false
        }
    }

    /// What is waited for of a replica that is cut off, and may go on by what it knew: nil, nothing.
    ///
    /// Where the ledger is asked for leaves, it does not know of those that such a replica issued. A root that was revoked is
    /// waited for no longer than somebody signs under it.
    package func end(of absence: ReplicaAbsence) -> Timestamp? {
        switch self {
        case .distribute(let isCovered): isCovered ? nil : absence.leavesUntil
        case .expel: absence.maySign ? absence.signsUntil : nil
        case .issue: absence.leavesUntil
        case .withdraw: nil
        }
    }

    /// Whether every replica must be able to sign under the new root.
    var asksForIssuingCertificates: Bool {
        switch self {
        case .distribute, .expel: true
        case .issue, .withdraw: false
        }
    }
}

/// All that a gate is judged by.
package struct RotationFacts: Sendable {
    /// Of the replicas that live.
    package var reports: [ReplicaReport]
    /// Of those that do no longer: what they knew to lag holds until somebody else knows better.
    package var departed: [ReplicaReport]
    /// Who holds an unexpired leaf that matters to the step; nil: not asked yet, and the gate stays shut.
    package var outstanding: [OutstandingLeaf]?
    /// In `distribute`, who holds a leaf that was issued when every replica knew of the phase. They had the new root to fetch with
    /// it, and count only if somebody knows a subscription of theirs that lags.
    package var late: [OutstandingLeaf]
    /// Where a rotation `asksWhomItCovered`: who holds a leaf, of whichever issuer, that was issued before every replica knew of the
    /// rotation. `late` are the others then.
    package var early: [OutstandingLeaf]

    package init(
        reports: [ReplicaReport], departed: [ReplicaReport] = [], outstanding: [OutstandingLeaf]?,
        late: [OutstandingLeaf] = [], early: [OutstandingLeaf] = []
    ) {
        self.reports = reports
        self.departed = departed
        self.outstanding = outstanding
        self.late = late
        self.early = early
    }
}

extension Rotation {
    /// Whether the phase asks, besides what its step does, for the bundles of everybody concerned: whoever lacks the new root is
    /// covered by the cross certificate, which no chain carries any more when the rotation has ended. Behind a door that may be a
    /// proxy whose own certificate is of another root, and outlives this rotation.
    package var asksWhomItCovered: Bool { phase == .issuing && crossCertificate != nil }
}

extension AuthorityState {
    /// The step that a running rotation is in; nil for one that is not in this state.
    package func step(of rotation: Rotation) -> RotationStep? {
        switch rotation.phase {
        case .aborted, .completed: nil
        case .distributing: .distribute(isCovered: rotation.crossCertificate != nil)
        case .issuing: .issue(from: rotation.from, to: rotation.to)
        case .reverting:
            rotation.meshes.contains { meshIssuers[$0]?[rotation.to] == .outgoing }
                ? .issue(from: rotation.to, to: rotation.from) : .withdraw
        case .withdrawing: rotation.kind == .revoke ? .expel : .withdraw
        }
    }

    /// Judges the gate of a running rotation: figures come from what proxies acknowledged, never from what was sent.
    package func gate(of entry: RotationEntry, facts: RotationFacts) -> RotationGate {
        guard let step = step(of: entry.rotation) else {
            return RotationGate(isOpen: false, settled: 0, pendingCount: 0, blockers: [])
        }
        // Replicas stand before proxies, so that no crowd hides one: nothing forces a gate that a replica holds.
        var replicas: [RotationBlocker] = []
        var proxies: [RotationBlocker] = []
        var pendingCount = 0
        /// By replicas, of those that are connected to them.
        var reported = 0
        for report in facts.reports {
            guard report.revision >= entry.revision, let progress = report.rotations[entry.rotation.id],
                progress.revision == entry.revision
            else {
                replicas.append(.replica(report.replica, "has not confirmed the current state yet"))
                pendingCount += 1
                continue
            }
            if step.asksForIssuingCertificates, !progress.hasIssuingCertificates {
                replicas.append(.replica(report.replica, "has no issuing certificate under the new root yet"))
                pendingCount += 1
            }
            pendingCount += progress.pendingCount
            reported += progress.pendingCount
            proxies += progress.pending
        }
        for report in facts.departed {
            guard let until = report.absence.flatMap({ step.end(of: $0) }) else { continue }
            replicas.append(.absent(report.replica, until: until))
            pendingCount += 1
        }
        if facts.reports.isEmpty {
            replicas.append(.replica("", "no replica has reported yet"))
            pendingCount += 1
        }
        let statements = SubscriptionStatements(about: entry, living: facts.reports, departed: facts.departed)
        let (settled, lagging, waiting) = statements.subscribers
        var isKnown = true
        if step.asksTheLedger {
            isKnown = facts.outstanding != nil
            // Who is named already is not named twice.
            var named = Set(proxies.map { Named(mesh: $0.mesh, identity: $0.identity, proxy: $0.proxy, node: $0.node) })
            let late = facts.late.filter { leaf in leaf.key.map { lagging.contains($0) } ?? false }
            let early = facts.early.filter { leaf in
                entry.rotation.asksWhomItCovered && leaf.key.map { !settled.contains($0) } ?? true
            }
            for leaf in (facts.outstanding ?? []) + early + late {
                // Most of thousands are settled, and go by the first of these questions.
                let isSettled = leaf.key.map { settled.contains($0) } ?? false
                guard blocks(leaf, step, entry.rotation, isSettled: isSettled) else { continue }
                // Who is connected and lags is counted by its replica, named there or not.
                if reported > 0, let key = leaf.key, waiting.contains(key) { continue }
                let name = Named(mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: leaf.node)
                guard named.insert(name).inserted else { continue }
                pendingCount += 1
                guard proxies.count < RotationGate.mostBlockers else { continue }
                proxies.append(.holder(of: leaf, isSettled: isSettled))
            }
        }
        return RotationGate(
            isOpen: pendingCount == 0 && isKnown, settled: settled.count, pendingCount: pendingCount,
            blockers: Array((replicas + proxies).prefix(RotationGate.mostBlockers)))
    }

    /// Whether the gate is shut by what replicas say alone, whatever the ledger would answer: far cheaper than to judge it.
    package func isHeld(_ entry: RotationEntry, by reports: [ReplicaReport]) -> Bool {
        guard let step = step(of: entry.rotation), !reports.isEmpty else { return true }
        return reports.contains { report in
            guard report.revision >= entry.revision, let progress = report.rotations[entry.rotation.id],
                progress.revision == entry.revision
            else { return true }
            return progress.pendingCount > 0 || (step.asksForIssuingCertificates && !progress.hasIssuingCertificates)
        }
    }

    /// The subscribers with at least one subscription, all of which have what the phase asks.
    package func settled(
        _ entry: RotationEntry, by living: [ReplicaReport], departed: [ReplicaReport]
    ) -> Set<SubscriberKey> {
        SubscriptionStatements(about: entry, living: living, departed: departed).subscribers.settled
    }

    /// Whether the holder of a leaf is waited for; one that has what the phase asks only while its earlier leaf must end by itself.
    private func blocks(_ leaf: OutstandingLeaf, _ step: RotationStep, _ rotation: Rotation, isSettled: Bool) -> Bool {
        switch step {
        case .expel, .withdraw: return false
        case .distribute:
            if isSettled { return false }
        case .issue:
            if isSettled, rotation.retireAfter == .reissued { return false }
        }
        // Whoever was revoked is not to be protected: nobody should talk to it.
        return revokedIdentities.isEmpty || !revokedIdentities.contains(leaf.identity)
    }

    /// Of these holders those that were found to hold the gate and still do, by what is known without asking the ledger again:
    /// whoever has settled since may be free, and only the ledger tells.
    package func stillHolding(
        _ blockers: [RotationBlocker], keys: [SubscriberKey?], settled: Set<SubscriberKey>, at now: Timestamp
    ) -> Bool {
        zip(blockers, keys).contains { blocker, key in
            guard let until = blocker.until, now < until else { return false }
            if let identity = blocker.identity, revokedIdentities.contains(identity) { return false }
            return blocker.reason == .away ? key.map { !settled.contains($0) } ?? true : true
        }
    }

    /// The meshes whose proxies may hold a context that binds a trust domain of the rotation: its own, and those behind a door, on
    /// either side. A mesh that is on its way is in nobody's bundle for sharing a certificate authority.
    package func meshesConcerned(by rotation: Rotation) -> Set<MeshName> {
        var concerned = Set(rotation.meshes)
        for access in crossMeshAccesses.values.map(\.access) {
            if rotation.meshes.contains(access.from.mesh) { concerned.insert(access.to.mesh) }
            if rotation.meshes.contains(access.to.mesh) { concerned.insert(access.from.mesh) }
        }
        return concerned
    }
}

/// Somebody who stands among a gate's blockers: by what a blocker shows.
private struct Named: Hashable {
    var mesh: MeshName?
    var identity: SPIFFEID?
    var proxy: String
    var node: String?
}

extension RotationBlocker {
    fileprivate static func holder(of leaf: OutstandingLeaf, isSettled: Bool) -> RotationBlocker {
        let end = leaf.notAfter.iso8601
        let (reason, detail): (Reason, String) =
            if leaf.node == nil {
                (.unsubscribed, "its certificate was fetched once or signed for a CSR, and is valid until \(end)")
            } else if isSettled {
                (.unexpired, "an earlier certificate of the old root is valid until \(end), and retireAfter is 'expired'")
            } else {
                (.away, "no subscription of it acknowledged what is needed, and its certificate is valid until \(end)")
            }
        return RotationBlocker(
            mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: leaf.node ?? "", resource: "", reason: reason,
            detail: detail, until: leaf.notAfter)
    }

    fileprivate static func absent(_ name: String, until: Timestamp) -> RotationBlocker {
        RotationBlocker(
            mesh: nil, identity: nil, proxy: name, node: "", resource: "", reason: .absent,
            detail: "cut off from the database or gone: it may have issued certificates by what it knew, until \(until.iso8601)",
            until: until)
    }

    fileprivate static func replica(_ name: String, _ detail: String) -> RotationBlocker {
        RotationBlocker(mesh: nil, identity: nil, proxy: name, node: "", resource: "", reason: .replica, detail: detail)
    }
}
