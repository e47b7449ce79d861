import X509

/// A root that a trust domain is bound to, with its key ready for use.
struct TrustAnchor: Sendable {
    let certificate: ParsedCertificate
    /// Nil for a key that is not accepted: no chain can end here.
    let key: Certificate.PublicKey?

    init(_ certificate: ParsedCertificate) {
        self.certificate = certificate
        key = certificate.key.verificationKey()
    }
}
