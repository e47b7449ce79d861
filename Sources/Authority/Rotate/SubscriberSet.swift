internal import PKI

/// Many subscriptions, which one text in a replica's row holds: 8 octets for each subscriber, since most of them have the same
/// names open. 10,000 proxies are some 107 KB.
///
/// The text is a colon and base64 of groups: when they closed (4 octets), how many names (2), the names (4 each), how many
/// subscribers (4), the subscribers (8 each), all big-endian. A replica of the release before wrote 32 hexadecimal digits for each
/// subscription, which are still read; these it never sees: see `ReplicaReport`.
package struct SubscriberSet: Hashable, Sendable, Codable {
    package private(set) var subscriptions: Set<SubscriptionKey>

    package init(_ subscriptions: some Sequence<SubscriptionKey> = []) { self.subscriptions = Set(subscriptions) }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let read = text.utf8.first == SubscriberSet.mark ? SubscriberSet.unpacked(text) : SubscriberSet.ofDigits(text)
        guard let read else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a set of subscriptions")
        }
        subscriptions = read
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(packed)
    }

    /// A colon, which no hexadecimal digit is.
    private static let mark = UInt8(ascii: ":")
    /// More than a million proxies have: what claims to hold more is none of ours.
    private static let most = 10_000_000

    private struct Shape: Hashable {
        var at: UInt32
        var resources: [UInt32]
    }

    private var packed: String {
        var groups: [Shape: [UInt64]] = [:]
        var names: [SubscriptionKey] = []
        func close() {
            guard let first = names.first else { return }
            groups[Shape(at: first.at, resources: names.map(\.resource)), default: []].append(first.subscriber.value)
            names.removeAll(keepingCapacity: true)
        }
        // Those of one subscriber that closed at the same time stand together, their names in order.
        for key in subscriptions.sorted(by: { ($0.subscriber, $0.at, $0.resource) < ($1.subscriber, $1.at, $1.resource) }) {
            if let last = names.last, (last.subscriber, last.at) != (key.subscriber, key.at) { close() }
            names.append(key)
        }
        close()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(subscriptions.count * 8 + groups.count * 16)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        // Equal sets have equal texts.
        for (shape, subscribers) in groups.sorted(by: {
            $0.key.at != $1.key.at ? $0.key.at < $1.key.at : $0.key.resources.lexicographicallyPrecedes($1.key.resources)
        }) {
            append(shape.at)
            append(UInt16(shape.resources.count))
            for resource in shape.resources { append(resource) }
            append(UInt32(subscribers.count))
            for subscriber in subscribers { append(subscriber) }
        }
        let count = Base64.encodedCount(of: bytes.count)
        return ":"
            + String(unsafeUninitializedCapacity: count) { target in
                bytes.withUnsafeBytes { Base64.encode($0, into: UnsafeMutableRawBufferPointer(target)) }
            }
    }

    private static func unpacked(_ text: String) -> Set<SubscriptionKey>? {
        guard let bytes = Base64.decode(Array(text.utf8.dropFirst())) else { return nil }
        var keys: Set<SubscriptionKey> = []
        keys.reserveCapacity(bytes.count / 8)
        var rest = bytes[...]
        func read<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
            let size = MemoryLayout<Value>.size
            guard rest.count >= size else { return nil }
            defer { rest = rest.dropFirst(size) }
            return rest.prefix(size).reduce(0) { $0 << 8 | Value($1) }
        }
        while !rest.isEmpty {
            guard let at = read(UInt32.self), let names = read(UInt16.self) else { return nil }
            var resources: [UInt32] = []
            for _ in 0..<names {
                guard let resource = read(UInt32.self) else { return nil }
                resources.append(resource)
            }
            guard let count = read(UInt32.self), rest.count >= Int(count) * 8, keys.count + Int(count) * resources.count <= most
            else { return nil }
            for _ in 0..<count {
                guard let value = read(UInt64.self) else { return nil }
                for resource in resources { keys.insert(SubscriptionKey(SubscriberKey(value), resource: resource, at: at)) }
            }
        }
        return keys
    }

    /// As the release before wrote them: 16 octets for each subscription, in hexadecimal digits.
    private static func ofDigits(_ text: String) -> Set<SubscriptionKey>? {
        guard let bytes = Hex.decode(text), bytes.count % 16 == 0 else { return nil }
        var keys: Set<SubscriptionKey> = []
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let subscriber: UInt64 = bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
            let resource: UInt32 = bytes[(start + 8)..<(start + 12)].reduce(0) { $0 << 8 | UInt32($1) }
            let at: UInt32 = bytes[(start + 12)..<(start + 16)].reduce(0) { $0 << 8 | UInt32($1) }
            keys.insert(SubscriptionKey(SubscriberKey(subscriber), resource: resource, at: at))
        }
        return keys
    }
}
