package import PKI

/// A certificate authority: an owner of issuers, used by one mesh, or shared by several.
package struct CertificateAuthority: Hashable, Sendable, Codable {
    package enum Origin: String, Hashable, Sendable, Codable, CaseIterable {
        /// Its roots and keys are made here.
        case generated
        /// Its root and key were brought by an operator.
        case provided
    }

    /// `<mesh>.<backend>` for a mesh's own; a DNS label for one that meshes may share.
    package var name: String
    package var keyAlgorithm: KeyAlgorithm
    /// How long its roots live; for a provided one, how long its root did when it was brought.
    package var expiration: Duration
    /// The mesh that owns it alone; nil when meshes may share it.
    package var owner: MeshName?
    package var origin: Origin
    /// Where the keys of its roots are made and stay; a root that was brought is in the database.
    package var keyStore: KeyStore
    /// Whether rotation starts by the root's age.
    package var rotatesAutomatically: Bool
    package var retireAfter: RetireAfter
    /// A rotation of it was aborted: none starts by the root's age until an operator resumes that. No document says it.
    package var isAutomaticHeld: Bool

    package init(
        name: String, keyAlgorithm: KeyAlgorithm, expiration: Duration, owner: MeshName?, origin: Origin = .generated,
        keyStore: KeyStore = .database, rotatesAutomatically: Bool = true, retireAfter: RetireAfter = .expired,
        isAutomaticHeld: Bool = false
    ) {
        self.name = name
        self.keyAlgorithm = keyAlgorithm
        self.expiration = expiration
        self.owner = owner
        self.origin = origin
        self.keyStore = keyStore
        self.rotatesAutomatically = rotatesAutomatically
        self.retireAfter = retireAfter
        self.isAutomaticHeld = isAutomaticHeld
    }
}

/// One root certificate of a certificate authority; its private key is sealed or in a token, and elsewhere.
package struct Issuer: Hashable, Sendable, Codable {
    package var id: IssuerID
    package var certificateAuthority: String
    /// The root certificate, DER.
    package var certificate: [UInt8]
    package var serial: SerialNumber
    /// SHA-256 of the DER.
    package var fingerprint: Fingerprint
    /// SHA-256 of the SubjectPublicKeyInfo; nil for a root made before it was kept, whose key was made here and is nobody else's.
    package var keyFingerprint: Fingerprint?
    package var notBefore: Timestamp
    package var notAfter: Timestamp
    /// When it was found compromised; it never signs again, for anybody.
    package var revokedAt: Timestamp?

    package init(
        id: IssuerID, certificateAuthority: String, certificate: [UInt8], serial: SerialNumber,
        fingerprint: Fingerprint, keyFingerprint: Fingerprint? = nil, notBefore: Timestamp, notAfter: Timestamp,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.certificateAuthority = certificateAuthority
        self.certificate = certificate
        self.serial = serial
        self.fingerprint = fingerprint
        self.keyFingerprint = keyFingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.revokedAt = revokedAt
    }
}

/// What an issuer is to a mesh: rotation's laws speak of these states.
package enum IssuerState: String, Hashable, Sendable, Codable, CaseIterable {
    /// Signs; exactly one for each mesh with mTLS.
    case active
    /// Still bound in every validation context, signs nothing new.
    case outgoing
    /// Bound in every validation context, signs no leaf yet.
    case prepared
    /// Bound nowhere.
    case retired
    /// Compromised: bound nowhere, for all meshes at once.
    case revoked

    /// Whether validation contexts hold the root.
    package var isBound: Bool {
        switch self {
        case .active, .outgoing, .prepared: true
        case .retired, .revoked: false
        }
    }
}
