internal import Authority
internal import PKI
internal import PKICrypto

/// How far this replica's proxies are with every rotation that runs, by what they acknowledged: kept from one look to the next, and
/// judged anew only for those who changed, or for whose mesh something did.
struct ProgressTally {
    /// By rotation id, for those that run.
    private var courses: [String: RotationCourse] = [:]
    /// Which rotations have a statement of a subscriber.
    private var membership: [SubscriberKey: [String]] = [:]
    private var wanted = WantedContexts()
    /// The issuer of the leaf that a subscriber acknowledged last, by its version: its seal is not opened twice.
    private var leaves: [SubscriberKey: (version: String, issuer: IssuerID?)] = [:]
    private var resources: [String: UInt32] = [:]
    /// Those of the snapshot that was looked at last.
    private var meshes: Set<MeshName> = []
    /// Of the snapshot that was looked at last; nil while nothing is kept.
    private var generation: Int64?
    /// Changes whenever a report would.
    private(set) var edition: UInt64 = 0
    /// Whether something happened that a gate or another replica should know at once: a phase began, the last one that was waited for
    /// is there, or a subscription began to lag.
    private(set) var isNews = false
    /// Whether it is such that a gate may open.
    private(set) var mayOpen = false

    /// Looks at what changed since the last time.
    mutating func look(at snapshot: Snapshot, _ proxies: ProxyRegistry) {
        guard !snapshot.authority.rotations.isEmpty else {
            if generation != nil { self = ProgressTally(edition: edition + 1, isNews: true) }
            proxies.endWatch()
            return
        }
        var changed: [Subscriber] = []
        if let generation {
            let noted = proxies.takeChanges()
            for key in noted.gone { forget(key) }
            changed = noted.changed
            if snapshot.generation != generation {
                let gone = meshes.subtracting(snapshot.authority.meshes.keys)
                let meshes = snapshot.meshesChanged(after: generation).union(gone)
                follow(snapshot, changed: meshes)
                changed += proxies.subscribers(of: meshes)
            }
        } else {
            proxies.watch()
            follow(snapshot, changed: nil)
            changed = proxies.subscribers()
        }
        generation = snapshot.generation
        for subscriber in changed { judge(subscriber, in: snapshot) }
        settle()
    }

    /// What was news is told.
    mutating func tell() {
        isNews = false
        mayOpen = false
    }

    /// Whether a proxy that is connected here holds the gate.
    func isHeld(_ rotation: String) -> Bool { courses[rotation].map { !$0.waiting.isEmpty } ?? true }

    /// How far the proxies are with one rotation; nil if it does not run.
    mutating func progress(of rotation: String, in snapshot: Snapshot, _ proxies: ProxyRegistry) -> RotationProgress? {
        guard let course = courses[rotation] else { return nil }
        var pending: [RotationBlocker] = []
        for key in course.waiting.prefix(RotationProgress.mostBlockers) {
            guard let subscriber = proxies.subscriber(key) else { continue }
            // The proxy's own words first.
            let waiting = subscriber.open.filter { status in
                findings(of: status, key, subscriber.caller, in: snapshot).contains { $0.rotation == rotation && !$0.isSettled }
            }.max { $0.weight < $1.weight }
            if let waiting { pending.append(subscriber.blocker(waiting)) }
        }
        return courses[rotation]?.progress(pending: pending)
    }

    // MARK: - Following the state

    /// Takes up the rotations as they are now; `changed` are the meshes whose contexts may be others, nil: all.
    private mutating func follow(_ snapshot: Snapshot, changed: Set<MeshName>?) {
        let state = snapshot.authority
        meshes = Set(state.meshes.keys)
        if let changed { wanted.forget(changed) }
        for id in courses.keys where state.rotations[id] == nil {
            courses[id] = nil
            edition += 1
            isNews = true
        }
        for (id, entry) in state.rotations {
            let isReady = snapshot.hasIssuingCertificates(for: entry.rotation)
            if courses[id]?.entry.revision != entry.revision {
                // All that was judged is of another phase: those whom it concerns are in the meshes that changed.
                courses[id] = RotationCourse(entry: entry, step: state.step(of: entry.rotation))
                edition += 1
                (isNews, mayOpen) = (true, true)
            }
            courses[id]?.concern(state.meshesConcerned(by: entry.rotation), state.meshes)
            if courses[id]?.isReady != isReady {
                courses[id]?.isReady = isReady
                edition += 1
                (isNews, mayOpen) = (true, true)
            }
        }
    }

    // MARK: - Judging

    private struct Finding {
        var rotation: String
        var isSettled: Bool
    }

    private mutating func judge(_ subscriber: Subscriber, in snapshot: Snapshot) {
        let key = subscriber.key
        var found: [String: [RotationCourse.Statement]] = [:]
        var waiting: Set<String> = []
        // A name on two of its streams is settled when both are; they stand beside each other.
        for status in subscriber.open {
            let resource = resource(status.resource)
            for finding in findings(of: status, key, subscriber.caller, in: snapshot) {
                if !finding.isSettled { waiting.insert(finding.rotation) }
                let last = found[finding.rotation]?.last
                if last?.resource == resource, let index = found[finding.rotation]?.indices.last {
                    if !finding.isSettled { found[finding.rotation]?[index].isSettled = false }
                } else {
                    found[finding.rotation, default: []].append(
                        .init(resource: resource, at: SubscriptionKey.open, isSettled: finding.isSettled))
                }
            }
        }
        for remembered in subscriber.remembered {
            let at = UInt32(clamping: min(remembered.closedAt.seconds, Int64(SubscriptionKey.open - 2)))
            for finding in findings(of: remembered.status, key, subscriber.caller, in: snapshot) {
                found[finding.rotation, default: []].append(
                    .init(resource: resource(remembered.status.resource), at: at, isSettled: finding.isSettled))
            }
        }
        for rotation in membership[key] ?? [] where found[rotation] == nil {
            note(courses[rotation]?.take(nil, of: key, isWaiting: false))
        }
        for (rotation, statements) in found {
            note(courses[rotation]?.take(statements, of: key, isWaiting: waiting.contains(rotation)))
        }
        membership[key] = found.isEmpty ? nil : Array(found.keys)
        // Its own words may be others now, which the report shows.
        if !waiting.isEmpty { edition += 1 }
    }

