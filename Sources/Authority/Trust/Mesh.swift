package import PKI

/// A Mesh as the operator declared it: contract of the `Mesh` document, parsed and valid.
package struct Mesh: Hashable, Sendable, Codable {
    package var name: MeshName
    /// Unique among all meshes, and unchangeable once set.
    package var trustDomain: TrustDomain
    /// Nil: mTLS is off, the mesh has no certificate authority and its proxies get no secret.
    package var mtls: MTLS?
    /// How a token's tags become the path of a SPIFFE ID.
    package var identityPath: IdentityPath
    /// Keeps a shared root and refuses the other meshes' identities all the same.
    package var isolated: Bool
    /// Whether issuing certificates carry name constraints.
    package var nameConstraints: Bool
    /// Who may be a proxy of the mesh.
    package var membership: MembershipConstraints
    /// Kuma's other fields of the document, as one JSON object: kept and given back, never acted on.
    package var otherFields: String?

    package struct MTLS: Hashable, Sendable, Codable {
        /// The name of the backend that issues; one of `backends`. Nil: mTLS is off, the backends are kept.
        package var enabledBackend: String?
        package var backends: [Backend]

        package init(enabledBackend: String?, backends: [Backend]) {
            self.enabledBackend = enabledBackend
            self.backends = backends
        }
    }

    package struct Backend: Hashable, Sendable, Codable {
        package enum Kind: Hashable, Sendable, Codable {
            /// A certificate authority of this mesh alone, made here.
            case builtin(keyAlgorithm: KeyAlgorithm, expiration: Duration)
            /// A certificate authority of this mesh alone, whose self-signed root (DER) and key were brought by an operator.
            case provided(certificate: [UInt8])
            /// A certificate authority that other meshes may use too, by its name.
            case shared(authority: String)
        }

        package enum Mode: String, Hashable, Sendable, Codable {
            case permissive = "PERMISSIVE"
            case strict = "STRICT"
        }

        package var name: String
        package var kind: Kind
        package var mode: Mode
        /// How long a leaf lives; nil: 24 hours.
        package var leafLifetime: Duration?
        /// The backend as the document had it, as one JSON object: given back without loss.
        package var document: String

        package init(name: String, kind: Kind, mode: Mode, leafLifetime: Duration?, document: String) {
            self.name = name
            self.kind = kind
            self.mode = mode
            self.leafLifetime = leafLifetime
            self.document = document
        }
    }

    package init(
        name: MeshName, trustDomain: TrustDomain, mtls: MTLS?, identityPath: IdentityPath = .service,
        isolated: Bool = false, nameConstraints: Bool = true, membership: MembershipConstraints = .anyone,
        otherFields: String? = nil
    ) {
        self.name = name
        self.trustDomain = trustDomain
        self.mtls = mtls
        self.identityPath = identityPath
        self.isolated = isolated
        self.nameConstraints = nameConstraints
        self.membership = membership
        self.otherFields = otherFields
    }

    /// The backend that issues; nil while mTLS is off.
    package var enabledBackend: Backend? {
        guard let mtls, let enabled = mtls.enabledBackend else { return nil }
        return mtls.backends.first { $0.name == enabled }
    }

    /// How long this mesh's leaves live: `dpCert.rotation.expiration`, else 24 hours, Kuma's default.
    package var leafLifetime: Duration {
        enabledBackend?.leafLifetime ?? .seconds(24 * 60 * 60)
    }

    /// The name of the certificate authority behind a backend: the mesh's own, or the shared one.
    package func certificateAuthorityName(of backend: Backend) -> String {
        switch backend.kind {
        case .builtin, .provided: "\(name).\(backend.name)"
        case .shared(let authority): authority
        }
    }

    /// The name of the certificate authority that issues; nil while mTLS is off.
    package var enabledAuthority: String? { enabledBackend.map { certificateAuthorityName(of: $0) } }
}
