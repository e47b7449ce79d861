package import PKI

/// A certificate authority: an owner of issuers, used by one mesh, or shared by several.
package struct CertificateAuthority: Hashable, Sendable, Codable {
    /// `<mesh>.<backend>` for a mesh's own.
    package var name: String
    package var keyAlgorithm: KeyAlgorithm
    /// How long its roots live.
    package var expiration: Duration
    /// The mesh that owns it alone; nil when it is shared.
    package var owner: MeshName?

    package init(name: String, keyAlgorithm: KeyAlgorithm, expiration: Duration, owner: MeshName?) {
        self.name = name
        self.keyAlgorithm = keyAlgorithm
        self.expiration = expiration
        self.owner = owner
    }
}

/// One root certificate of a certificate authority; its private key is sealed, and elsewhere.
package struct Issuer: Hashable, Sendable, Codable {
    package var id: IssuerID
    package var certificateAuthority: String
    /// The root certificate, DER.
    package var certificate: [UInt8]
    package var serial: SerialNumber
    /// SHA-256 of the DER.
    package var fingerprint: Fingerprint
    package var notBefore: Timestamp
    package var notAfter: Timestamp

    package init(
        id: IssuerID, certificateAuthority: String, certificate: [UInt8], serial: SerialNumber,
        fingerprint: Fingerprint, notBefore: Timestamp, notAfter: Timestamp
    ) {
        self.id = id
        self.certificateAuthority = certificateAuthority
        self.certificate = certificate
        self.serial = serial
        self.fingerprint = fingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
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
