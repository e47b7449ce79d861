package import PKI

/// The replacement of one issuer by another, for the meshes that are named: phases, each left through a gate.
///
/// A value that one row of the ledger holds; every transition is one compare-and-swap on that row's revision.
package struct Rotation: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// One mesh goes to another issuer: it joins or leaves a shared certificate authority, or changes its backend or key.
        case move
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
    package var startedAt: Timestamp
    /// Nil while it runs.
    package var endedAt: Timestamp?

    package init(
        id: String, kind: Kind, meshes: [MeshName], certificateAuthority: String, previousAuthority: String,
        from: IssuerID, to: IssuerID, phase: Phase = .distributing, retireAfter: RetireAfter, startedAt: Timestamp
    ) {
        self.id = id
        self.kind = kind
        self.meshes = meshes
        self.certificateAuthority = certificateAuthority
        self.previousAuthority = previousAuthority
        self.from = from
        self.to = to
        self.phase = phase
        self.phaseSince = startedAt
        self.retireAfter = retireAfter
        self.startedAt = startedAt
        self.endedAt = nil
    }
}

/// What the old root waits for before it leaves the validation contexts.
package enum RetireAfter: String, Hashable, Sendable, Codable, CaseIterable {
    /// No leaf under it is valid any more.
    case expired
    /// Every leaf under it was replaced by a later one that its proxy acknowledged.
    case reissued
}
