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
    /// The old root, under which the chain's cross certificate stands; nil where it carries none.
    var crossRoot: [UInt8]?
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
        /// Of the state that it was made from.
        var underwayRevision: Int64 = 0
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
    /// Bundles of an earlier state confirm nothing: it was left behind, or a root of theirs was revoked.
    var confirmedFrom: Int64 = 0
    /// Stopped, with what it has kept in a file, until then.
    var stoppedUntil: Timestamp?
    /// Answers everything with a NACK.
    var rejects = false

    var isConnected: Bool { !streams.isEmpty }

    func isAlive(at now: Timestamp) -> Bool { leaf.map { now < $0.notAfter } ?? false }

    /// Whether it has both bundles, as it was given them while it had a certificate.
    var isConfirmed: Bool { SimulatedProxy.bundles.allSatisfy { confirmed.contains($0) } }

    /// Whether it takes `peer` by the context that it holds.
    func accepts(_ peer: SimulatedLeaf, by name: SecretName) -> Bool {
        guard let context = contexts[name], let roots = context.trustDomains[peer.identity.trustDomain] else { return false }
        return (roots.contains(peer.root) || peer.crossRoot.map { roots.contains($0) } ?? false) && context.admits(peer.identity)
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
    /// The issuers under which it has issuing certificates.
    var issuing: Set<IssuerID> = []
    /// While it drives, or believes that it does: of its lease.
    var fence: Int?
    /// When it last took up a state.
    var heardAt = Fixture.now
    /// By proxy and name; those of closed streams are remembered.
    var statuses: [Int: [SecretName: Status]] = [:]
    var pacer = RotationPacer(dwell: .seconds(2))
    /// The reports that it took, for a rotation as it was then, and since when the oldest of them is; the ledger is asked later.
    var judging: (entry: AuthorityState.RotationEntry, reports: [ReplicaReport], oldest: Int)?
}

/// Contexts that were made once: the same state gives the same ones.
final class SimulatedContexts {
    private struct Key: Hashable {
        var revision: Int64
        var proxy: SubscriberKey
        var name: SecretName
    }

    private var made: [Key: ValidationContext?] = [:]

    func context(_ name: SecretName, of proxy: SimulatedProxy, in state: AuthorityState) -> ValidationContext? {
        let key = Key(revision: state.revision, proxy: proxy.key, name: name)
        if let known = made[key] { return known }
        if made.count > 2000 { made = [:] }
        let context = try? state.validationContext(name, for: proxy.caller)
        made[key] = .some(context)
        return context
    }
}

/// The row that says who drives.
struct SimulatedLease {
    var holder: String
    var fence: Int
    var until: Timestamp
}

/// What the simulation does wrong on purpose, to show that the laws' checker sees it.
enum Sabotage: CaseIterable {
    /// Reports of an older state pass for current ones.
    case believesOldReports
    /// What was sent passes for acknowledged.
    case countsWhatWasSent
    /// Nobody who is away is asked for.
    case forgetsWhoIsAway
    /// Nobody is asked for whom the cross certificate covered, when it is about to end.
    case forgetsWhomItCovered
    /// The gates believe in a cross certificate that no chain carries.
    case noCrossCertificate
    /// Whoever signed a cross certificate for a revoked root is kept.
    case revokesWithoutCrossSigners
    case skipsDistribution
    case skipsReissue
    case skipsWithdrawal
    /// A replica whose lease was taken over goes on driving.
    case twoDrivers
    /// The ledger is not asked who holds a leaf of the old root.
    case withdrawsBeforeTheLastLeaf

    /// Where the search begins: a history in which it was found out once. Any other would do, only later.
    var likelySeed: UInt64 {
        switch self {
        case .believesOldReports: 29
        case .countsWhatWasSent, .skipsReissue, .withdrawsBeforeTheLastLeaf: 2
        case .forgetsWhoIsAway, .skipsDistribution, .skipsWithdrawal: 1
        case .forgetsWhomItCovered: 16
        case .noCrossCertificate: 4
        case .revokesWithoutCrossSigners: 5
        case .twoDrivers: 15
        }
    }
}

/// A law of rotation that did not hold, when, and between whom.
struct LawBroken: Error, CustomStringConvertible {
    /// 0: what a revocation promises.
    var law: Int
    var description: String
}
