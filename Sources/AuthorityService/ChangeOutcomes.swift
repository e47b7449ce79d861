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

/// A rotation and, while it runs, what its gate waits for.
package struct RotationOverview: Sendable {
    package var rotation: Rotation
    /// Nil once it has ended.
    package var gate: RotationGate?
}
