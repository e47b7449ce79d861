internal import Authority
internal import PKI

/// What a `ProxyRegistry` guards: entries and streams stand in slots that are used again, so that what a stream says of itself is
/// written where it stands, without a look-up and without a copy.
struct RegistryContents {
    struct Stream {
        /// The slot of its proxy.
        var entry: Int
        /// 0: the slot is free.
        var number: UInt64
        /// Whom the stream was opened for: two tokens of one name may have different tags.
        var caller: Caller
        /// One for each resource name; a handful, so that they are searched.
        var subscriptions: [SubscriptionStatus] = []

        mutating func take(_ status: SubscriptionStatus) {
            if let index = subscriptions.firstIndex(where: { $0.resource == status.resource }) {
                subscriptions[index] = status
            } else {
                subscriptions.append(status)
            }
        }
    }

    struct Entry {
        /// Of the newest open stream, or of the last one.
        var caller: Caller
        var node: String
        /// Of all the above but the tags; its place in `index`.
        var key: SubscriberKey
        var connectedAt: Timestamp
        var disconnectedAt: Timestamp?
        /// The slots of those that are open.
        var streams: [Int] = []
        /// Of streams that closed, one for each name, so that a proxy that is away still shows what it had.
        var last: [Subscriber.Remembered] = []
        var certificateExpiresAt: Timestamp?
        /// Whether it stands in `touched`.
        var isTouched = false

        var isConnected: Bool { !streams.isEmpty }
    }

    private(set) var streams: [Stream] = []
    private var freeStreams: [Int] = []
    var entries: [Entry] = []
    private var freeEntries: [Int] = []
    private(set) var index: [SubscriberKey: Int] = [:]
    /// The entries of each mesh that has any.
    private(set) var members: [MeshName: Set<Int>] = [:]
    /// Of each mesh, how many entries have an open stream.
    var connected: [MeshName: Int] = [:]
    /// How often an entry got its first stream, or lost its last.
    var connectionChanges: UInt64 = 0
    /// The entries that a sweep has to look at: away, or back without all that they had.
    var sweepable: Set<Int> = []
    private var lastStream: UInt64 = 0

    /// Whether changes are noted.
    var isWatched = false
    /// The entries that changed, each once.
    private(set) var touched: [Int] = []
    /// Those that were removed.
    private(set) var gone: [SubscriberKey] = []

    var isQuiet: Bool { touched.isEmpty && gone.isEmpty }

    // MARK: - Entries

    /// The entry of a subscriber, which is made if there is none.
    mutating func entry(of caller: Caller, node: String, key: SubscriberKey, at now: Timestamp) -> Int {
        var key = key
        while let found = index[key] {
            let entry = entries[found]
            if entry.caller.mesh == caller.mesh, entry.caller.identity == caller.identity, entry.caller.proxy == caller.proxy,
                entry.node == node
            {
                return found
            }
            // Two names with one digest of 64 bits: somebody searched for them, and gets two entries all the same.
            key = SubscriberKey(key.value &+ 1)
        }
        let entry = Entry(caller: caller, node: node, key: key, connectedAt: now)
        let slot: Int
        if let free = freeEntries.popLast() {
            slot = free
            entries[slot] = entry
        } else {
            slot = entries.count
            entries.append(entry)
        }
        index[key] = slot
        members[caller.mesh, default: []].insert(slot)
        return slot
    }

    /// Forgets an entry without streams.
    mutating func remove(_ slot: Int) {
        let entry = entries[slot]
        precondition(!entry.isConnected)
        if isWatched { gone.append(entry.key) }
        if entry.isTouched { touched.removeAll { $0 == slot } }
        index.removeValue(forKey: entry.key)
        sweepable.remove(slot)
        members[entry.caller.mesh]?.remove(slot)
        if members[entry.caller.mesh]?.isEmpty == true {
            members.removeValue(forKey: entry.caller.mesh)
            connected.removeValue(forKey: entry.caller.mesh)
        }
        // What it held is let go of at once, not when the slot is used again.
        entries[slot].last = []
        entries[slot].isTouched = false
        freeEntries.append(slot)
    }

    mutating func touch(_ slot: Int) {
        guard isWatched, !entries[slot].isTouched else { return }
        entries[slot].isTouched = true
        touched.append(slot)
    }

    mutating func forgetChanges() {
        for slot in touched { entries[slot].isTouched = false }
        touched = []
        gone = []
    }

    // MARK: - Streams

    mutating func addStream(of entry: Int, _ caller: Caller) -> (slot: Int, number: UInt64) {
        lastStream += 1
        let stream = Stream(entry: entry, number: lastStream, caller: caller)
        let slot: Int
        if let free = freeStreams.popLast() {
            slot = free
            streams[slot] = stream
        } else {
            slot = streams.count
            streams.append(stream)
        }
        entries[entry].streams.append(slot)
        return (slot, lastStream)
    }

    /// The entry of a stream that is open; nil once it was closed.
    func entry(ofStream slot: Int, number: UInt64) -> Int? {
        streams[slot].number == number ? streams[slot].entry : nil
    }

    /// Writes what a stream says of one name.
    mutating func take(_ status: SubscriptionStatus, in slot: Int) { streams[slot].take(status) }

    /// Drops one name of a stream.
    mutating func drop(_ resource: String, in slot: Int) {
        streams[slot].subscriptions.removeAll { $0.resource == resource }
    }

    /// Nil if it was closed before.
    mutating func removeStream(_ slot: Int, number: UInt64) -> Stream? {
        guard streams[slot].number == number else { return nil }
        let closed = streams[slot]
        streams[slot].number = 0
        streams[slot].subscriptions = []
        freeStreams.append(slot)
        entries[closed.entry].streams.removeAll { $0 == slot }
        return closed
    }

    func newestStream(of entry: Int) -> Int? {
        entries[entry].streams.max { streams[$0].number < streams[$1].number }
    }

    // MARK: - Pictures

    func subscriber(_ slot: Int) -> Subscriber {
        let entry = entries[slot]
        let open = entry.streams.flatMap { streams[$0].subscriptions }.sorted { $0.resource < $1.resource }
        let remembered =
            entry.last.isEmpty
            ? []
            : entry.last.filter { last in !open.contains { $0.resource == last.status.resource } }
                .sorted { $0.status.resource < $1.status.resource }
        return Subscriber(
            key: entry.key, caller: entry.caller, node: entry.node, isConnected: entry.isConnected, open: open,
            remembered: remembered)
    }

    func status(of slot: Int, replica: String) -> ProxyStatus {
        let entry = entries[slot]
        // One status for each name: where several streams ask for it, that of the newest.
        var byName: [String: SubscriptionStatus] = [:]
        for last in entry.last { byName[last.status.resource] = last.status }
        for stream in entry.streams.sorted(by: { streams[$0].number < streams[$1].number }) {
            for status in streams[stream].subscriptions { byName[status.resource] = status }
        }
        return ProxyStatus(
            mesh: entry.caller.mesh, identity: entry.caller.identity, proxy: entry.caller.proxy, node: entry.node,
            replica: replica, isConnected: entry.isConnected, connectedAt: entry.connectedAt,
            disconnectedAt: entry.disconnectedAt, certificateExpiresAt: entry.certificateExpiresAt,
            subscriptions: byName.values.sorted { $0.resource < $1.resource })
    }
}
