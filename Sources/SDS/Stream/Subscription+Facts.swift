internal import Authority
internal import PKI

extension Subscription {
    /// The proxy named a version that it has, and that is the right one: as good as an ACK of it.
    mutating func takeAsAcknowledged(_ version: String, at now: Timestamp) {
        holds = version
        status.ackedVersion = version
        status.ackedAt = now
    }

    /// The proxy asks as if it had nothing. What it rejected stays rejected.
    mutating func forgetDelivery() {
        holds = nil
        isRemovalTold = false
        if rejected == nil { schedule = nil }
    }

    mutating func sent(_ resource: SecretResource, in nonce: String, at now: Timestamp) {
        flight = nonce
        flightCounts = true
        holds = resource.version
        isRemovalTold = false
        status.sentVersion = resource.version
        status.sentAt = now
        status.refusal = nil
        if case .identity(let leaf) = resource.content {
            leafBefore = status.leaf
            schedule = leaf.held
            isOnSchedule = true
            turn = nil
            status.leaf = leaf.held
        }
    }

    mutating func removalSent(in nonce: String) {
        flight = nonce
        flightCounts = true
        isRemovalTold = true
        holds = nil
    }

    /// The response in flight was answered; `version` is nil for a removal.
    mutating func answered(version: String?, rejection: String?, at now: Timestamp) {
        flight = nil
        status.isSilent = false
        // An acceptance is the earlier subscription's, which the proxy gave up; a rejection it would only repeat.
        let counts = flightCounts || rejection != nil
        flightCounts = true
        guard counts, let version else { return }
        if let rejection {
            rejected = version
            holds = status.ackedVersion
            status.nack = .init(version: version, message: rejection, at: now)
            if isIdentity { status.leaf = leafBefore }
        } else {
            rejected = nil
            status.ackedVersion = version
            status.ackedAt = now
            status.nack = nil
        }
        leafBefore = nil
    }

    /// There is a resource behind the name.
    mutating func allow() {
        status.refusal = nil
    }

    /// There is none; true if that is news. `keepingOld`: the proxy is not told to let go of what it has.
    mutating func refuse(_ refusal: Refusal, keepingOld: Bool) -> Bool {
        let text = "\(refusal.reason): \(refusal)"
        guard status.refusal != text else { return false }
        if status.refusal == nil { isRemovalTold = keepingOld }
        status.refusal = text
        return true
    }
}
