internal import Authority
internal import PKI

/// One rotation as a replica's own proxies are with it: what each said of what its phase asks, and who is waited for.
struct RotationCourse {
    /// What a replica says of one subscription.
    struct Statement: Hashable {
        var resource: UInt32
        /// As in `SubscriptionKey`.
        var at: UInt32
        var isSettled: Bool
    }

    /// What one subscriber's news changed.
    enum Change {
        /// A subscription lags of which that was not known: whoever takes this replica's place must know.
        case lags
        case nothing
        /// It settled, left, or was forgotten.
        case other
    }

    let entry: AuthorityState.RotationEntry
    let step: RotationStep?
    /// The meshes whose bundles it asks for, and the trust domains whose bindings it changes.
    private(set) var concerned: Set<MeshName> = []
    private(set) var domains: [TrustDomain] = []
    /// Whether this replica holds an issuing certificate under the new issuer for each of the rotation's meshes.
    var isReady = false
    /// The subscribers that are connected and have not what the phase asks.
    private(set) var waiting: Set<SubscriberKey> = []
    private var statements: [SubscriberKey: [Statement]] = [:]
    /// Whether the last look left somebody waiting.
    private var hadWaiting = false
    /// What the sets of a report were made of, until something changes.
    private var sets: (settled: SubscriberSet, lagging: SubscriberSet)?

    init(entry: AuthorityState.RotationEntry, step: RotationStep?) {
        self.entry = entry
        self.step = step
    }

    /// Whether the phase asks for bundles at all.
    var asksForBundles: Bool {
        switch step {
        case .distribute, .expel, .withdraw: true
        case .issue: entry.rotation.asksWhomItCovered
        case nil: false
        }
    }

    mutating func concern(_ meshes: Set<MeshName>, _ all: [MeshName: AuthorityState.MeshEntry]) {
        concerned = meshes
        domains = entry.rotation.meshes.compactMap { all[$0]?.mesh.trustDomain }
    }

    /// Takes all that a subscriber's subscriptions say now; nil: nothing any more.
    mutating func take(_ next: [Statement]?, of key: SubscriberKey, isWaiting: Bool) -> Change {
        if isWaiting { waiting.insert(key) } else { waiting.remove(key) }
        let before = statements[key]
        guard before != next else { return .nothing }
        statements[key] = next
        sets = nil
        // Of a stream that was open and has closed, what was told of it while it was open holds whoever takes over for longer.
        let lagged = (before ?? []).filter { !$0.isSettled }
        let lags = (next ?? []).contains { statement in
            !statement.isSettled && !lagged.contains { $0.resource == statement.resource && $0.at >= statement.at }
        }
        return lags ? .lags : .other
    }

    /// Whether nobody is waited for who was at the last look.
    mutating func becameFree() -> Bool {
        defer { hadWaiting = !waiting.isEmpty }
        return hadWaiting && waiting.isEmpty
    }

    /// What a report says of it; `pending` names the first who are waited for.
    mutating func progress(pending: [RotationBlocker]) -> RotationProgress {
        let made = sets ?? split()
        sets = made
        return RotationProgress(
            revision: entry.revision, phaseSince: entry.rotation.phaseSince, hasIssuingCertificates: isReady,
            settled: made.settled, lagging: made.lagging, pendingCount: waiting.count, pending: pending)
    }

    private func split() -> (settled: SubscriberSet, lagging: SubscriberSet) {
        var settled: [SubscriptionKey] = []
        var lagging: [SubscriptionKey] = []
        for (key, own) in statements {
            for statement in own {
                let subscription = SubscriptionKey(key, resource: statement.resource, at: statement.at)
                if statement.isSettled { settled.append(subscription) } else { lagging.append(subscription) }
            }
        }
        return (SubscriberSet(settled), SubscriberSet(lagging))
    }
}
