/// One root of a certificate authority. Times are ISO 8601, numbers and digests lower-case hexadecimal.
package struct IssuerMessage: Codable, Sendable, Hashable {
    /// What the issuer is to one mesh.
    package struct Use: Codable, Sendable, Hashable {
        package var mesh: String
        /// `prepared`, `active`, `outgoing`, `retired` or `revoked`.
        package var state: String

        package init(mesh: String, state: String) {
            self.mesh = mesh
            self.state = state
        }
    }

    package var id: String
    package var certificateAuthority: String
    package var uses: [Use]
    package var serial: String
    /// SHA-256 of the DER.
    package var fingerprint: String
    package var notBefore: String
    package var notAfter: String
    /// When it was found compromised; absent: it was not.
    package var revokedAt: String?
    /// The root certificate, PEM.
    package var certificate: String

    package init(
        id: String, certificateAuthority: String, uses: [Use], serial: String, fingerprint: String, notBefore: String,
        notAfter: String, revokedAt: String? = nil, certificate: String
    ) {
        self.id = id
        self.certificateAuthority = certificateAuthority
        self.uses = uses
        self.serial = serial
        self.fingerprint = fingerprint
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.revokedAt = revokedAt
        self.certificate = certificate
    }
}
