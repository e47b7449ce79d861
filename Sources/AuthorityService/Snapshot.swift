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
    let leafVersionKey: SecretBytes
    /// Every trust domain bound to its own roots.
    let verifier: ChainVerifier

    init(
        authority: AuthorityState, issuing: [MeshName: [IssuerID: IssuingCertificate]], tokenKeys: [String: TokenVerificationKey],
        signingKeys: [MeshName?: TokenSigningKey], crossPEM: [IssuerID: [UInt8]], leafVersionKey: SecretBytes,
        verifier: ChainVerifier
    ) {
        self.authority = authority
        self.issuing = issuing
        self.tokenKeys = tokenKeys
        self.signingKeys = signingKeys
        self.crossPEM = crossPEM
        self.leafVersionKey = leafVersionKey
        self.verifier = verifier
    }
}
