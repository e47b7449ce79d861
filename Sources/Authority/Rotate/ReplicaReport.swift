package import PKI

/// What one replica says of the proxies that are, or lately were, connected to it: the only source of a gate's figures.
///
/// One row for each replica, written by it alone and only when it changes; a row that tells of an older revision of a
/// rotation counts for nothing.
package struct ReplicaReport: Hashable, Sendable, Codable {
    package var replica: String
    /// The ledger revision that the replica serves.
    package var revision: Int64
    /// By rotation id, for those that run.
    package var rotations: [String: RotationProgress]
    /// Of a replica that went without a goodbye, as the ledger reckons it; no part of what the replica writes.
    package var absence: ReplicaAbsence?

    package init(replica: String, revision: Int64, rotations: [String: RotationProgress]) {
        self.replica = replica
        self.revision = revision
        self.rotations = rotations
    }

    /// Two releases read a row. The one before knew `rotations` alone, with sets in hexadecimal digits: it finds nothing there, takes
    /// the replica for one that has not confirmed yet, and opens no gate until it is replaced. What it wrote itself is read.
    private enum CodingKeys: String, CodingKey {
        case progress, replica, revision, rotations
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        replica = try container.decode(String.self, forKey: .replica)
        revision = try container.decode(Int64.self, forKey: .revision)
        let progress = try container.decodeIfPresent([String: RotationProgress].self, forKey: .progress)
        rotations = try progress ?? container.decode([String: RotationProgress].self, forKey: .rotations)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(replica, forKey: .replica)
        try container.encode(revision, forKey: .revision)
        try container.encode([String: RotationProgress](), forKey: .rotations)
        try container.encode(rotations, forKey: .progress)
    }
}

/// How far the proxies of one replica are with what a rotation's phase asks of them.
package struct RotationProgress: Hashable, Sendable, Codable {
    /// Of the rotation's row when the progress was taken.
    package var revision: Int64
    /// Of the rotation then: what lagged in a phase lags in it still when a pause has changed the revision.
    package var phaseSince: Timestamp?
    /// Whether this replica holds an issuing certificate under the new issuer for each of the rotation's meshes.
    package var hasIssuingCertificates: Bool
    /// Subscriptions that acknowledged what the phase asks; they count even if their proxy went away since.
    package var settled: SubscriberSet
    /// Subscriptions that are known and have not, connected or not: a proxy may have one here and another at another replica.
    package var lagging: SubscriberSet
    /// How many are connected and have not.
    package var pendingCount: Int
    /// The first of those, at most `mostBlockers`.
    package var pending: [RotationBlocker]

    /// Enough to act on; the count tells the rest.
    package static let mostBlockers = 50

    package init(
        revision: Int64, phaseSince: Timestamp? = nil, hasIssuingCertificates: Bool, settled: SubscriberSet,
        lagging: SubscriberSet = SubscriberSet(), pendingCount: Int, pending: [RotationBlocker]
    ) {
        self.revision = revision
        self.phaseSince = phaseSince
        self.hasIssuingCertificates = hasIssuingCertificates
        self.settled = settled
        self.lagging = lagging
        self.pendingCount = pendingCount
        self.pending = pending
    }
}

/// Somebody whom a gate waits for.
package struct RotationBlocker: Hashable, Sendable, Codable {
    package enum Reason: String, Hashable, Sendable, Codable, CaseIterable {
        /// A replica that went without a goodbye, and may have issued certificates until `until` that nobody knows of.
        case absent
        /// Not connected, with a certificate until `until`.
        case away
        /// Sent, or about to be, and not acknowledged yet.
        case pending
        /// Refused with a NACK; `detail` holds Envoy's own words.
        case rejected
        /// A replica that has not confirmed the state yet.
        case replica
        /// Silent past the ACK time-out.
        case silent
        /// It has what it needs, and an earlier certificate of it is valid until `until`.
        case unexpired
        /// Its leaf was fetched or signed for a CSR: nobody's subscription, it counts until `until`.
        case unsubscribed
    }

    /// Nil for a replica.
    package var mesh: MeshName?
    package var identity: SPIFFEID?
    /// The proxy's name, or the replica's.
    package var proxy: String
    package var node: String
    /// The secret that is waited for; empty where it is none in particular.
    package var resource: String
    package var reason: Reason
    package var detail: String
    /// When it stops blocking by itself; nil: not by itself.
    package var until: Timestamp?

    package init(
        mesh: MeshName?, identity: SPIFFEID?, proxy: String, node: String, resource: String, reason: Reason,
        detail: String, until: Timestamp? = nil
    ) {
        self.mesh = mesh
        self.identity = identity
        self.proxy = proxy
        self.node = node
        self.resource = resource
        self.reason = reason
        self.detail = detail
        self.until = until
    }
}

/// Names one subscriber (mesh, identity, proxy, node) by the first 64 bits of a SHA-256: the same on every replica.
package struct SubscriberKey: Hashable, Sendable, Comparable {
    package let value: UInt64

    package init(_ value: UInt64) { self.value = value }

    package static func < (left: SubscriberKey, right: SubscriberKey) -> Bool { left.value < right.value }
}

/// What a replica says of one subscription: a subscriber, the resource name that it asked for, and when that was so.
package struct SubscriptionKey: Hashable, Sendable, Comparable {
    package var subscriber: SubscriberKey
    /// The first 32 bits of the name's SHA-256.
    package var resource: UInt32
    /// When its stream closed, in seconds since 1970; `open` while it has not.
    package var at: UInt32

    package static let open = UInt32.max

    package init(_ subscriber: SubscriberKey, resource: UInt32, at: UInt32 = SubscriptionKey.open) {
        self.subscriber = subscriber
        self.resource = resource
        self.at = at
    }

    package static func < (left: SubscriptionKey, right: SubscriptionKey) -> Bool {
        (left.subscriber, left.resource, left.at) < (right.subscriber, right.resource, right.at)
    }
}

/// The newest unexpired leaf of one subscriber, as the ledger knows it.
package struct OutstandingLeaf: Hashable, Sendable {
    package var mesh: MeshName
    package var identity: SPIFFEID
    package var proxy: String
    /// The Envoy node that it was delivered to; nil: nobody's subscription (FetchSecrets, CSR).
    package var node: String?
    /// The latest end.
    package var notAfter: Timestamp
    /// Nil as the ledger gives it; the service fills it in for those with a node.
    package var key: SubscriberKey?

    package init(
        mesh: MeshName, identity: SPIFFEID, proxy: String, node: String?, notAfter: Timestamp, key: SubscriberKey? = nil
    ) {
        self.mesh = mesh
        self.identity = identity
        self.proxy = proxy
        self.node = node
        self.notAfter = notAfter
        self.key = key
    }
}
