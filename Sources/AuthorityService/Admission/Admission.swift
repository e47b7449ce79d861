package import Authority
internal import Logging
internal import Metrics
internal import PKI
import Synchronization

/// Says of what is asked for whether it may be done now, whichever door it came through: one for the whole replica.
///
/// The narrower rate is asked first: what one proxy has too much of is taken from no other's share. Memory is bounded, each
/// question O(1), and only the first refusal of an interval is logged.
package final class Admission: Sendable {
    private struct Rates {
        var streamsPerProxy: RateTable<LimitKey>
        var streamsPerIdentity: RateTable<LimitKey>
        var streams = RateBucket()
        var leavesPerProxy: RateTable<LimitKey>
        var leavesPerIdentity: RateTable<LimitKey>
        var leaves = RateBucket()
        var writesPerToken: RateTable<LimitKey>
        var refusalsPerAddress: RateTable<LimitKey>
        var newcomers = RateBucket()
        /// Credentials that were good when they were last looked at.
        var accepted = RecentKeys<LimitKey>(capacity: Admission.capacity)
    }

    private struct LogMark {
        var loggedAt: Timestamp?
        var unlogged = 0
    }

    private let limits: AdmissionRates
    private let rates: Mutex<Rates>
    private let marks = Mutex<[AdmissionLimit: LogMark]>([:])
    /// Made with it, so that each stands at zero from the start.
    private let counters: [AdmissionLimit: Counter]
    private let clock: ServiceClock
    private let logger: Logger

    /// Of proxies, identities and addresses. Six times as many proxies as a replica holds; an entry has some 40 octets.
    private static let capacity = 1 << 16
    /// At most one line for each limit in ten seconds: soon enough for whoever watches, and no flood of its own.
    private static let logInterval = Duration.seconds(10)

    init(_ limits: AdmissionRates, clock: ServiceClock, logger: Logger) {
        self.limits = limits
        self.clock = clock
        self.logger = logger
        counters = Dictionary(
            uniqueKeysWithValues: AdmissionLimit.allCases.map {
                ($0, Counter(label: "signet_limited_total", dimensions: [("limit", $0.rawValue)]))
            })
        rates = Mutex(
            Rates(
                streamsPerProxy: RateTable(limits.streamsPerProxy, capacity: Admission.capacity),
                streamsPerIdentity: RateTable(limits.streamsPerIdentity, capacity: Admission.capacity),
                leavesPerProxy: RateTable(limits.leavesPerProxy, capacity: Admission.capacity),
                leavesPerIdentity: RateTable(limits.leavesPerIdentity, capacity: Admission.capacity),
                writesPerToken: RateTable(limits.writesPerToken, capacity: Admission.capacity),
                refusalsPerAddress: RateTable(limits.refusalsPerAddress, capacity: Admission.capacity)))
    }

    /// A stream or a fetch of a proxy that has shown who it is; `node` is the Envoy node.
    package func admitStream(of caller: Caller, node: String) throws(LimitRefusal) {
        let now = moment
        let (proxy, identity) = (LimitKey(caller, node: node), LimitKey(caller.identity))
        try take(by: Admission.name(caller, node)) { rates in
            if let wait = rates.streamsPerProxy.take(proxy, at: now) { return (.streamsPerProxy, wait) }
            if let wait = rates.streamsPerIdentity.take(identity, at: now) { return (.streamsPerIdentity, wait) }
            return rates.streams.take(limits.streams, at: now).map { (.streams, $0) }
        }
    }

    /// A leaf that a proxy asks for: its first on a stream, one that is fetched, one for a signing request. Renewals are not
    /// asked for here.
    package func admitLeaf(for caller: Caller, node: String) throws(LimitRefusal) {
        let now = moment
        let (proxy, identity) = (LimitKey(caller, node: node), LimitKey(caller.identity))
        try take(by: Admission.name(caller, node)) { rates in
            if let wait = rates.leavesPerProxy.take(proxy, at: now) { return (.leavesPerProxy, wait) }
            if let wait = rates.leavesPerIdentity.take(identity, at: now) { return (.leavesPerIdentity, wait) }
            return rates.leaves.take(limits.leaves, at: now).map { (.leaves, $0) }
        }
    }

    /// A change that an administrator asks for.
    package func admitWrite(by administrator: Administrator) throws(LimitRefusal) {
        let now = moment
        let key = LimitKey(administrator.tokenID, administrator.name)
        try take(by: administrator.auditName) { rates in
            rates.writesPerToken.take(key, at: now).map { (.writesPerToken, $0) }
        }
    }

    /// A token that is yet to be looked at: refused where so many from there were refused, unless it was good before, so that
    /// whoever shares an address with an attacker keeps what it has, or is among the newcomers that are looked at all the same.
    /// Without a key there is nothing to look at.
    func admitCredentials(_ key: LimitKey?, from source: String) throws(LimitRefusal) {
        guard let network = SourceNetwork(source) else { return }
        let now = moment
        try take(by: source) { rates in
            guard let wait = rates.refusalsPerAddress.wait(for: LimitKey(network), at: now) else { return nil }
            if let key, rates.accepted.contains(key) || rates.newcomers.take(limits.newcomers, at: now) == nil { return nil }
            return (.refusalsPerAddress, wait)
        }
    }

    /// A chain that the handshake verified: it is nothing to it what its address was refused, and it waits where the leaf was
    /// refused so often itself, unless what is shown now was good before.
    func admitCertificate(_ leaf: LimitKey, shown key: LimitKey, from source: String) throws(LimitRefusal) {
        let now = moment
        try take(by: source) { rates in
            guard let wait = rates.refusalsPerAddress.wait(for: leaf, at: now), !rates.accepted.contains(key) else { return nil }
            return (.refusalsPerAddress, wait)
        }
    }

    /// They are good.
    func credentialsAccepted(_ key: LimitKey) {
        rates.withLock { $0.accepted.insert(key) }
    }

    /// They are not; without a key nobody looked further than a handshake. Charged to the leaf where one was verified: only its
    /// owner can show it, and whoever shares the owner's address pays nothing for that.
    func credentialsRefused(_ key: LimitKey?, leaf: LimitKey? = nil, from source: String) {
        let charged = leaf ?? SourceNetwork(source).map { LimitKey($0) }
        let now = moment
        rates.withLock { rates in
            if let key { rates.accepted.remove(key) }
            if let charged { rates.refusalsPerAddress.charge(charged, at: now) }
        }
    }

    /// Counts a refusal of `caller`'s by `limit`, and has it logged.
    package func refused(_ caller: String, by limit: AdmissionLimit) {
        counters[limit]?.increment()
        let now = moment
        let count = marks.withLock { marks -> Int? in
            var mark = marks[limit] ?? LogMark()
            mark.unlogged += 1
            defer { marks[limit] = mark }
            // A clock that was set back does not silence it.
            if let last = mark.loggedAt, last <= now, now - last < Admission.logInterval { return nil }
            defer { mark = LogMark(loggedAt: now) }
            return mark.unlogged
        }
        guard let count else { return }
        logger.warning(
            "requests beyond a limit are refused, with the time after which to try again",
            metadata: [
                "limit": "\(limit.rawValue)", "last": "\(LogText.escaped(caller))", "since-last-line": "\(count)",
            ])
    }

    /// By the steady clock: a wall clock that jumped ahead and was set back would leave every bucket empty until it has caught up.
    private var moment: Timestamp { Timestamp(milliseconds: clock.steady.wholeMilliseconds) }

    private static func name(_ caller: Caller, _ node: String) -> String { "\(caller.identity) node \(node)" }

    private func take(
        by caller: @autoclosure () -> String, _ body: (inout Rates) -> (limit: AdmissionLimit, wait: Duration)?
    ) throws(LimitRefusal) {
        guard let (limit, wait) = rates.withLock({ body(&$0) }) else { return }
        refused(caller(), by: limit)
        throw LimitRefusal(limit: limit, retryAfter: wait)
    }
}
