package import PKI

/// The replacement of one issuer by another, for the meshes that are named: phases, each left through a gate.
///
/// A value that one row of the ledger holds; every transition is one compare-and-swap on that row's revision.
package struct Rotation: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// One mesh goes to another certificate authority: it joins or leaves a shared one, or changes its backend.
        case move
        /// A certificate authority's root is replaced by its next, for every mesh that uses it.
        case replace
        /// A root is compromised: out of every context at once, whatever breaks.
        case revoke
    }

    /// Who began it.
    package enum Trigger: String, Hashable, Sendable, Codable, CaseIterable {
        case `operator`
        /// The root's age.
        case schedule
    }

    package enum Phase: String, Hashable, Sendable, Codable, CaseIterable {
        /// Ended, with the old issuer active again and the new one bound nowhere.
        case aborted
        /// Ended, with the new issuer active and the old one bound nowhere.
        case completed
        /// The new root goes into every validation context; it signs nothing yet.
        case distributing
        /// The new issuer signs; the old root stays bound until nothing needs it.
        case issuing
        /// On the way back: first, where leaves of the new issuer exist, to leaves of the old one, then out of every context.
        case reverting
        /// The old root leaves the validation contexts.
        case withdrawing

        package var isRunning: Bool {
            switch self {
            case .aborted, .completed: false
            case .distributing, .issuing, .reverting, .withdrawing: true
            }
        }
    }

    /// `rot-` and 16 hexadecimal digits.
    package var id: String
    package var kind: Kind
    package var trigger: Trigger
    /// Sorted; for a move exactly one.
    package var meshes: [MeshName]
    /// The certificate authority of `to`.
    package var certificateAuthority: String
    /// The certificate authority of `from`.
    package var previousAuthority: String
    package var from: IssuerID
    package var to: IssuerID
    package var phase: Phase
    /// When the phase, or the second step of `reverting`, began.
    package var phaseSince: Timestamp
    package var retireAfter: RetireAfter
    /// Each open gate waits for an operator's word.
    package var isManual: Bool
    /// It stays in its phase until it is resumed.
    package var isPaused: Bool
    /// The new root signed by the old, which chains carry from `issuing` on; nil where there is none, as for every move.
    package var crossCertificate: CrossCertificate?
    package var startedAt: Timestamp
    /// Nil while it runs.
    package var endedAt: Timestamp?

    package init(
        id: String, kind: Kind, trigger: Trigger = .operator, meshes: [MeshName], certificateAuthority: String,
        previousAuthority: String, from: IssuerID, to: IssuerID, phase: Phase = .distributing, retireAfter: RetireAfter,
        isManual: Bool = false, isPaused: Bool = false, crossCertificate: CrossCertificate? = nil, startedAt: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.trigger = trigger
        self.meshes = meshes
        self.certificateAuthority = certificateAuthority
        self.previousAuthority = previousAuthority
        self.from = from
        self.to = to
        self.phase = phase
        self.phaseSince = startedAt
        self.retireAfter = retireAfter
        self.isManual = isManual
        self.isPaused = isPaused
        self.crossCertificate = crossCertificate
        self.startedAt = startedAt
        self.endedAt = nil
    }
}

/// A new root's name and key under the signature of the root before it: whoever knows only the old root accepts what the new one
/// signed.
package struct CrossCertificate: Hashable, Sendable, Codable {
    /// DER.
    package var certificate: [UInt8]
    package var notBefore: Timestamp
    package var notAfter: Timestamp

    package init(certificate: [UInt8], notBefore: Timestamp, notAfter: Timestamp) {
        self.certificate = certificate
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

/// One thing that happened to a rotation: a phase that began, or what an operator did.
package struct RotationEvent: Hashable, Sendable, Codable {
    /// Kebab-case: `distributing`, `issuing`, `withdrawing`, `completed`, `reverting`, `aborted`, `paused`, `resumed`, `forced`,
    /// `superseded`, `cross-certificate-renewed`.
    package var event: String
    package var at: Timestamp
    /// As in the audit trail: `user:<name>` or `system`.
    package var actor: String
    /// For a person; may be empty.
    package var detail: String

    package init(event: String, at: Timestamp, actor: String, detail: String = "") {
        self.event = event
        self.at = at
        self.actor = actor
        self.detail = detail
    }
}

/// What the old root waits for before it leaves the validation contexts.
package enum RetireAfter: String, Hashable, Sendable, Codable, CaseIterable {
    /// No leaf under it is valid any more.
    case expired
    /// Every leaf under it was replaced by a later one that its proxy acknowledged.
    case reissued
}
