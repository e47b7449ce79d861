package import Authority
package import PKI
import Synchronization

/// Which proxies are, or lately were, connected to this replica, and what they acknowledged.
///
/// Memory only: it fills again as proxies reconnect. A proxy that went is remembered until its certificate ends.
package final class ProxyRegistry: Sendable {
    package struct StreamID: Sendable, Hashable {
        fileprivate var number: UInt64
    }

    private let replica: String
    private let contents = Mutex(Contents())
    /// Proxies of one mesh that are away and remembered. Beyond it the one that left first is forgotten: a crash loop of
    /// pods with random node ids must not grow without bound, nor crowd out another mesh's.
    private let mostRemembered: Int
    /// Names remembered of closed streams: as many as one stream may have.
    private let mostNames = 100

    package init(replica: String, mostRemembered: Int = 20_000) {
        self.replica = replica
        self.mostRemembered = mostRemembered
    }

    package func opened(_ caller: Caller, node: String, at now: Timestamp) -> StreamID {
        contents.withLock { contents in
            contents.nextStream += 1
            let stream = StreamID(number: contents.nextStream)
            let key = Key(mesh: caller.mesh, identity: caller.identity, proxy: caller.proxy, node: node)
            contents.keys[stream] = key
            var entry = contents.entries[key.mesh]?[key] ?? Entry(caller: caller, connectedAt: now)
            if entry.streams.isEmpty {
                entry.connectedAt = now
                entry.disconnectedAt = nil
                contents.connected[key.mesh, default: 0] += 1
            }
            entry.caller = caller
            entry.streams[stream] = Stream(caller: caller)
            contents.entries[key.mesh, default: [:]][key] = entry
            return stream
        }
    }

    package func closed(_ stream: StreamID, at now: Timestamp) {
        contents.withLock { contents in
            guard let key = contents.keys.removeValue(forKey: stream),
                let closed = contents.entries[key.mesh]?[key]?.streams.removeValue(forKey: stream)
            else { return }
            let most = mostNames
            contents.change(key) { entry in
                // What was only ever refused names nothing that the proxy has, and could name anything.
                let had = closed.subscriptions.filter { $0.value.refusal == nil || $0.value.ackedVersion != nil }
                let closed = had.mapValues { Subscriber.Remembered(status: $0, closedAt: now) }
                let merged = entry.last.merging(closed) { $1 }
                entry.last = merged.count <= most ? merged : closed
                if let newest = entry.streams.max(by: { $0.key.number < $1.key.number }) {
                    entry.caller = newest.value.caller
                } else {
                    entry.disconnectedAt = now
                }
            }
            if contents.entries[key.mesh]?[key]?.isConnected == false { contents.connected[key.mesh, default: 1] -= 1 }
        }
    }

    package func report(_ stream: StreamID, _ status: SubscriptionStatus) {
        contents.withLock { contents in
            guard let key = contents.keys[stream] else { return }
            contents.change(key) { entry in
                entry.streams[stream]?.subscriptions[status.resource] = status
                entry.last.removeValue(forKey: status.resource)
                if let leaf = status.leaf { entry.certificateExpiresAt = leaf.notAfter }
            }
        }
    }

    /// The stream asks for `resource` no longer.
    package func forget(_ stream: StreamID, resource: String) {
        contents.withLock { contents in
            guard let key = contents.keys[stream] else { return }
            contents.change(key) { $0.streams[stream]?.subscriptions.removeValue(forKey: resource) }
        }
    }

    /// Every proxy of the mesh that is known, by identity, name and node.
    package func list(mesh: MeshName) -> [ProxyStatus] {
        let entries = contents.withLock { $0.entries[mesh] ?? [:] }
        return entries.map { key, entry in status(of: key, entry) }
            .sorted { ($0.identity, $0.proxy, $0.node) < ($1.identity, $1.proxy, $1.node) }
    }

    package func connected(mesh: MeshName) -> [ProxyStatus] {
        list(mesh: mesh).filter(\.isConnected)
    }

    /// How many proxies of these meshes are connected: asked by every stream after every change, so it is counted, not searched.
    package func connectedCount(meshes: [MeshName]) -> Int {
        contents.withLock { contents in meshes.reduce(0) { $0 + (contents.connected[$1] ?? 0) } }
    }

    /// How many proxies are connected, for each mesh that has any entry.
    package func connectedCounts() -> [MeshName: Int] {
        contents.withLock { contents in
            Dictionary(uniqueKeysWithValues: contents.entries.keys.map { ($0, contents.connected[$0] ?? 0) })
        }
    }

    /// Every proxy of every mesh that is known, in no order. The lock is held for a moment only, however many they are.
    package func subscribers() -> [Subscriber] {
        let entries = contents.withLock { $0.entries }
        return entries.values.flatMap { $0.map { key, entry in entry.subscriber(node: key.node) } }
    }

    /// Forgets proxies whose certificate ended while they were away, and beyond the bound those that left first.
    ///
    /// One that had bundles here, and its identity from another replica, is remembered for `leafLifetime` of its mesh: so long
    /// may it live on with what it was given.
    package func sweep(at now: Timestamp, leafLifetime: (MeshName) -> Duration = { _ in .zero }) {
        contents.withLock { contents in
            for (mesh, entries) in contents.entries {
                let lifetime = leafLifetime(mesh)
                for (key, entry) in entries where entry.isConnected && !entry.last.isEmpty {
                    let kept = entry.last.filter { now < $0.value.closedAt + ProxyRegistry.returnTime }
                    guard kept.count < entry.last.count else { continue }
                    contents.change(key) { $0.last = kept }
                }
                var away: [(key: Key, since: Timestamp)] = []
                for (key, entry) in entries where !entry.isConnected {
                    let bundles = entry.last.isEmpty ? nil : entry.disconnectedAt.map { $0 + lifetime }
                    if let end = entry.certificateExpiresAt ?? bundles, now < end {
                        away.append((key, entry.disconnectedAt ?? entry.connectedAt))
                    } else {
                        contents.entries[mesh]?.removeValue(forKey: key)
                    }
                }
                if away.count > mostRemembered {
                    for (key, _) in away.sorted(by: { $0.since < $1.since }).prefix(away.count - mostRemembered) {
                        contents.entries[mesh]?.removeValue(forKey: key)
                    }
                }
                if contents.entries[mesh]?.isEmpty == true {
                    contents.entries.removeValue(forKey: mesh)
                    contents.connected.removeValue(forKey: mesh)
                }
            }
        }
    }

    /// A proxy that is here and has not asked for a name again by then has given it up: four times what Envoy waits at most
    /// before it opens a broken stream anew.
    private static let returnTime = Duration.seconds(120)

    private func status(of key: Key, _ entry: Entry) -> ProxyStatus {
        ProxyStatus(
            mesh: key.mesh, identity: key.identity, proxy: key.proxy, node: key.node, replica: replica,
            isConnected: entry.isConnected, connectedAt: entry.connectedAt, disconnectedAt: entry.disconnectedAt,
            certificateExpiresAt: entry.certificateExpiresAt, subscriptions: entry.latest)
    }

    private struct Key: Hashable {
        var mesh: MeshName
        var identity: SPIFFEID
        var proxy: String
        var node: String
    }

    private struct Stream {
        /// Whom the stream was opened for: two tokens of one name may have different tags.
        var caller: Caller
        /// By resource name.
        var subscriptions: [String: SubscriptionStatus] = [:]
    }

    private struct Entry {
        /// Of the newest open stream, or of the last one.
        var caller: Caller
        var connectedAt: Timestamp
        var disconnectedAt: Timestamp?
        /// Those that are open.
        var streams: [StreamID: Stream] = [:]
        /// Of streams that closed, by resource name, so that a proxy that is away still shows what it had.
        var last: [String: Subscriber.Remembered] = [:]
        var certificateExpiresAt: Timestamp?

        init(caller: Caller, connectedAt: Timestamp) {
            self.caller = caller
            self.connectedAt = connectedAt
        }

        var isConnected: Bool { !streams.isEmpty }

        mutating func take(_ change: (inout Entry) -> Void) { change(&self) }

        /// One status for each name: where several streams ask for it, that of the newest.
        var latest: [SubscriptionStatus] {
            var byName = last.mapValues(\.status)
            for stream in streams.sorted(by: { $0.key.number < $1.key.number }) {
                byName.merge(stream.value.subscriptions) { $1 }
            }
            return byName.values.sorted { $0.resource < $1.resource }
        }

        func subscriber(node: String) -> Subscriber {
            let all = streams.values.flatMap(\.subscriptions.values)
            let names = Set(all.map(\.resource))
            return Subscriber(
                caller: caller, node: node, isConnected: isConnected, open: all.sorted { $0.resource < $1.resource },
                remembered: last.values.filter { !names.contains($0.status.resource) }
                    .sorted { $0.status.resource < $1.status.resource })
        }
    }

    private struct Contents {
        var entries: [MeshName: [Key: Entry]] = [:]
        var keys: [StreamID: Key] = [:]
        /// Of each mesh, how many entries have an open stream.
        var connected: [MeshName: Int] = [:]
        var nextStream: UInt64 = 0

        /// Changes the entry where it stands: nothing of it is copied.
        mutating func change(_ key: Key, _ change: (inout Entry) -> Void) {
            entries[key.mesh]?[key]?.take(change)
        }
    }
}
