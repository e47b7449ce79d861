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

    private struct Key: Hashable {
        var mesh: MeshName
        var identity: SPIFFEID
        var proxy: String
    }

    private struct Entry {
        var node: String
        var connectedAt: Timestamp
        var disconnectedAt: Timestamp?
        /// Open streams, each with what it subscribes to.
        var streams: [StreamID: [String: SubscriptionStatus]] = [:]
        /// Of streams that closed, by name, so that a proxy that is away still shows what it had.
        var last: [String: SubscriptionStatus] = [:]
        var certificateExpiresAt: Timestamp?
    }

    private struct Contents {
        var entries: [MeshName: [Key: Entry]] = [:]
        var keys: [StreamID: Key] = [:]
        var nextStream: UInt64 = 0
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
            let key = Key(mesh: caller.mesh, identity: caller.identity, proxy: caller.proxy)
            contents.keys[stream] = key
            var entry = contents.entries[key.mesh]?[key] ?? Entry(node: node, connectedAt: now)
            if entry.streams.isEmpty {
                entry.connectedAt = now
                entry.disconnectedAt = nil
            }
            entry.node = node.isEmpty ? entry.node : node
            entry.streams[stream] = [:]
            contents.entries[key.mesh, default: [:]][key] = entry
            return stream
        }
    }

    package func closed(_ stream: StreamID, at now: Timestamp) {
        contents.withLock { contents in
            guard let key = contents.keys.removeValue(forKey: stream) else { return }
            guard let closed = contents.entries[key.mesh]?[key]?.streams.removeValue(forKey: stream) else { return }
            // What was refused names nothing that the proxy has, and could name anything.
            let had = closed.filter { $0.value.refusal == nil }
            let last = contents.entries[key.mesh]?[key]?.last ?? [:]
            let merged = last.merging(had) { $1 }
            contents.entries[key.mesh]?[key]?.last = merged.count <= mostNames ? merged : had
            if contents.entries[key.mesh]?[key]?.streams.isEmpty == true {
                contents.entries[key.mesh]?[key]?.disconnectedAt = now
            }
        }
    }

    package func report(_ stream: StreamID, _ status: SubscriptionStatus) {
        contents.withLock { contents in
            guard let key = contents.keys[stream] else { return }
            contents.entries[key.mesh]?[key]?.streams[stream]?[status.resource] = status
            contents.entries[key.mesh]?[key]?.last.removeValue(forKey: status.resource)
            if let leaf = status.leaf { contents.entries[key.mesh]?[key]?.certificateExpiresAt = leaf.notAfter }
        }
    }

    /// The stream asks for `resource` no longer.
    package func forget(_ stream: StreamID, resource: String) {
        contents.withLock { contents in
            guard let key = contents.keys[stream] else { return }
            contents.entries[key.mesh]?[key]?.streams[stream]?.removeValue(forKey: resource)
        }
    }

    /// Every proxy of the mesh that is known, by identity and name.
    package func list(mesh: MeshName) -> [ProxyStatus] {
        let entries = contents.withLock { $0.entries[mesh] ?? [:] }
        return entries.map { key, entry in status(of: key, entry) }
            .sorted { ($0.identity, $0.proxy) < ($1.identity, $1.proxy) }
    }

    package func connected(mesh: MeshName) -> [ProxyStatus] {
        list(mesh: mesh).filter(\.isConnected)
    }

    /// How many proxies are connected, for each mesh that has any entry.
    package func connectedCounts() -> [MeshName: Int] {
        contents.withLock { $0.entries.mapValues { entries in entries.count { !$0.value.streams.isEmpty } } }
    }

    /// Forgets proxies whose certificate ended while they were away, and beyond the bound those that left first.
    package func sweep(at now: Timestamp) {
        contents.withLock { contents in
            for (mesh, entries) in contents.entries {
                var away: [(key: Key, since: Timestamp)] = []
                for (key, entry) in entries where entry.streams.isEmpty {
                    if let end = entry.certificateExpiresAt, now < end {
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
                if contents.entries[mesh]?.isEmpty == true { contents.entries.removeValue(forKey: mesh) }
            }
        }
    }

    private func status(of key: Key, _ entry: Entry) -> ProxyStatus {
        var subscriptions = entry.last
        for stream in entry.streams.values { subscriptions.merge(stream) { $1 } }
        return ProxyStatus(
            mesh: key.mesh, identity: key.identity, proxy: key.proxy, node: entry.node, replica: replica,
            isConnected: !entry.streams.isEmpty, connectedAt: entry.connectedAt, disconnectedAt: entry.disconnectedAt,
            certificateExpiresAt: entry.certificateExpiresAt,
            subscriptions: subscriptions.values.sorted { $0.resource < $1.resource })
    }
}