    /// What one subscription means to the rotations that run: whether it has what their phase asks of it. Those that ask nothing of
    /// it are not among them.
    private mutating func findings(
        of status: SubscriptionStatus, _ key: SubscriberKey, _ caller: Caller, in snapshot: Snapshot
    ) -> [Finding] {
        guard status.meaning != .identity else {
            // A mesh is in one running rotation at most.
            guard let rotation = snapshot.rotation(of: caller.mesh)?.rotation.id, let step = courses[rotation]?.step,
                let issuer = step.issuer ?? (step == .expel ? snapshot.authority.activeIssuer(of: caller.mesh)?.id : nil)
            else { return [] }
            return [Finding(rotation: rotation, isSettled: holdsLeaf(status, of: issuer, key, caller, snapshot.leafVersionKey))]
        }
        guard let wanted = wanted.wanted(by: status, of: caller, in: snapshot, courses) else { return [] }
        return wanted.rotations.map { Finding(rotation: $0, isSettled: status.holds(wanted.version)) }
    }

    /// Whether the identity is held with a leaf of `issuer`.
    private mutating func holdsLeaf(
        _ status: SubscriptionStatus, of issuer: IssuerID, _ key: SubscriberKey, _ caller: Caller, _ seal: AuthenticationKey
    ) -> Bool {
        guard status.isAtRest, let version = status.ackedVersion else { return false }
        if let known = leaves[key], known.version == version { return known.issuer == issuer }
        let opened = LeafVersion(version, identity: caller.identity, key: seal)?.issuer
        leaves[key] = (version, opened)
        return opened == issuer
    }

    private mutating func resource(_ name: String) -> UInt32 {
        if let known = resources[name] { return known }
        // Proxies choose the names.
        if resources.count >= 1000 { resources.removeAll() }
        let digest = SubscriptionKey.resource(name)
        resources[name] = digest
        return digest
    }

    // MARK: - News

    private mutating func note(_ change: RotationCourse.Change?) {
        switch change {
        case nil, .nothing?: break
        case .other?: edition += 1
        case .lags?:
            edition += 1
            isNews = true
        }
    }

    /// The gate of a rotation that nobody is waited for any more may open.
    private mutating func settle() {
        for id in courses.keys {
            if courses[id]?.becameFree() == true { (isNews, mayOpen) = (true, true) }
        }
    }

    private mutating func forget(_ key: SubscriberKey) {
        for rotation in membership.removeValue(forKey: key) ?? [] {
            note(courses[rotation]?.take(nil, of: key, isWaiting: false))
        }
        leaves[key] = nil
    }

    init() {}

    private init(edition: UInt64, isNews: Bool) {
        self.edition = edition
        self.isNews = isNews
    }
}

extension RotationStep {
    /// The issuer that every identity subscription's leaf must be of, where it is one for all.
    fileprivate var issuer: IssuerID? {
        if case .issue(_, let to) = self { to } else { nil }
    }
}

extension Snapshot {
    /// Whether an issuing certificate is held under the new issuer for each of the rotation's meshes.
    fileprivate func hasIssuingCertificates(for rotation: Rotation) -> Bool {
        rotation.meshes.allSatisfy { mesh in
            // After a revocation each mesh has its own successor.
            let issuer = rotation.kind == .revoke ? authority.activeIssuer(of: mesh)?.id : rotation.to
            return issuer.map { issuing[mesh]?[$0] != nil } ?? true
        }
    }
}

extension Subscriber {
    fileprivate func blocker(_ status: SubscriptionStatus) -> RotationBlocker {
        let (reason, detail): (RotationBlocker.Reason, String) =
            if let nack = status.nack {
                (.rejected, nack.message)
            } else if status.isSilent {
                (.silent, "sent \(status.sentAt?.iso8601 ?? "earlier"), and no answer since")
            } else if let refusal = status.refusal {
                (.pending, refusal)
            } else {
                (.pending, "what it needs was not sent, or not answered, yet")
            }
        return RotationBlocker(
            mesh: caller.mesh, identity: caller.identity, proxy: caller.proxy, node: node, resource: status.resource,
            reason: reason, detail: detail)
    }
}

extension SubscriptionStatus {
    /// Whether nothing that was sent after the last acknowledged version may be what the proxy holds by now: a version is named by
    /// its content, so that one that was acknowledged long ago can be the wanted one again.
    fileprivate var isAtRest: Bool {
        sentVersion == nil || sentVersion == ackedVersion || (nack != nil && nack?.version == sentVersion)
    }

    /// Of several that are waited for, which one to show: the proxy's own words first.
    fileprivate var weight: Int { nack != nil ? 2 : isSilent ? 1 : 0 }

    /// Whether a bundle is held as it is now. A proxy takes its trust from here if it has any bundle of ours; who has none holds
    /// nothing that could be the new root, and is waited for until its certificate ends.
    fileprivate func holds(_ version: String) -> Bool { ackedVersion == version && isAtRest }
}
