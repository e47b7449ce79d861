package import Authority
package import PKI

/// One proxy as this replica sees it.
package struct ProxyStatus: Sendable, Hashable {
    package var mesh: MeshName
    package var identity: SPIFFEID
    /// The token's name, or else the Envoy node id.
    package var proxy: String
    /// The Envoy node id, or the proxy's name where it gave none: two Envoys with one token are two rows.
    package var node: String
    /// The replica that it is, or was last, connected to.
    package var replica: String
    package var isConnected: Bool
    package var connectedAt: Timestamp
    package var disconnectedAt: Timestamp?
    /// Of the newest leaf that it was given or named.
    package var certificateExpiresAt: Timestamp?
    /// By resource name, as asked; of the streams that are open, or of the last one.
    package var subscriptions: [SubscriptionStatus]

    package init(
        mesh: MeshName, identity: SPIFFEID, proxy: String, node: String, replica: String, isConnected: Bool,
        connectedAt: Timestamp, disconnectedAt: Timestamp?, certificateExpiresAt: Timestamp?,
        subscriptions: [SubscriptionStatus]
    ) {
        self.mesh = mesh
        self.identity = identity
        self.proxy = proxy
        self.node = node
        self.replica = replica
        self.isConnected = isConnected
        self.connectedAt = connectedAt
        self.disconnectedAt = disconnectedAt
        self.certificateExpiresAt = certificateExpiresAt
        self.subscriptions = subscriptions
    }
}

/// What a proxy was sent of one resource, and what it said to it.
package struct SubscriptionStatus: Sendable, Hashable {
    /// The name as asked.
    package var resource: String
    /// What that asks for; nil for a name of no known form, or of somebody else's secret.
    package var meaning: SecretName?
    package var sentVersion: String?
    package var sentAt: Timestamp?
    package var ackedVersion: String?
    package var ackedAt: Timestamp?
    /// The last rejection, until a later version is acknowledged.
    package var nack: Nack?
    /// Why the name has no resource: `reason: sentence`.
    package var refusal: String?
    /// Whether the ACK time-out passed.
    package var isSilent: Bool
    /// For the identity: the leaf that was last delivered or named.
    package var leaf: HeldLeaf?

    package struct Nack: Sendable, Hashable {
        package var version: String
        /// Envoy's own words.
        package var message: String
        package var at: Timestamp

        package init(version: String, message: String, at: Timestamp) {
            self.version = version
            self.message = message
            self.at = at
        }
    }

    package init(
        resource: String, meaning: SecretName? = nil, sentVersion: String? = nil, sentAt: Timestamp? = nil,
        ackedVersion: String? = nil, ackedAt: Timestamp? = nil, nack: Nack? = nil, refusal: String? = nil,
        isSilent: Bool = false, leaf: HeldLeaf? = nil
    ) {
        self.resource = resource
        self.meaning = meaning
        self.sentVersion = sentVersion
        self.sentAt = sentAt
        self.ackedVersion = ackedVersion
        self.ackedAt = ackedAt
        self.nack = nack
        self.refusal = refusal
        self.isSilent = isSilent
        self.leaf = leaf
    }
}
