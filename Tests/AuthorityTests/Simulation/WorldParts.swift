import Authority
import PKI

/// A leaf in the simulation: what the ledger keeps of it, with the root that it stands under.
struct SimulatedLeaf: Hashable {
    var serial: Int
    var mesh: MeshName
    var identity: SPIFFEID
    var proxy: String
    /// Nil: nobody's subscription.
    var node: String?
    var issuer: IssuerID
    var root: [UInt8]
    var issuedAt: Timestamp
    var notAfter: Timestamp
}

/// What goes over a stream.
enum SimulatedSecret: Hashable {
    case bundle(ValidationContext)
    case leaf(SimulatedLeaf)

    var leaf: SimulatedLeaf? { if case .leaf(let leaf) = self { leaf } else { nil } }
}

/// A proxy with what it really holds, which no replica sees.
struct SimulatedProxy {
    /// On its way to the proxy, or its answer on the way back.
    struct Stream {
        var replica: Int
        var openedAt: Int
        var underway: SimulatedSecret?
        var answer: (secret: SimulatedSecret, isTaken: Bool)?
    }

    static let resources: [SecretName] = [.identity, .peers, .destinations]
    static let bundles: [SecretName] = [.peers, .destinations]

    let caller: Caller
    let node: String
    let key: SubscriberKey
    var streams: [SecretName: Stream] = [:]
    var contexts: [SecretName: ValidationContext] = [:]
    var leaf: SimulatedLeaf?
    /// Bundles that were acknowledged, or found right, since it last was without a valid certificate.
    var confirmed: Set<SecretName> = []
    /// Answers everything with a NACK.
    var rejects = false

    var isConnected: Bool { !streams.isEmpty }

    func isAlive(at now: Timestamp) -> Bool { leaf.map { now < $0.notAfter } ?? false }

    /// Alive, with bundles that it was given while it was: whoever is so talks to the others, and must go on.
    func isHealthy(at now: Timestamp) -> Bool {
        isAlive(at: now) && SimulatedProxy.bundles.allSatisfy { confirmed.contains($0) }
    }

    /// Whether it takes `peer` by the context that it holds.
    func accepts(_ peer: SimulatedLeaf, by name: SecretName) -> Bool {
        guard let context = contexts[name] else { return false }
        return context.trustDomains[peer.identity.trustDomain]?.contains(peer.root) == true && context.admits(peer.identity)
    }
}

/// One replica: the state that it took up last, and what it knows of its streams.
struct SimulatedReplica {
    struct Status {
        /// Nil while its stream is open.
        var closedAt: Timestamp?
        var sent: SimulatedSecret?
        var acked: SimulatedSecret?
        /// Whether the last one sent was taken or refused, as far as the replica heard.
        var isAnswered = true

        var isOpen: Bool { closedAt == nil }
    }

    var name: String
    var state: AuthorityState
    var isServing = true
    /// When it last took up a state.
    var heardAt = Fixture.now
    /// By proxy and name; those of closed streams are remembered.
    var statuses: [Int: [SecretName: Status]] = [:]
    var pacer = RotationPacer(dwell: .seconds(2))
    /// The reports that it took, for a rotation as it was then, and since when the oldest of them is; the ledger is asked later.
    var judging: (entry: AuthorityState.RotationEntry, reports: [ReplicaReport], oldest: Int)?
}

/// What the simulation does wrong on purpose, to show that the laws' checker sees it.
enum Sabotage: CaseIterable {
    /// Reports of an older state pass for current ones.
    case believesOldReports
    /// What was sent passes for acknowledged.
    case countsWhatWasSent
    /// Nobody who is away is asked for.
    case forgetsWhoIsAway
    case skipsDistribution
    case skipsReissue
    case skipsWithdrawal
}

/// A law of rotation that did not hold, when, and between whom.
struct LawBroken: Error, CustomStringConvertible {
    var law: Int
    var description: String
}
