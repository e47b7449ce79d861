/// What the ledger keeps of a certificate, written before the certificate is signed and delivered.
///
/// A value, so that it can travel into the ledger's batch while the one-shot `PreparedCertificate` stays behind.
package struct CertificateRecord: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case cross, issuing, leaf, root
    }

    package var serial: SerialNumber
    package var kind: Kind
    /// The mesh it speaks for; nil for the root or cross certificate of a shared certificate authority.
    package var mesh: MeshName?
    /// The certificate authority's name.
    package var certificateAuthority: String
    /// The issuer (root) under which it stands.
    package var issuer: IssuerID
    /// The serial of the certificate that signs it; its own for a root.
    package var signedBy: SerialNumber
    /// The SPIFFE ID of a leaf.
    package var identity: SPIFFEID?
    package var notBefore: Timestamp
    package var notAfter: Timestamp
    /// SHA-256 of the TBSCertificate: known before the signature is, and enough to find a certificate seen on the wire.
    package var digest: Fingerprint
    /// When the record was made.
    package var issuedAt: Timestamp
    /// What the leaf descends from; nil for CA certificates.
    package var origin: Origin?

    /// The credential that a leaf descends from. A renewal by certificate inherits it.
    package struct Origin: Hashable, Sendable, Codable {
        /// The dataplane token's id.
        package var tokenID: String
        /// The proxy's name: the token's, or else the Envoy node id.
        package var proxy: String
        /// The token's tags.
        package var tags: [String: [String]]
        /// The Envoy node whose stream it was delivered on; nil for one that is nobody's subscription (FetchSecrets, CSR).
        package var node: String?

        package init(tokenID: String, proxy: String, tags: [String: [String]], node: String? = nil) {
            self.tokenID = tokenID
            self.proxy = proxy
            self.tags = tags
            self.node = node
        }
    }

    package init(
        serial: SerialNumber, kind: Kind, mesh: MeshName?, certificateAuthority: String, issuer: IssuerID,
        signedBy: SerialNumber, identity: SPIFFEID?, notBefore: Timestamp, notAfter: Timestamp, digest: Fingerprint,
        issuedAt: Timestamp, origin: Origin?
    ) {
        self.serial = serial
        self.kind = kind
        self.mesh = mesh
        self.certificateAuthority = certificateAuthority
        self.issuer = issuer
        self.signedBy = signedBy
        self.identity = identity
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.digest = digest
        self.issuedAt = issuedAt
        self.origin = origin
    }
}
