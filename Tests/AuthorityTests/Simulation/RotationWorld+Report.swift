import Authority
import PKI

/// What a replica says of its proxies: by its own state, and by what they acknowledged to it.
extension RotationWorld {
    func report(of index: Int) -> ReplicaReport {
        let replica = replicas[index]
        var rotations: [String: RotationProgress] = [:]
        for (id, entry) in replica.state.rotations { rotations[id] = progress(of: entry, at: replica) }
        return ReplicaReport(replica: replica.name, revision: replica.state.revision, rotations: rotations)
    }

    private struct Judged {
        var resource: UInt32
        var closedAt: Timestamp?
        var isSettled: Bool
    }

    private func progress(of entry: AuthorityState.RotationEntry, at replica: SimulatedReplica) -> RotationProgress {
        let rotation = entry.rotation
        let concerned = replica.state.meshesConcerned(by: rotation)
        var settled: [SubscriptionKey] = []
        var lagging: [SubscriptionKey] = []
        var pending: [RotationBlocker] = []
        for (index, statuses) in replica.statuses.sorted(by: { $0.key < $1.key }) {
            let proxy = proxies[index]
            let judged: [Judged]
            switch replica.state.step(of: rotation) {
            case .distribute, .withdraw:
                judged = bundles(
                    of: proxy, statuses, rotation, isConcerned: concerned.contains(proxy.caller.mesh), replica.state)
            case .expel:
                judged =
                    bundles(of: proxy, statuses, rotation, isConcerned: concerned.contains(proxy.caller.mesh), replica.state)
                    + identities(of: proxy, statuses, rotation, issuer: replica.state.activeIssuer(of: proxy.caller.mesh)?.id)
            case .issue(_, let to):
                let covered =
                    rotation.asksWhomItCovered && sabotage != .forgetsWhomItCovered
                    ? bundles(
                        of: proxy, statuses, rotation, isConcerned: concerned.contains(proxy.caller.mesh), replica.state) : []
                judged = covered + identities(of: proxy, statuses, rotation, issuer: to)
            case nil: judged = []
            }
            for one in judged {
                let at = one.closedAt.map { UInt32($0.seconds) } ?? SubscriptionKey.open
                let key = SubscriptionKey(proxy.key, resource: one.resource, at: at)
                if one.isSettled { settled.append(key) } else { lagging.append(key) }
            }
            guard judged.contains(where: { $0.closedAt == nil && !$0.isSettled }) else { continue }
            pending.append(
                RotationBlocker(
                    mesh: proxy.caller.mesh, identity: proxy.caller.identity, proxy: proxy.caller.proxy, node: proxy.node,
                    resource: "", reason: .pending, detail: ""))
        }
        let hasIssuingCertificates = rotation.meshes.allSatisfy { mesh in
            let issuer = rotation.kind == .revoke ? replica.state.activeIssuer(of: mesh)?.id : rotation.to
            return issuer.map { replica.issuing.contains($0) } ?? true
        }
        return RotationProgress(
            revision: entry.revision, hasIssuingCertificates: hasIssuingCertificates, settled: SubscriberSet(settled),
            lagging: SubscriberSet(lagging), pendingCount: pending.count, pending: pending)
    }

    private func known(_ status: SimulatedReplica.Status) -> SimulatedSecret? {
        switch sabotage {
        case .countsWhatWasSent: status.sent
        default: status.isAnswered ? status.acked : nil
        }
    }

    private func bundles(
        of proxy: SimulatedProxy, _ statuses: [SecretName: SimulatedReplica.Status], _ rotation: Rotation,
        isConcerned: Bool, _ state: AuthorityState
    ) -> [Judged] {
        let domains = Set(rotation.meshes.compactMap { state.meshes[$0]?.mesh.trustDomain })
        return SimulatedProxy.bundles.enumerated().compactMap { number, name in
            guard let status = statuses[name], let wanted = wanted.context(name, of: proxy, in: state),
                isConcerned || !domains.isDisjoint(with: wanted.trustDomains.keys)
            else { return nil }
            return Judged(
                resource: UInt32(number + 1), closedAt: status.closedAt, isSettled: known(status) == .bundle(wanted))
        }
    }

    private func identities(
        of proxy: SimulatedProxy, _ statuses: [SecretName: SimulatedReplica.Status], _ rotation: Rotation, issuer: IssuerID?
    ) -> [Judged] {
        guard rotation.meshes.contains(proxy.caller.mesh), let issuer, let status = statuses[.identity] else { return [] }
        return [Judged(resource: 9, closedAt: status.closedAt, isSettled: known(status)?.leaf?.issuer == issuer)]
    }
}
