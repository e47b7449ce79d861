package import Authority
package import PKI
import Synchronization

/// Which proxies are, or lately were, connected to this replica, and what they acknowledged.
///
/// Memory only: it fills again as proxies reconnect. A proxy that went is remembered until its certificate ends.
package final class ProxyRegistry: Sendable {
    package struct StreamID: Sendable, Hashable {
        /// Where the stream stands, so that a report finds it without a look-up.
        fileprivate var slot: Int
        /// Never used twice, as a slot is.
        fileprivate var number: UInt64
    }

    private let replica: String
    private let contents = Mutex(RegistryContents())
    /// Rung when somebody changes who is watched for: see `watch`.
    private let bell: ChangeSignal
    /// Proxies of one mesh that are away and remembered. Beyond it the one that left first is forgotten: a crash loop of
    /// pods with random node ids must not grow without bound, nor crowd out another mesh's.
    private let mostRemembered: Int
    /// Names remembered of closed streams: as many as one stream may have.
    private let mostNames = 100

    package convenience init(replica: String, mostRemembered: Int = 20_000) {
        self.init(replica: replica, mostRemembered: mostRemembered, bell: ChangeSignal())
    }

    init(replica: String, mostRemembered: Int = 20_000, bell: ChangeSignal) {
        self.replica = replica
        self.mostRemembered = mostRemembered
        self.bell = bell
    }

    package func opened(_ caller: Caller, node: String, at now: Timestamp) -> StreamID {
        let key = SubscriberKey(mesh: caller.mesh, identity: caller.identity, proxy: caller.proxy, node: node)
        return change { contents in
            let entry = contents.entry(of: caller, node: node, key: key, at: now)
            if !contents.entries[entry].isConnected {
                contents.entries[entry].connectedAt = now
                contents.entries[entry].disconnectedAt = nil
                contents.connected[caller.mesh, default: 0] += 1
                contents.connectionChanges += 1
            }
            contents.entries[entry].caller = caller
            let (slot, number) = contents.addStream(of: entry, caller)
            contents.touch(entry)
            return StreamID(slot: slot, number: number)
        }
    }

    package func closed(_ stream: StreamID, at now: Timestamp) {
        change { contents in
            guard let closed = contents.removeStream(stream.slot, number: stream.number) else { return }
            let entry = closed.entry
            // What was only ever refused names nothing that the proxy has, and could name anything.
            let had = closed.subscriptions.filter { $0.refusal == nil || $0.ackedVersion != nil }
                .map { Subscriber.Remembered(status: $0, closedAt: now) }
            let names = Set(had.map(\.status.resource))
            let merged = contents.entries[entry].last.filter { !names.contains($0.status.resource) } + had
            contents.entries[entry].last = merged.count <= mostNames ? merged : had
            if let newest = contents.newestStream(of: entry) {
                contents.entries[entry].caller = contents.streams[newest].caller
            } else {
                contents.entries[entry].disconnectedAt = now
                contents.connected[closed.caller.mesh, default: 1] -= 1
                contents.connectionChanges += 1
            }
            contents.sweepable.insert(entry)
            contents.touch(entry)
        }
    }

    package func report(_ stream: StreamID, _ status: SubscriptionStatus) {
        change { contents in
            guard let entry = contents.entry(ofStream: stream.slot, number: stream.number) else { return }
            contents.take(status, in: stream.slot)
            if !contents.entries[entry].last.isEmpty {
                contents.entries[entry].last.removeAll { $0.status.resource == status.resource }
            }
            if let leaf = status.leaf { contents.entries[entry].certificateExpiresAt = leaf.notAfter }
            contents.touch(entry)
        }
    }

    /// The stream asks for `resource` no longer.
    package func forget(_ stream: StreamID, resource: String) {
        change { contents in
            guard let entry = contents.entry(ofStream: stream.slot, number: stream.number) else { return }
            contents.drop(resource, in: stream.slot)
            contents.touch(entry)
        }
    }

    /// Every proxy of the mesh that is known, by identity, name and node.
    package func list(mesh: MeshName) -> [ProxyStatus] {
        let rows = contents.withLock { contents in
            (contents.members[mesh] ?? []).map { contents.status(of: $0, replica: replica) }
        }
        // The identity's text is made once for each row, not for each comparison.
        return rows.map { (uri: $0.identity.uri, row: $0) }
            .sorted { ($0.uri, $0.row.proxy, $0.row.node) < ($1.uri, $1.row.proxy, $1.row.node) }.map(\.row)
    }

    package func connected(mesh: MeshName) -> [ProxyStatus] {
        list(mesh: mesh).filter(\.isConnected)
    }

    /// How many proxies of these meshes are connected: counted as they come and go, not searched.
    package func connectedCount(meshes: [MeshName]) -> Int {
        contents.withLock { contents in meshes.reduce(0) { $0 + (contents.connected[$1] ?? 0) } }
    }

    /// How often a proxy has come or gone: while it is the same, so is every count.
    var connectionChanges: UInt64 { contents.withLock { $0.connectionChanges } }

    /// How many proxies are connected, for each mesh that has any entry.
    package func connectedCounts() -> [MeshName: Int] {
        contents.withLock { contents in
            Dictionary(uniqueKeysWithValues: contents.members.keys.map { ($0, contents.connected[$0] ?? 0) })
        }
    }

    /// Every proxy that is known, in no order; of all meshes, or of some.
    package func subscribers(of meshes: Set<MeshName>? = nil) -> [Subscriber] {
        let keys = contents.withLock { contents in
            contents.members.filter { meshes?.contains($0.key) ?? true }.values.flatMap { $0.map { contents.entries[$0].key } }
        }
        var subscribers: [Subscriber] = []
        subscribers.reserveCapacity(keys.count)
        // So few at once that whoever reports meanwhile waits for less than a millisecond.
        for start in stride(from: 0, to: keys.count, by: 256) {
            subscribers += contents.withLock { contents in
                keys[start..<min(start + 256, keys.count)].compactMap { key in contents.index[key].map { contents.subscriber($0) }
                }
            }
        }
        return subscribers
    }

    /// One of them; nil if it is not known any more.
    func subscriber(_ key: SubscriberKey) -> Subscriber? {
        contents.withLock { contents in contents.index[key].map { contents.subscriber($0) } }
    }

    /// From now on, whoever changes is noted for `takeChanges`, and the bell is rung for the first one after each.
    func watch() {
        contents.withLock { contents in
            contents.isWatched = true
            contents.forgetChanges()
        }
    }

    func endWatch() {
        contents.withLock { contents in
            contents.isWatched = false
            contents.forgetChanges()
        }
    }

    /// Who changed since the last call, or since `watch`; and who was forgotten.
    func takeChanges() -> (changed: [Subscriber], gone: [SubscriberKey]) {
        contents.withLock { contents in
            let changes = (contents.touched.map { contents.subscriber($0) }, contents.gone)
            contents.forgetChanges()
            return changes
        }
    }

    /// Forgets proxies whose certificate ended while they were away, and beyond the bound those that left first.
    ///
    /// One that had bundles here, and its identity from another replica, is remembered for `leafLifetime` of its mesh: so long
    /// may it live on with what it was given.
    package func sweep(at now: Timestamp, leafLifetime: (MeshName) -> Duration = { _ in .zero }) {
        change { contents in
            var away: [MeshName: [(entry: Int, since: Timestamp)]] = [:]
            // Only those that are away, or have come back without asking for all that they had: the others are not even looked at.
            for entry in contents.sweepable {
                if contents.entries[entry].isConnected {
                    let last = contents.entries[entry].last
                    let kept = last.filter { now < $0.closedAt + ProxyRegistry.returnTime }
                    if kept.isEmpty { contents.sweepable.remove(entry) }
                    guard kept.count < last.count else { continue }
                    contents.entries[entry].last = kept
                    contents.touch(entry)
                    continue
                }
                let gone = contents.entries[entry]
                let bundles = gone.last.isEmpty ? nil : gone.disconnectedAt.map { $0 + leafLifetime(gone.caller.mesh) }
                if let end = gone.certificateExpiresAt ?? bundles, now < end {
                    away[gone.caller.mesh, default: []].append((entry, gone.disconnectedAt ?? gone.connectedAt))
                } else {
                    contents.remove(entry)
                }
            }
            for gone in away.values where gone.count > mostRemembered {
                for (entry, _) in gone.sorted(by: { $0.since < $1.since }).prefix(gone.count - mostRemembered) {
                    contents.remove(entry)
                }
            }
        }
    }

    /// A proxy that is here and has not asked for a name again by then has given it up: four times what Envoy waits at most
    /// before it opens a broken stream anew.
    private static let returnTime = Duration.seconds(120)

    /// Rings after the lock is given back.
    private func change<Value: Sendable>(_ body: (inout RegistryContents) -> Value) -> Value {
        let (value, isFirst) = contents.withLock { contents in
            let wasQuiet = contents.isQuiet
            let value = body(&contents)
            return (value, wasQuiet && !contents.isQuiet)
        }
        if isFirst { bell.send() }
        return value
    }
}
