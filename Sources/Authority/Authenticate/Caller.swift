package import PKI

/// A proxy whose credential was verified: what every decision about it starts from.
package struct Caller: Sendable, Hashable {
    package var mesh: MeshName
    /// The only SPIFFE ID that it may be given.
    package var identity: SPIFFEID
    /// The token's name, or else the Envoy node id.
    package var proxy: String
    package var tags: [String: [String]]
    /// The id (jti) of the dataplane token that it came with, or that its certificate descends from.
    package var tokenID: String
    /// The certificate that it came with on the mTLS door; nil for a token.
    package var certificate: PresentedCertificate?

    package struct PresentedCertificate: Sendable, Hashable {
        package var serial: SerialNumber
        package var issuer: IssuerID
        package var notAfter: Timestamp

        package init(serial: SerialNumber, issuer: IssuerID, notAfter: Timestamp) {
            self.serial = serial
            self.issuer = issuer
            self.notAfter = notAfter
        }
    }

    package init(
        mesh: MeshName, identity: SPIFFEID, proxy: String, tags: [String: [String]], tokenID: String,
        certificate: PresentedCertificate? = nil
    ) {
        self.mesh = mesh
        self.identity = identity
        self.proxy = proxy
        self.tags = tags
        self.tokenID = tokenID
        self.certificate = certificate
    }

    /// What the ledger keeps of it beside each of its leaves.
    package var origin: CertificateRecord.Origin {
        CertificateRecord.Origin(tokenID: tokenID, proxy: proxy, tags: tags)
    }

    /// The value of `kuma.io/service`, if there is exactly one.
    package var service: String? {
        guard let values = tags["kuma.io/service"], values.count == 1 else { return nil }
        return values[0]
    }
}
