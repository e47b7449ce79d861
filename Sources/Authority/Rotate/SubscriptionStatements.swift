/// What all replicas say of every subscription: of several statements about one, the newest counts, and of equally new ones the
/// one that lags. A proxy goes from replica to replica, and each remembers what it last saw.
struct SubscriptionStatements {
    private struct Name: Hashable {
        var subscriber: SubscriberKey
        var resource: UInt32
    }

    private var newest: [Name: (at: UInt32, isSettled: Bool)] = [:]

    /// Of the living and the departed, as far as they tell of this rotation as it is.
    init(about entry: AuthorityState.RotationEntry, living: [ReplicaReport], departed: [ReplicaReport]) {
        let told = living.filter { $0.revision >= entry.revision }.compactMap { $0.rotations[entry.rotation.id] }
            .filter { $0.revision == entry.revision }
        newest.reserveCapacity(told.reduce(0) { $0 + $1.settled.subscriptions.count + $1.lagging.subscriptions.count })
        for progress in told { add(progress) }
        for progress in departed.compactMap({ $0.rotations[entry.rotation.id] })
        where progress.revision == entry.revision || progress.phaseSince == entry.rotation.phaseSince {
            addDeparted(progress)
        }
    }

    /// What a replica says that lives.
    private mutating func add(_ progress: RotationProgress) {
        for key in progress.settled.subscriptions { add(key, at: key.at, isSettled: true) }
        for key in progress.lagging.subscriptions { add(key, at: key.at, isSettled: false) }
    }

    /// What a replica said that lives no longer: what lagged there holds until a stream that is open elsewhere knows better.
    /// What was settled there may have been overtaken, and proves nothing.
    private mutating func addDeparted(_ progress: RotationProgress) {
        for key in progress.lagging.subscriptions {
            add(key, at: min(key.at, SubscriptionKey.open - 1), isSettled: false)
        }
    }

    private mutating func add(_ key: SubscriptionKey, at: UInt32, isSettled: Bool) {
        let name = Name(subscriber: key.subscriber, resource: key.resource)
        guard let known = newest[name], known.at > at || (known.at == at && !known.isSettled) else {
            newest[name] = (at, isSettled)
            return
        }
    }

    /// `settled`: those with at least one subscription, all of which are settled. `lagging`: those with one that is not; `waiting`:
    /// the ones among them that are connected.
    var subscribers: (settled: Set<SubscriberKey>, lagging: Set<SubscriberKey>, waiting: Set<SubscriberKey>) {
        var settled: Set<SubscriberKey> = []
        var lagging: Set<SubscriberKey> = []
        var waiting: Set<SubscriberKey> = []
        for (name, statement) in newest {
            if statement.isSettled { settled.insert(name.subscriber) } else { lagging.insert(name.subscriber) }
            if !statement.isSettled, statement.at == SubscriptionKey.open { waiting.insert(name.subscriber) }
        }
        return (settled.subtracting(lagging), lagging, waiting)
    }
}
