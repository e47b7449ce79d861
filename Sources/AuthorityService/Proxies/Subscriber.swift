package import Authority
package import PKI

/// One (mesh, identity, proxy, node) as this replica knows it, with all that it subscribed to: what a rotation's gate counts.
package struct Subscriber: Sendable, Hashable {
    /// A subscription whose stream has closed, and that no other stream here has taken up.
    package struct Remembered: Sendable, Hashable {
        package var status: SubscriptionStatus
        package var closedAt: Timestamp

        package init(status: SubscriptionStatus, closedAt: Timestamp) {
            self.status = status
            self.closedAt = closedAt
        }
    }

    /// Of mesh, identity, proxy and node: made once, for a digest is dear.
    package var key: SubscriberKey
    /// Of the newest stream that is open, or of the last one: its tags say which trust is behind a name.
    package var caller: Caller
    /// As in `ProxyStatus`, and as the ledger keeps it beside each leaf that went to a stream.
    package var node: String
    /// Of every open stream, sorted by name: a name that two of them ask for is here twice, for the proxy holds it twice.
    package var open: [SubscriptionStatus]
    /// Sorted by name.
    package var remembered: [Remembered]
    package var isConnected: Bool

    package init(
        key: SubscriberKey, caller: Caller, node: String, isConnected: Bool, open: [SubscriptionStatus],
        remembered: [Remembered]
    ) {
        self.key = key
        self.caller = caller
        self.node = node
        self.isConnected = isConnected
        self.open = open
        self.remembered = remembered
    }

    /// All of them, sorted by name.
    package var subscriptions: [SubscriptionStatus] {
        (open + remembered.map(\.status)).sorted { $0.resource < $1.resource }
    }
}
