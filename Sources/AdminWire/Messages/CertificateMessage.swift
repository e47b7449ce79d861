/// One certificate of the issuance ledger. Times are ISO 8601, numbers and digests lower-case hexadecimal.
package struct CertificateMessage: Codable, Sendable, Hashable {
    /// What a leaf descends from.
    package struct Origin: Codable, Sendable, Hashable {
        package var tokenID: String
        package var proxy: String
        package var tags: [String: [String]]

        package init(tokenID: String, proxy: String, tags: [String: [String]]) {
            self.tokenID = tokenID
            self.proxy = proxy
            self.tags = tags
        }

        private enum CodingKeys: String, CodingKey {
            case proxy, tags
            case tokenID = "tokenId"
        }
    }

    package var serial: String
    /// `root`, `issuing`, `leaf` or `cross`.
    package var kind: String
    package var mesh: String?
    package var certificateAuthority: String
    /// The issuer (root) under which it stands.
    package var issuer: String
    /// The serial of the certificate that signed it.
    package var signedBy: String
    /// The SPIFFE ID of a leaf.
    package var identity: String?
    package var notBefore: String
    package var notAfter: String
    /// SHA-256 of the TBSCertificate.
    package var digest: String
    package var issuedAt: String
    package var origin: Origin?

    package init(
        serial: String, kind: String, mesh: String?, certificateAuthority: String, issuer: String, signedBy: String,
        identity: String?, notBefore: String, notAfter: String, digest: String, issuedAt: String, origin: Origin?
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
