package import PKI

/// Names one stored row that holds a sealed secret.
package enum SealedKeyRow: Hashable, Sendable {
    /// The root key of an issuer.
    case issuer(IssuerID)
    case service(name: String)
    case tokenSigning(id: String)
}
