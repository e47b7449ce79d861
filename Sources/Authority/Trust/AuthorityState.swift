package import PKI

/// Everything that decisions are made from: one consistent picture of the ledger at `revision`. It holds no secret.
///
/// A value: the shell swaps in a new one after each durable change, readers keep the one they took.
package struct AuthorityState: Sendable, Hashable {
    /// Grows by one with every committed transaction.
    package var revision: Int64
    package var meshes: [MeshName: MeshEntry]
    package var certificateAuthorities: [String: CertificateAuthorityEntry]
    package var issuers: [IssuerID: Issuer]
    /// For each mesh, what each issuer is to it.
    package var meshIssuers: [MeshName: [IssuerID: IssuerState]]
    /// Ids of revoked tokens, until they would have expired anyway.
    package var revokedTokens: Set<String>
    package var revokedIdentities: Set<SPIFFEID>
    /// For each mesh and `kuma.io/service`, the identities granted to unrevoked tokens with that tag.
    package var serviceIdentities: [MeshName: [String: Set<SPIFFEID>]]
    /// For each mesh and MeshService, the identities granted to unrevoked tokens with every tag of its selector. Apart from the
    /// others, for doors speak of `kuma.io/service` alone.
    package var meshServiceIdentities: [MeshName: [String: Set<SPIFFEID>]]
    /// The doors between meshes, by name.
    package var crossMeshAccesses: [String: CrossMeshAccessEntry]
    /// The rotations that run, by id.
    package var rotations: [String: RotationEntry]
    /// By mesh and name.
    package var meshServices: [MeshName: [String: MeshServiceEntry]]

    /// A certificate authority with what only the ledger knows of it.
    package struct CertificateAuthorityEntry: Sendable, Hashable {
        package var authority: CertificateAuthority
        /// Of its row: changes with its terms, and whenever a mesh joins or leaves.
        package var revision: Int64
        package var createdAt: Timestamp
        package var modifiedAt: Timestamp

        package init(authority: CertificateAuthority, revision: Int64, createdAt: Timestamp, modifiedAt: Timestamp) {
            self.authority = authority
            self.revision = revision
            self.createdAt = createdAt
            self.modifiedAt = modifiedAt
        }
    }

    /// A running rotation with its row's revision, which a compare-and-swap compares.
    package struct RotationEntry: Sendable, Hashable {
        package var rotation: Rotation
        package var revision: Int64

        package init(rotation: Rotation, revision: Int64) {
            self.rotation = rotation
            self.revision = revision
        }
    }

    /// A MeshService with what only the ledger knows of it.
    package struct MeshServiceEntry: Sendable, Hashable {
        package var service: MeshService
        package var revision: Int64
        package var createdAt: Timestamp
        package var modifiedAt: Timestamp

        package init(service: MeshService, revision: Int64, createdAt: Timestamp, modifiedAt: Timestamp) {
            self.service = service
            self.revision = revision
            self.createdAt = createdAt
            self.modifiedAt = modifiedAt
        }
    }

    /// A door with what only the ledger knows of it.
    package struct CrossMeshAccessEntry: Sendable, Hashable {
        package var access: CrossMeshAccess
        /// Of this door's row: the ETag, and what a compare-and-swap compares.
        package var revision: Int64
        package var createdAt: Timestamp
        package var modifiedAt: Timestamp

        package init(access: CrossMeshAccess, revision: Int64, createdAt: Timestamp, modifiedAt: Timestamp) {
            self.access = access
            self.revision = revision
            self.createdAt = createdAt
            self.modifiedAt = modifiedAt
        }
    }

    /// A mesh with what only the ledger knows of it.
    package struct MeshEntry: Sendable, Hashable {
        package var mesh: Mesh
        /// Of this mesh's row: the ETag, and what a compare-and-swap compares.
        package var revision: Int64
        package var createdAt: Timestamp
        package var modifiedAt: Timestamp

        package init(mesh: Mesh, revision: Int64, createdAt: Timestamp, modifiedAt: Timestamp) {
            self.mesh = mesh
            self.revision = revision
            self.createdAt = createdAt
            self.modifiedAt = modifiedAt
        }
    }

    package init(
        revision: Int64 = 0, meshes: [MeshName: MeshEntry] = [:],
        certificateAuthorities: [String: CertificateAuthorityEntry] = [:], issuers: [IssuerID: Issuer] = [:],
        meshIssuers: [MeshName: [IssuerID: IssuerState]] = [:], revokedTokens: Set<String> = [],
        revokedIdentities: Set<SPIFFEID> = [],
        serviceIdentities: [MeshName: [String: Set<SPIFFEID>]] = [:],
        meshServiceIdentities: [MeshName: [String: Set<SPIFFEID>]] = [:],
        crossMeshAccesses: [String: CrossMeshAccessEntry] = [:], rotations: [String: RotationEntry] = [:],
        meshServices: [MeshName: [String: MeshServiceEntry]] = [:]
    ) {
        self.revision = revision
        self.meshes = meshes
        self.certificateAuthorities = certificateAuthorities
        self.issuers = issuers
        self.meshIssuers = meshIssuers
        self.revokedTokens = revokedTokens
        self.revokedIdentities = revokedIdentities
        self.serviceIdentities = serviceIdentities
        self.meshServiceIdentities = meshServiceIdentities
        self.crossMeshAccesses = crossMeshAccesses
        self.rotations = rotations
        self.meshServices = meshServices
    }

    /// The issuer that signs for `mesh` now; nil while mTLS is off.
    package func activeIssuer(of mesh: MeshName) -> Issuer? {
        meshIssuers[mesh]?.first { $0.value == .active }.flatMap { issuers[$0.key] }
    }

    /// The roots that `mesh`'s trust domain is bound to, oldest first.
    package func boundIssuers(of mesh: MeshName) -> [Issuer] {
        (meshIssuers[mesh] ?? [:]).filter(\.value.isBound).keys.compactMap { issuers[$0] }
            .sorted { ($0.notBefore, $0.id) < ($1.notBefore, $1.id) }
    }

    /// The cross certificates that chains under each new root carry now: from the moment it signs to the end of its rotation, so that
    /// a peer which knows only the old root accepts them.
    package var crossCertificates: [IssuerID: CrossCertificate] {
        var certificates: [IssuerID: CrossCertificate] = [:]
        for rotation in rotations.values.map(\.rotation) where rotation.phase == .issuing || rotation.phase == .withdrawing {
            certificates[rotation.to] = rotation.crossCertificate
        }
        return certificates
    }

    /// Whether every decision from `other` would be the same: all but the revision is equal.
    package func isSame(as other: AuthorityState) -> Bool {
        var other = other
        other.revision = revision
        return self == other
    }

    /// The mesh that `trustDomain` belongs to.
    package func mesh(of trustDomain: TrustDomain) -> Mesh? {
        meshes.values.first { $0.mesh.trustDomain == trustDomain }?.mesh
    }
}
