internal import Authority
internal import AuthorityService
internal import PKI

/// One name on a stream: what the proxy has of it, and what is under way.
struct Subscription: Sendable {
    /// What the name means to this proxy; a refusal for a name of no known form, or of somebody else's secret.
    let meaning: Result<SecretName, Refusal>
    /// What `proxies` shows of it.
    var status: SubscriptionStatus
    /// What was last shown.
    var reported: SubscriptionStatus?
    /// Delta: asked for by this very name.
    var isExplicit = true
    /// Delta: asked for by `*`.
    var isWildcard = false
    /// The version that the proxy is taken to have: the last one sent, or, after a NACK, the last one acknowledged.
    var holds: String?
    /// The version that the proxy rejected: not sent again until another one was acknowledged.
    var rejected: String?
    /// The response that carries this name and is not answered yet.
    var flight: String?
    /// False when that response belongs to an earlier subscription of the same name: an acceptance frees the name and says
    /// nothing about this one.
    var flightCounts = true
    /// The trust that was last looked up, and the revision it was looked up at.
    var trust: (revision: Int64, served: ServedTrust?)?
    /// The identity's last leaf that was sent or named, even if rejected: when the next is due.
    var schedule: HeldLeaf?
    /// Whether that leaf was sent on this stream, or was good when the proxy came with it: its replacement is owed.
    var isOnSchedule = false
    /// When that leaf must be replaced for its issuer's sake, as last looked up.
    var turn: Timestamp?
    /// The leaf that the status goes back to when the one under way is rejected.
    var leafBefore: HeldLeaf?
    /// Delta: whether the proxy was told that there is no such resource.
    var isRemovalTold = false

    init(name: String, meaning: Result<SecretName, Refusal>) {
        self.meaning = meaning
        self.status = SubscriptionStatus(resource: name, meaning: try? meaning.get())
    }

    var isIdentity: Bool {
        if case .success(.identity) = meaning { true } else { false }
    }

    /// When the identity needs another leaf: at its renewal, or at its turn if that is earlier; nil: it has none, and needs
    /// one now.
    var dueAt: Timestamp? { schedule.map { min($0.renewAt, turn ?? $0.renewAt) } }

    /// Whether the identity needs another leaf now.
    func isDue(at now: Timestamp) -> Bool { dueAt.map { now >= $0 } ?? true }

    /// Whether `version` is news to the proxy, and not what it rejected.
    func wants(_ version: String) -> Bool { version != holds && version != rejected }
}
