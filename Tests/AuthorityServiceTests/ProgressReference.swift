import Authority
import PKI
import PKICrypto

@testable import AuthorityService

/// How far the proxies of a replica are with a rotation, judged from nothing: what a tally that is kept must come to.
struct ProgressReference {
    let snapshot: Snapshot
    let subscribers: [Subscriber]

    func progress(of entry: AuthorityState.RotationEntry) -> RotationProgress {
        let state = snapshot.authority
        let rotation = entry.rotation
        let meshes = Set(rotation.meshes)
        let concerned = state.meshesConcerned(by: rotation)
        let domains = Set(rotation.meshes.compactMap { state.meshes[$0]?.mesh.trustDomain })
        let step = state.step(of: rotation)
        func bundle(_ status: SubscriptionStatus, _ caller: Caller) -> Bool? {
            guard let name = status.meaning, name != .identity, let context = try? state.validationContext(name, for: caller),
                concerned.contains(caller.mesh) || !domains.isDisjoint(with: context.trustDomains.keys)
            else { return nil }
            return status.ackedVersion == context.version && isAtRest(status)
        }
        func leaf(_ status: SubscriptionStatus, _ caller: Caller, _ issuer: IssuerID?) -> Bool? {
            guard status.meaning == .identity, meshes.contains(caller.mesh), let issuer else { return nil }
            guard isAtRest(status), let version = status.ackedVersion else { return false }
            return LeafVersion(version, identity: caller.identity, key: snapshot.leafVersionKey)?.issuer == issuer
        }
        func judge(_ status: SubscriptionStatus, _ caller: Caller) -> Bool? {
            switch step {
            case nil: nil
            case .distribute, .withdraw: bundle(status, caller)
            case .issue(_, let to):
                status.meaning == .identity
                    ? leaf(status, caller, to) : rotation.asksWhomItCovered ? bundle(status, caller) : nil
            case .expel:
                status.meaning == .identity
                    ? leaf(status, caller, state.activeIssuer(of: caller.mesh)?.id) : bundle(status, caller)
            }
        }
        var settled: [SubscriptionKey] = []
        var lagging: [SubscriptionKey] = []
        var waiting = 0
        for subscriber in subscribers {
            var isWaiting = false
            for (resource, same) in Dictionary(grouping: subscriber.open, by: \.resource) {
                let judged = same.compactMap { judge($0, subscriber.caller) }
                guard !judged.isEmpty else { continue }
                let key = SubscriptionKey(subscriber.key, resource: SubscriptionKey.resource(resource))
                if judged.allSatisfy(\.self) { settled.append(key) } else { lagging.append(key) }
                isWaiting = isWaiting || judged.contains(false)
            }
            for remembered in subscriber.remembered {
                guard let isSettled = judge(remembered.status, subscriber.caller) else { continue }
                let key = SubscriptionKey(
                    subscriber.key, resource: SubscriptionKey.resource(remembered.status.resource),
                    at: UInt32(clamping: remembered.closedAt.seconds))
                if isSettled { settled.append(key) } else { lagging.append(key) }
            }
            if isWaiting { waiting += 1 }
        }
        let isReady = rotation.meshes.allSatisfy { mesh in
            let issuer = rotation.kind == .revoke ? state.activeIssuer(of: mesh)?.id : rotation.to
            return issuer.map { snapshot.issuing[mesh]?[$0] != nil } ?? true
        }
        return RotationProgress(
            revision: entry.revision, phaseSince: rotation.phaseSince, hasIssuingCertificates: isReady,
            settled: SubscriberSet(settled), lagging: SubscriberSet(lagging), pendingCount: waiting, pending: [])
    }

    private func isAtRest(_ status: SubscriptionStatus) -> Bool {
        status.sentVersion == nil || status.sentVersion == status.ackedVersion
            || (status.nack != nil && status.nack?.version == status.sentVersion)
    }
}
