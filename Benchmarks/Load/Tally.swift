import Synchronization

/// What all proxies hold and have seen together.
final class Tally: Sendable {
    enum Kind: String, Sendable {
        case bundle, identity
    }

    private struct Version: Hashable {
        var kind: Kind
        var octets: [UInt8]
    }

    private struct Holders {
        var count = 0
        let since = ContinuousClock.now
        var isAnnounced = false
    }

    private struct Contents {
        var holders: [Version: Holders] = [:]
        var identities = 0
        var bundles = 0
        var lost = 0
        var firstLoss: String?
    }

    private let proxies: Int
    private let announce: @Sendable (LoadEvent) -> Void
    private let contents = Mutex(Contents())

    /// `announce` is told whenever all proxies hold the same, once for each that they come to hold.
    init(proxies: Int, announce: @escaping @Sendable (LoadEvent) -> Void) {
        self.proxies = proxies
        self.announce = announce
    }

    /// A proxy acknowledged `new` in place of `old`, which is empty where it held nothing.
    func acknowledged(_ kind: Kind, _ new: [UInt8], insteadOf old: [UInt8]) {
        let (version, before) = (Tally.group(kind, new), Tally.group(kind, old))
        let event = contents.withLock { contents -> LoadEvent? in
            switch kind {
            case .bundle: contents.bundles += 1
            case .identity: contents.identities += 1
            }
            guard version != before else { return nil }
            contents.holders[Version(kind: kind, octets: before)]?.count -= 1
            var holders = contents.holders[Version(kind: kind, octets: version)] ?? Holders()
            holders.count += 1
            let isNews = holders.count == proxies && !holders.isAnnounced
            if isNews { holders.isAnnounced = true }
            contents.holders[Version(kind: kind, octets: version)] = holders
            guard isNews else { return nil }
            return LoadEvent(
                event: .acknowledged, count: proxies, seconds: (ContinuousClock.now - holders.since) / .seconds(1),
                kind: kind.rawValue, version: String(decoding: version, as: UTF8.self))
        }
        if let event { announce(event) }
    }

    func lost(_ reason: String) {
        contents.withLock { contents in
            contents.lost += 1
            contents.firstLoss = contents.firstLoss ?? reason
        }
    }

    func report(served: Int, after seconds: Double) -> LoadEvent {
        contents.withLock { contents in
            LoadEvent(
                event: .report, count: served, seconds: seconds, identities: contents.identities, bundles: contents.bundles,
                lost: contents.lost, firstLoss: contents.firstLoss)
        }
    }

    /// Leaves are told apart by their issuer, which a leaf's version begins with: each proxy has another leaf.
    private static func group(_ kind: Kind, _ octets: [UInt8]) -> [UInt8] {
        kind == .bundle ? octets : Array(octets.prefix { $0 != UInt8(ascii: ".") })
    }
}
