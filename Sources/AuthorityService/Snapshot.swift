internal import Authority
internal import PKI
internal import PKICrypto

/// All that a request needs, read at once and never half old: immutable, and replaced whole by `MeshAuthority.refresh`.
///
/// Every mesh with mTLS has its issuing certificate in here, unless it could not be made, which is tried again.
final class Snapshot: Sendable {
    let authority: AuthorityState
    /// By mesh and issuer, for the one that signs and one that is about to; made, and their keys held, by this replica alone.
    let issuing: [MeshName: [IssuerID: IssuingCertificate]]
    let tokenKeys: [String: TokenVerificationKey]
    /// For each mesh, and under nil for admin tokens, the newest key, which signs; sealed.
    let signingKeys: [MeshName?: TokenSigningKey]
    /// By the issuer that signs: what chains below it carry besides, PEM.
    let crossPEM: [IssuerID: [UInt8]]
    /// Seals `LeafVersion`s; the same on every replica.
    let leafVersionKey: AuthenticationKey
    /// Every trust domain bound to its own roots.
    let verifier: ChainVerifier
    /// Grows by one with each snapshot.
    let generation: Int64
    private let editions: [MeshName: MeshEdition]

    init(
        authority: AuthorityState, issuing: [MeshName: [IssuerID: IssuingCertificate]], tokenKeys: [String: TokenVerificationKey],
        signingKeys: [MeshName?: TokenSigningKey], crossPEM: [IssuerID: [UInt8]], leafVersionKey: AuthenticationKey,
        verifier: ChainVerifier, after previous: Snapshot?
    ) {
        self.authority = authority
        self.issuing = issuing
        self.tokenKeys = tokenKeys
        self.signingKeys = signingKeys
        self.crossPEM = crossPEM
        self.leafVersionKey = leafVersionKey
        self.verifier = verifier
        generation = (previous?.generation ?? 0) + 1
        editions = Snapshot.editions(of: authority, issuing: issuing, generation: generation, after: previous)
    }

    /// The generation in which something last changed for the mesh's proxies: while it is the same, so is every answer to them that
    /// does not depend on time. Of a mesh that there is not, this snapshot's own.
    func edition(of mesh: MeshName) -> Int64 { editions[mesh]?.number ?? generation }

    /// The meshes for whose proxies something changed after `generation`; those that are gone are not among them.
    func meshesChanged(after generation: Int64) -> Set<MeshName> {
        Set(editions.filter { generation < $0.value.number }.keys)
    }

    /// Whether anybody's answers may be others than by `previous`, or another's rotation is.
    func isNews(after previous: Snapshot?) -> Bool {
        guard let previous else { return true }
        return editions.count != previous.editions.count || editions.contains { $0.value.number == generation }
            || authority.rotations != previous.authority.rotations
    }

    /// Whom `caller` is to accept, for any name but its identity's.
    func trust(_ name: SecretName, for caller: Caller) throws(Refusal) -> ServedTrust {
        guard let edition = editions[caller.mesh] else { throw .meshUnknown(caller.mesh.name) }
        return try edition.trust.served(name, for: caller, in: authority)
    }

    /// The running rotation of a mesh; there is at most one.
    func rotation(of mesh: MeshName) -> AuthorityState.RotationEntry? { editions[mesh]?.rotation }

    private static func editions(
        of authority: AuthorityState, issuing: [MeshName: [IssuerID: IssuingCertificate]], generation: Int64,
        after previous: Snapshot?
    ) -> [MeshName: MeshEdition] {
        let changed = previous.map { authority.meshesChanged(since: $0.authority) }
        var rotations: [MeshName: AuthorityState.RotationEntry] = [:]
        for entry in authority.rotations.values {
            for mesh in entry.rotation.meshes { rotations[mesh] = entry }
        }
        var editions: [MeshName: MeshEdition] = [:]
        editions.reserveCapacity(authority.meshes.count)
        for mesh in authority.meshes.keys {
            if let changed, !changed.contains(mesh), let kept = previous?.editions[mesh],
                isSame(issuing[mesh], previous?.issuing[mesh])
            {
                editions[mesh] = kept
            } else {
                editions[mesh] = MeshEdition(number: generation, rotation: rotations[mesh])
            }
        }
        return editions
    }

    private static func isSame(_ next: [IssuerID: IssuingCertificate]?, _ before: [IssuerID: IssuingCertificate]?) -> Bool {
        guard let next, let before else { return next == nil && before == nil }
        return next.count == before.count && next.allSatisfy { before[$0.key] === $0.value }
    }
}
