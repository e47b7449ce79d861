package import Authority
package import PKI

/// A self-signed root that an operator brought, with its key.
package struct ProvidedRoot: Sendable {
    /// The certificate, DER.
    package var certificate: [UInt8]
    package var key: ProvidedKey

    package init(certificate: [UInt8], key: ProvidedKey) {
        self.certificate = certificate
        self.key = key
    }
}

/// The private key of a provided root, as a request names it. Never printed.
package enum ProvidedKey: Sendable, Hashable {
    /// SHA-256 of its SubjectPublicKeyInfo: the key that is there already, unchanged.
    case fingerprint(Fingerprint)
    /// The key itself, PEM.
    case pem(String)
}

extension ProvidedKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String {
        switch self {
        case .fingerprint(let fingerprint): "key \(fingerprint)"
        case .pem: "key (redacted)"
        }
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(reflecting: description) }
}

/// What became of a Mesh document, or, in a dry run, what would.
package struct MeshOutcome: Sendable {
    package var isCreated: Bool
    /// Of the mesh's row; nil in a dry run.
    package var revision: Int64?
    /// As it is kept.
    package var mesh: Mesh
    /// The rotation that the change started, or would start.
    package var rotation: Rotation?
    package var warnings: [String]
    /// In a dry run, which pairs of meshes would begin or cease to accept each other, once everything that is started has
    /// completed; else empty.
    package var trust: TrustChange
}

/// What became of a CertificateAuthority document, or, in a dry run, what would.
package struct CertificateAuthorityOutcome: Sendable {
    package var isCreated: Bool
    /// Nil in a dry run.
    package var revision: Int64?
    package var authority: CertificateAuthority
    /// Of the meshes that joined by the document.
    package var rotations: [Rotation]
    package var warnings: [String]
    /// As in `MeshOutcome`.
    package var trust: TrustChange
}

/// What is asked of a new rotation of a certificate authority's root.
package struct RotationRequest: Sendable {
    package var certificateAuthority: String
    /// Each open gate waits for an operator's word.
    package var isManual: Bool
    /// Nil: as the certificate authority says.
    package var retireAfter: RetireAfter?
    /// Of the new root; nil: as the certificate authority's roots have it. Not for one that is brought.
    package var keyAlgorithm: KeyAlgorithm?
    /// The next root of a provided certificate authority, which cannot be made here; nil for any other.
    package var root: ProvidedRoot?

    package init(
        certificateAuthority: String, isManual: Bool = false, retireAfter: RetireAfter? = nil,
        keyAlgorithm: KeyAlgorithm? = nil, root: ProvidedRoot? = nil
    ) {
        self.certificateAuthority = certificateAuthority
        self.isManual = isManual
        self.retireAfter = retireAfter
        self.keyAlgorithm = keyAlgorithm
        self.root = root
    }
}

/// A rotation that started or, in a dry run, what would come of it.
package struct RotationOutcome: Sendable {
    /// In a dry run `to` is `from`, for no root is made.
    package var rotation: Rotation
    /// In a dry run only.
    package var forecast: RotationForecast?
    package var warnings: [String]
}

/// What a rotation would meet, by what is known now.
package struct RotationForecast: Sendable {
    /// Proxies that would be sent a bundle or a leaf, of those that are connected to the replica that was asked.
    package var connected: Int
    /// How long the re-issue of the leaves takes at the configured pace.
    package var reissue: Duration
    /// Who would hold the gate of `distributing` now: connected, and not acknowledging what they have been sent already.
    package var distributing: [RotationBlocker]
    /// Who would hold the gate of `issuing` for longer than the re-issue takes, by name, at most `RotationGate.mostBlockers`.
    package var issuing: [RotationBlocker]
    /// When the last certificate under the old root ends; nil: none is out.
    package var lastExpiry: Timestamp?
    /// Whether chains will carry a cross certificate, so that proxies which are away hold nothing up.
    package var isCrossCertified: Bool
}

/// A root that was revoked.
package struct RevocationOutcome: Sendable {
    /// The compromised one first, then those that had signed a live cross certificate for it.
    package var revoked: [IssuerID]
    /// By whose progress one sees who has followed; nil where no mesh trusted them.
    package var rotation: Rotation?
    /// The root that was made, or brought; nil where none had to be.
    package var newIssuer: IssuerID?
    package var warnings: [String]
}

/// A rotation and, while it runs, what its gate waits for.
package struct RotationOverview: Sendable {
    package var rotation: Rotation
    /// Nil once it has ended.
    package var gate: RotationGate?
    /// What happened to it, oldest first.
    package var events: [RotationEvent]
    /// Whom an order that was forced left behind, by name.
    package var leftBehind: [RotationBlocker]

    package init(rotation: Rotation, gate: RotationGate?, events: [RotationEvent] = [], leftBehind: [RotationBlocker] = []) {
        self.rotation = rotation
        self.gate = gate
        self.events = events
        self.leftBehind = leftBehind
    }
}
