internal import Authority
internal import PKI
internal import PKICrypto

extension MeshAuthority {
    /// How far this replica's proxies are with every rotation that runs, by what they acknowledged.
    ///
    /// `contexts` are kept from one round to the next, for as long as the state is the same.
    func report(_ contexts: inout WantedContexts?) throws(AuthorityError) -> ReplicaReport {
        let snapshot = try snapshot
        var rotations: [String: RotationProgress] = [:]
        if snapshot.authority.rotations.isEmpty {
            contexts = nil
        } else {
            let subscribers = proxies.subscribers()
            var wanted = contexts?.revision == snapshot.authority.revision ? contexts : nil
            var current = wanted.take() ?? WantedContexts(state: snapshot.authority)
            defer { contexts = current }
            for (id, entry) in snapshot.authority.rotations {
                rotations[id] = progress(of: entry, in: snapshot, subscribers, &current)
            }
        }
        return ReplicaReport(replica: instance, revision: snapshot.authority.revision, rotations: rotations)
    }

    private func progress(
        of entry: AuthorityState.RotationEntry, in snapshot: Snapshot, _ subscribers: [Subscriber],
        _ contexts: inout WantedContexts
    ) -> RotationProgress {
        let state = snapshot.authority
        let rotation = entry.rotation
        let hasIssuingCertificates = rotation.meshes.allSatisfy { mesh in
            // After a revocation each mesh has its own successor.
            let issuer = rotation.kind == .revoke ? state.activeIssuer(of: mesh)?.id : rotation.to
            return issuer.map { snapshot.issuing[mesh]?[$0] != nil } ?? true
        }
        let meshes = Set(rotation.meshes)
        let concerned = state.meshesConcerned(by: rotation)
        let domains = Set(rotation.meshes.compactMap { state.meshes[$0]?.mesh.trustDomain })
        let step = state.step(of: rotation)
        func judgeBundle(
            _ status: SubscriptionStatus, of caller: Caller, _ isConcerned: Bool, _ contexts: inout WantedContexts
        ) -> Bool? {
            guard let wanted = contexts.wanted(by: status, of: caller),
                isConcerned || !wanted.domains.isDisjoint(with: domains)
            else { return nil }
            return status.holds(wanted.version)
        }
        func judgeLeaf(_ status: SubscriptionStatus, of caller: Caller, _ issuer: IssuerID?) -> Bool? {
            guard meshes.contains(caller.mesh), let issuer else { return nil }
            return status.holdsLeaf(of: issuer, for: caller, key: snapshot.leafVersionKey)
        }
        /// Whether a subscription has what the phase asks of it; nil for one that does not matter.
        func judge(
            _ status: SubscriptionStatus, of caller: Caller, _ isConcerned: Bool, _ contexts: inout WantedContexts
        ) -> Bool? {
            let isIdentity = status.meaning == .identity
            return switch step {
            case nil: nil
            case .distribute, .withdraw: judgeBundle(status, of: caller, isConcerned, &contexts)
            case .issue(_, let to):
                if isIdentity {
                    judgeLeaf(status, of: caller, to)
                } else if rotation.asksWhomItCovered {
                    judgeBundle(status, of: caller, isConcerned, &contexts)
                } else {
                    nil
                }
            case .expel:
                isIdentity
                    ? judgeLeaf(status, of: caller, state.activeIssuer(of: caller.mesh)?.id)
                    : judgeBundle(status, of: caller, isConcerned, &contexts)
            }
        }
        var settled: [SubscriptionKey] = []
        var lagging: [SubscriptionKey] = []
        var pending: [RotationBlocker] = []
        var pendingCount = 0
        for subscriber in subscribers {
            let key = subscriber.key
            let isConcerned = concerned.contains(subscriber.caller.mesh)
            var waiting: SubscriptionStatus?
            // A name on two of its streams is settled when both are.
            for (resource, same) in Dictionary(grouping: subscriber.open, by: \.resource) {
                var isSettled: Bool?
                for status in same {
                    guard let judged = judge(status, of: subscriber.caller, isConcerned, &contexts) else { continue }
                    isSettled = judged && isSettled != false
                    if !judged, waiting.map({ $0.weight < status.weight }) ?? true { waiting = status }
                }
                guard let isSettled else { continue }
                let subscription = SubscriptionKey(key, resource: SubscriptionKey.resource(resource))
                if isSettled { settled.append(subscription) } else { lagging.append(subscription) }
            }
            for remembered in subscriber.remembered {
                guard let isSettled = judge(remembered.status, of: subscriber.caller, isConcerned, &contexts) else { continue }
                let subscription = SubscriptionKey(
                    key, resource: SubscriptionKey.resource(remembered.status.resource),
                    at: UInt32(clamping: min(remembered.closedAt.seconds, Int64(SubscriptionKey.open - 2))))
                if isSettled { settled.append(subscription) } else { lagging.append(subscription) }
            }
            // Who is away is waited for by the ledger's account of its certificate.
            guard let waiting else { continue }
            pendingCount += 1
            if pending.count < RotationProgress.mostBlockers { pending.append(subscriber.blocker(waiting)) }
        }
        return RotationProgress(
            revision: entry.revision, phaseSince: rotation.phaseSince, hasIssuingCertificates: hasIssuingCertificates,
            settled: SubscriberSet(settled),
            lagging: SubscriberSet(lagging), pendingCount: pendingCount, pending: pending)
    }
}

/// The contexts that proxies should have by now, each made once for all proxies that get the same.
struct WantedContexts {
    struct Wanted {
        var version: String
        var domains: Set<TrustDomain>
    }

    private struct Key: Hashable {
        var mesh: MeshName
        var name: SecretName
        /// Doors open for a service, and a context depends on nothing else of a caller.
        var service: String?
    }

    private let state: AuthorityState
    /// Of `state`: another one wants others.
    var revision: Int64 { state.revision }
    private var made: [Key: Wanted?] = [:]

    init(state: AuthorityState) { self.state = state }

    /// Of a bundle that `caller` asks for; nil for its identity, and where there is no such resource.
    mutating func wanted(by status: SubscriptionStatus, of caller: Caller) -> Wanted? {
        guard let name = status.meaning, name != .identity else { return nil }
        let key = Key(mesh: caller.mesh, name: name, service: caller.service)
        if let wanted = made[key] { return wanted }
        let context = try? state.validationContext(name, for: caller)
        let wanted = context.map { Wanted(version: $0.version, domains: Set($0.trustDomains.keys)) }
        made[key] = .some(wanted)
        return wanted
    }
}

extension Subscriber {
    fileprivate var key: SubscriberKey {
        SubscriberKey(mesh: caller.mesh, identity: caller.identity, proxy: caller.proxy, node: node)
    }

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

    /// Whether the identity is held with a leaf of `issuer`.
    fileprivate func holdsLeaf(of issuer: IssuerID, for caller: Caller, key: SecretBytes) -> Bool {
        guard isAtRest, let ackedVersion else { return false }
        return LeafVersion(ackedVersion, identity: caller.identity, key: key)?.issuer == issuer
    }
}

extension SubscriptionKey {
    /// Never 0, which stands for none.
    fileprivate static func resource(_ name: String) -> UInt32 {
        max(1, Digest.sha256(Array(name.utf8)).prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }
}

extension SubscriberKey {
    /// NUL stands in none of the four: names are checked where they come in.
    init(mesh: MeshName, identity: SPIFFEID, proxy: String, node: String) {
        let text = [mesh.name, identity.uri, proxy, node].joined(separator: "\0")
        self.init(Digest.sha256(Array(text.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }
}
