package import Authority
package import AuthorityService
package import PKI

/// One SDS stream, both protocol forms: facts in, directives out. No clock, no I/O, no waiting.
///
/// After every fact the stream is *settled*: what the proxy should have by the `Outlook` is compared with what it has, and
/// the difference becomes directives. A name has at most one response in flight, a stream at most one write, and a
/// state-of-the-world stream at most one response; whatever changes meanwhile is seen when that is over, so the latest
/// value wins and nothing queues.
///
/// What does not fit is one of three:
/// - *Our bug*, a broken promise of the shell: `written`, `leafIssued`, `leafFailed` or `leafRefused` without the
///   directive before it. A precondition.
/// - *Their fault*: more names, or more unanswered responses, than the limit, or a name longer than any. The stream ends and says so. A name that is
///   unknown or somebody else's is refused by itself; the stream lives.
/// - *Silently dropped*: requests for other types (noted once); a state-of-the-world request with a nonce that is not the
///   last (the xDS protocol has the proxy repeat it with the right one); the answer part of a delta request with a nonce
///   that is not in flight; a second answer to the same response; unsubscribing from a name that is not subscribed; a leaf
///   that arrives when nobody wants it any more; any fact after the end.
package struct SecretStream: Sendable {
    package enum Form: Sendable, Hashable {
        case delta, stateOfTheWorld
    }

    private struct Flight {
        var sentAt: Timestamp
        /// By name; nil: told that there is no resource.
        var versions: [String: String?]
    }

    package let form: Form
    package let caller: Caller
    private let limits: StreamLimits
    /// Makes nonces differ between streams, so that one from another stream never fits.
    private let nonceTag: String

    private var subscriptions: [String: Subscription] = [:]
    private var flights: [String: Flight] = [:]
    private var isWildcard = false
    private var hasBegun = false
    private var hasEnded = false
    private var isWriting = false
    private var hasNotedType = false
    private var nonces: UInt64 = 0
    private var lastNonce: String?

    /// A leaf with its key: kept from its issue until every name that it is for has answered, then dropped.
    private var fresh: DeliveredLeaf?
    /// Since when a leaf has been asked for, and the revision then.
    private var issuingSince: Timestamp?
    private var issuingRevision: Int64 = 0
    private var leafFailures = 0
    /// No leaf is asked for before.
    private var nextLeafAt: Timestamp?
    /// The revision at which a leaf was refused: asked again only at another one.
    private var leafRefusal: (revision: Int64, refusal: Refusal)?

    package init(form: Form, caller: Caller, nonceTag: String, limits: StreamLimits) {
        self.form = form
        self.caller = caller
        self.nonceTag = nonceTag
        self.limits = limits
    }

    /// Whether a write or a leaf is under way: a proxy that will say no more still gets it.
    package var isBusy: Bool { isWriting || issuingSince != nil }

    // MARK: Facts

    /// The proxy said something.
    package mutating func requested(_ request: SecretRequest, in outlook: Outlook) -> [StreamDirective] {
        guard !hasEnded else { return [] }
        guard request.typeURL == SecretStream.typeURL || request.typeURL.isEmpty else {
            defer { hasNotedType = true }
            return hasNotedType ? [] : [.note(.ignoredType(request.typeURL))]
        }
        var directives: [StreamDirective] = []
        let isFirst = !hasBegun
        hasBegun = true
        if !request.nonce.isEmpty, lastNonce != nil {
            if form == .stateOfTheWorld, request.nonce != lastNonce { return [.note(.staleNonce(request.nonce))] }
            directives += answered(request.nonce, rejection: request.rejection, at: outlook.now)
        }
        switch request.names {
        case .stateOfTheWorld(let names, let version):
            let wanted = Set(names)
            for name in subscriptions.keys.sorted() where !wanted.contains(name) { directives += dropped(name) }
            let held = isFirst ? StreamVersions(parsing: version).versions : [:]
            for name in wanted.sorted() where subscriptions[name] == nil {
                directives += added(name, holding: held[name], in: outlook)
            }
        case .delta(let subscribe, let unsubscribe, let held):
            for name in unsubscribe { directives += unsubscribed(name) }
            // The wildcard last: a name that is also asked for by itself keeps the version that the proxy has of it.
            for name in Set(subscribe).sorted(by: { ($0 == Self.wildcard ? 1 : 0, $0) < ($1 == Self.wildcard ? 1 : 0, $1) }) {
                directives += subscribed(name, holding: isFirst ? held : [:], in: outlook)
            }
        }
        if let end = overLimit() {
            hasEnded = true
            return directives + [.end(end)]
        }
        return directives + settle(in: outlook)
    }

    /// Time went by, or the authority's state changed.
    package mutating func noticed(_ outlook: Outlook) -> [StreamDirective] { settle(in: outlook) }

    /// The leaf that was asked for is here.
    package mutating func leafIssued(_ leaf: DeliveredLeaf, in outlook: Outlook) -> [StreamDirective] {
        precondition(issuingSince != nil)
        issuingSince = nil
        leafFailures = 0
        leafRefusal = nil
        nextLeafAt = outlook.now + limits.leafSpacing
        fresh = leaf
        return settle(in: outlook)
    }

    /// No leaf, for the world broke: it is asked for again, after a wait that doubles. `jitter` in 0…1 spreads it.
    package mutating func leafFailed(jitter: Double, in outlook: Outlook) -> [StreamDirective] {
        precondition(issuingSince != nil)
        issuingSince = nil
        let doubled = limits.retryFloor * (1 << min(leafFailures, 10))
        leafFailures += 1
        // Between half and the whole of it.
        nextLeafAt = outlook.now + min(doubled, limits.retryCeiling) * (0.5 + jitter / 2)
        return settle(in: outlook)
    }

    /// No leaf, for the proxy may have none: asked for again when the authority's state has changed.
    package mutating func leafRefused(_ refusal: Refusal, in outlook: Outlook) -> [StreamDirective] {
        precondition(issuingSince != nil)
        issuingSince = nil
        // Of the revision when it was asked: if the state changed meanwhile, the next answer may be another.
        leafRefusal = (issuingRevision, refusal)
        nextLeafAt = outlook.now + limits.leafSpacing
        return settle(in: outlook)
    }

    /// The response that was sent last is on the wire.
    package mutating func written(in outlook: Outlook) -> [StreamDirective] {
        precondition(isWriting)
        isWriting = false
        return settle(in: outlook)
    }

    /// When to call `noticed` at the latest, if nothing else happens; nil: nothing is due.
    package func nextWake(after now: Timestamp) -> Timestamp? {
        var times = flights.values.map { $0.sentAt + limits.ackTimeout }
        if let end = caller.certificate?.notAfter { times.append(end) }
        for subscription in subscriptions.values where subscription.isIdentity && subscription.flight == nil {
            if let due = subscription.dueAt { times.append(due) }
        }
        if let nextLeafAt { times.append(nextLeafAt) }
        if let issuingSince { times.append(issuingSince + limits.leafPatience) }
        return times.filter { $0 > now }.min()
    }

    // MARK: Names

    private mutating func added(_ name: String, holding version: String?, in outlook: Outlook) -> [StreamDirective] {
        let meaning: Result<SecretName, Refusal>
        do {
            meaning = .success(try SecretName.parse(name, for: caller))
        } catch {
            meaning = .failure(error)
        }
        var subscription = Subscription(name: name, meaning: meaning)
        if let nonce = flights.first(where: { $0.value.versions.keys.contains(name) })?.key {
            subscription.flight = nonce
            subscription.flightCounts = false
        }
        var directives: [StreamDirective] = []
        switch meaning {
        case .failure(let refusal):
            subscription.status.refusal = SecretStream.text(of: refusal)
            directives.append(.note(.nameRefused(name: name, refusal)))
        case .success(.identity):
            if let version, let leaf = outlook.held(version) {
                subscription.takeAsAcknowledged(version, at: outlook.now)
                subscription.schedule = leaf
                subscription.isOnSchedule = min(leaf.renewAt, outlook.replacement(leaf) ?? leaf.renewAt) > outlook.now
                subscription.status.leaf = leaf
            }
        case .success(let secret):
            if let version, case .success(let served) = outlook.trust(secret), served.version == version {
                subscription.takeAsAcknowledged(version, at: outlook.now)
            }
        }
        subscriptions[name] = subscription
        return directives
    }

    private mutating func dropped(_ name: String) -> [StreamDirective] {
        subscriptions.removeValue(forKey: name) == nil ? [] : [.forget(resource: name)]
    }

    private mutating func subscribed(_ name: String, holding held: [String: String], in outlook: Outlook) -> [StreamDirective] {
        if name == SecretStream.wildcard {
            guard !isWildcard else { return [] }
            isWildcard = true
            var directives: [StreamDirective] = []
            for name in SecretStream.wildcardNames {
                if subscriptions[name] == nil {
                    directives += added(name, holding: held[name], in: outlook)
                    subscriptions[name]?.isExplicit = false
                }
                subscriptions[name]?.isWildcard = true
            }
            return directives
        }
        guard subscriptions[name] != nil else { return added(name, holding: held[name], in: outlook) }
        // Asked for again: the proxy may have dropped what it had, so it is sent anew (xDS, "Resubscribing").
        subscriptions[name]?.isExplicit = true
        subscriptions[name]?.forgetDelivery()
        return []
    }

    private mutating func unsubscribed(_ name: String) -> [StreamDirective] {
        if name == SecretStream.wildcard {
            isWildcard = false
            var directives: [StreamDirective] = []
            for name in SecretStream.wildcardNames {
                subscriptions[name]?.isWildcard = false
                if subscriptions[name]?.isExplicit == false { directives += dropped(name) }
            }
            return directives
        }
        guard let subscription = subscriptions[name] else { return [] }
        guard subscription.isWildcard else { return dropped(name) }
        // The wildcard still covers it, which the proxy learns by being sent it (xDS, "Unsubscribing from a resource").
        subscriptions[name]?.isExplicit = false
        subscriptions[name]?.forgetDelivery()
        return []
    }

    private func overLimit() -> StreamEnd? {
        // A name has one response in flight, but names come and go: who never answers cannot make the list grow.
        if flights.count > limits.mostNames { return .tooManyUnanswered(limit: limits.mostNames) }
        if subscriptions.count > limits.mostNames { return .tooManyNames(limit: limits.mostNames) }
        for name in subscriptions.keys where name.utf8.count > limits.mostNameBytes {
            return .nameTooLong(bytes: name.utf8.count, limit: limits.mostNameBytes)
        }
        return nil
    }

    // MARK: Answers

    private mutating func answered(_ nonce: String, rejection: String?, at now: Timestamp) -> [StreamDirective] {
        guard let flight = flights.removeValue(forKey: nonce) else {
            // The last response was answered already: no news, and no stale nonce either.
            return nonce == lastNonce ? [] : [.note(.staleNonce(nonce))]
        }
        let message = rejection.map { LogText.escaped($0) }
        for (name, version) in flight.versions where subscriptions[name]?.flight == nonce {
            subscriptions[name]?.answered(version: version, rejection: message, at: now)
        }
        return message.map { [.note(.rejected(names: flight.versions.keys.sorted(), message: $0))] } ?? []
    }

    // MARK: Settling

    private mutating func settle(in outlook: Outlook) -> [StreamDirective] {
        guard !hasEnded else { return [] }
        if let refusal = outlook.refusal {
            hasEnded = true
            fresh = nil
            return [.end(.refused(refusal))]
        }
        var directives = lookUpTrust(in: outlook) + flagSilence(at: outlook.now)
        directives += askForLeaf(in: outlook)
        directives += sendNext(in: outlook)
        dropKeyIfDone()
        for name in subscriptions.keys.sorted() {
            guard let subscription = subscriptions[name], subscription.status != subscription.reported else { continue }
            subscriptions[name]?.reported = subscription.status
            directives.append(.report(subscription.status))
        }
        return directives
    }

    private mutating func lookUpTrust(in outlook: Outlook) -> [StreamDirective] {
        // Changed behind the loop: within it, the dictionary would be copied.
        var outdated: [(name: String, secret: SecretName)] = []
        for (name, subscription) in subscriptions {
            guard case .success(let secret) = subscription.meaning, secret != .identity,
                subscription.trust?.revision != outlook.revision
            else { continue }
            outdated.append((name, secret))
        }
        var directives: [StreamDirective] = []
        for (name, secret) in outdated {
            switch outlook.trust(secret) {
            case .success(let served):
                subscriptions[name]?.trust = (outlook.revision, served)
                subscriptions[name]?.allow()
            case .failure(let refusal):
                subscriptions[name]?.trust = (outlook.revision, nil)
                if subscriptions[name]?.refuse(refusal, keepingOld: false) == true {
                    directives.append(.note(.nameRefused(name: name, refusal)))
                }
            }
        }
        return directives
    }

    private mutating func flagSilence(at now: Timestamp) -> [StreamDirective] {
        var directives: [StreamDirective] = []
        for (nonce, flight) in flights where now >= flight.sentAt + limits.ackTimeout {
            for name in flight.versions.keys.sorted() {
                guard let subscription = subscriptions[name], subscription.flight == nonce, !subscription.status.isSilent
                else { continue }
                subscriptions[name]?.status.isSilent = true
                directives.append(.note(.silent(name: name)))
            }
        }
        return directives
    }

    private mutating func askForLeaf(in outlook: Outlook) -> [StreamDirective] {
        var directives: [StreamDirective] = []
        if let refused = leafRefusal, refused.revision != outlook.revision { leafRefusal = nil }
        // A leaf that would have to be replaced is delivered to nobody any more, even if its turn is yet to come.
        if let leaf = fresh, outlook.now >= leaf.renewAt || outlook.replacement(leaf.held) != nil { fresh = nil }
        var isNeeded = false
        // What could not be issued before is not asked for anew.
        var isOwed = leafFailures > 0
        for (name, var subscription) in subscriptions where subscription.isIdentity {
            let turn = subscription.schedule.flatMap(outlook.replacement)
            // The dictionary is copied when it is changed within the loop.
            if turn != subscription.turn {
                subscription.turn = turn
                subscriptions[name]?.turn = turn
            }
            if let leafRefusal {
                // What it has stays good until it ends; only who never had one is told that there is none.
                let hasOne = subscription.holds != nil
                if subscriptions[name]?.refuse(leafRefusal.refusal, keepingOld: hasOne) == true {
                    directives.append(.note(.nameRefused(name: name, leafRefusal.refusal)))
                }
                continue
            }
            guard maySend(subscription), subscription.isDue(at: outlook.now) else { continue }
            if let fresh, subscription.wants(fresh.version) { continue }
            isNeeded = true
            if subscription.schedule != nil, subscription.isOnSchedule { isOwed = true }
        }
        guard isNeeded, issuingSince == nil, nextLeafAt.map({ outlook.now >= $0 }) ?? true else { return directives }
        issuingSince = outlook.now
        issuingRevision = outlook.revision
        nextLeafAt = nil
        return directives + [.issueLeaf(isOwed ? .owed : .asked)]
    }

    /// Whether a response may carry the name now.
    private func maySend(_ subscription: Subscription) -> Bool {
        switch form {
        case .delta: subscription.flight == nil
        case .stateOfTheWorld: flights.isEmpty
        }
    }

    private mutating func sendNext(in outlook: Outlook) -> [StreamDirective] {
        guard !isWriting else { return [] }
        if form == .delta {
            let removed = subscriptions.filter { $0.value.status.refusal != nil && !$0.value.isRemovalTold && maySend($0.value) }
                .keys.sorted()
            if !removed.isEmpty { return [send([], removed: removed, at: outlook.now)] }
        }
        let resources = subscriptions.sorted { $0.key < $1.key }.compactMap { name, subscription in
            maySend(subscription) ? news(for: subscription, under: name) : nil
        }
        guard let first = resources.first else { return [] }
        switch form {
        case .delta:
            return [send([first], removed: [], at: outlook.now)]
        case .stateOfTheWorld:
            if let issuingSince, leafFailures == 0, outlook.now < issuingSince + limits.leafPatience { return [] }
            return [send(resources, removed: [], at: outlook.now)]
        }
    }

    /// What the proxy does not have yet of a name.
    private func news(for subscription: Subscription, under name: String) -> SecretResource? {
        if subscription.isIdentity {
            guard let fresh, subscription.wants(fresh.version) else { return nil }
            return SecretResource(name: name, version: fresh.version, content: .identity(fresh))
        }
        guard let served = subscription.trust?.served, subscription.wants(served.version) else { return nil }
        return SecretResource(name: name, version: served.version, content: .trust(served.context))
    }

    private mutating func send(_ resources: [SecretResource], removed: [String], at now: Timestamp) -> StreamDirective {
        nonces += 1
        let nonce = "\(nonceTag)-\(nonces)"
        var flight = Flight(sentAt: now, versions: [:])
        for name in removed {
            flight.versions[name] = .some(nil)
            subscriptions[name]?.removalSent(in: nonce)
        }
        for resource in resources {
            flight.versions[resource.name] = resource.version
            subscriptions[resource.name]?.sent(resource, in: nonce, at: now)
        }
        flights[nonce] = flight
        lastNonce = nonce
        isWriting = true
        let version = form == .delta ? "" : StreamVersions(subscriptions.compactMapValues(\.holds)).text
        return .send(SecretResponse(nonce: nonce, version: version, resources: resources, removed: removed))
    }

    private mutating func dropKeyIfDone() {
        guard let version = fresh?.version else { return }
        let isWanted = subscriptions.values.contains { $0.isIdentity && ($0.wants(version) || $0.flight != nil) }
        if !isWanted { fresh = nil }
    }

    // MARK: Words

    package static let typeURL = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    /// Delta: everything that the proxy may have without naming it.
    package static let wildcard = "*"
    /// The names under which the wildcard is answered.
    package static let wildcardNames = ["ROOTCA", "default"]

    private static func text(of refusal: Refusal) -> String { "\(refusal.reason): \(refusal)" }
}
