package import Authority
package import PKI

/// What `Ledger.load` reads: the core's state, and the sealed secrets that only the shell may open.
package struct LedgerState: Sendable {
    package var authority: AuthorityState
    /// The root key of each issuer.
    package var issuerKeys: [IssuerID: IssuerKey]
    package var tokenSigningKeys: [TokenSigningKey]
    /// Keys of the service itself, by name: see `ServiceKey`.
    package var serviceKeys: [String: SealedKey]
    /// The ledger's own id: see `LedgerPosition`.
    package var ledger = ""
    package var epoch: Int64 = 1
    /// Which line of history the server writes that answered: see `LedgerSight`. Nil: it was not asked, or does not say.
    package var timeline: Int64?

    package var position: LedgerPosition {
        LedgerPosition(ledger: ledger, epoch: epoch, revision: authority.revision)
    }

    package init(
        authority: AuthorityState = AuthorityState(), issuerKeys: [IssuerID: IssuerKey] = [:],
        tokenSigningKeys: [TokenSigningKey] = [], serviceKeys: [String: SealedKey] = [:]
    ) {
        self.authority = authority
        self.issuerKeys = issuerKeys
        self.tokenSigningKeys = tokenSigningKeys
        self.serviceKeys = serviceKeys
    }
}

/// A key that signs tokens: ES256. Two may be valid at a time; the newest signs.
package struct TokenSigningKey: Hashable, Sendable {
    /// `kid`: unique among all meshes.
    package var id: String
    /// The mesh whose dataplane tokens it signs; nil: admin tokens.
    package var mesh: MeshName?
    /// SubjectPublicKeyInfo, DER.
    package var publicKey: [UInt8]
    package var sealedKey: SealedKey
    package var createdAt: Timestamp
    /// Nil: in use. From then on it verifies nothing.
    package var endsAt: Timestamp?

    package init(
        id: String, mesh: MeshName?, publicKey: [UInt8], sealedKey: SealedKey, createdAt: Timestamp, endsAt: Timestamp?
    ) {
        self.id = id
        self.mesh = mesh
        self.publicKey = publicKey
        self.sealedKey = sealedKey
        self.createdAt = createdAt
        self.endsAt = endsAt
    }
}

/// A token that was issued: its digest, never itself.
package struct TokenRecord: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case dataplane, user
    }

    /// `jti`.
    package var id: String
    package var kind: Kind
    /// Nil for a user token.
    package var mesh: MeshName?
    /// The proxy's name (may be empty), or the user's.
    package var name: String
    package var tags: [String: [String]]
    /// A user's roles.
    package var roles: [String]
    /// The identity that a dataplane token is worth.
    package var identity: SPIFFEID?
    /// SHA-256 of the token's text.
    package var digest: Fingerprint
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    package var revokedAt: Timestamp?
    /// The meshes that a user's roles are limited to, sorted; nil: all.
    package var meshes: [MeshName]?

    package init(
        id: String, kind: Kind, mesh: MeshName?, name: String, tags: [String: [String]], roles: [String],
        identity: SPIFFEID?, digest: Fingerprint, issuedAt: Timestamp, expiresAt: Timestamp, revokedAt: Timestamp? = nil,
        meshes: [MeshName]? = nil
    ) {
        self.id = id
        self.kind = kind
        self.mesh = mesh
        self.name = name
        self.tags = tags
        self.roles = roles
        self.identity = identity
        self.digest = digest
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.meshes = meshes
    }
}
