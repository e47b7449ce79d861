package import PKI

/// Why a certificate signing request is refused. From a request only the public key is taken; whoever asks for more than is
/// granted is told so, rather than given less.
package enum CSRRefusal: Error, Hashable, Sendable {
    /// An attribute other than the extension request (RFC 2986 §4), such as a challenge password.
    case attributeNotAllowed(oid: String)
    /// The CA flag, which is never granted.
    case caRequested
    /// Extended key usages other than serverAuth and clientAuth.
    case extendedKeyUsageRequested
    /// An extension that no leaf has, or that is not the requester's to choose.
    case extensionNotAllowed(oid: String)
    /// A key other than EC P-256, EC P-384 or RSA of 2048 to 8192 bits.
    case keyNotAccepted(algorithm: String)
    /// Key usages other than digitalSignature.
    case keyUsageRequested
    /// The signature does not verify with the request's own key: no proof that the requester has the private key.
    case proofOfPossession
    /// A SAN that is not exactly the one SPIFFE ID granted.
    case subjectAltNameNotGranted(requested: String, granted: SPIFFEID)
    /// More bytes than any request has.
    case tooLarge(bytes: Int, limit: Int)
    /// The bytes are not a certificate signing request.
    case undecodable(detail: String)
    /// A signature algorithm that is not accepted.
    case weakAlgorithm

    /// Stable, kebab-case: for JSON, the audit trail and metrics.
    package var reason: String {
        switch self {
        case .attributeNotAllowed: "csr-attribute-not-allowed"
        case .caRequested: "csr-ca-requested"
        case .extendedKeyUsageRequested: "csr-extended-key-usage-requested"
        case .extensionNotAllowed: "csr-extension-not-allowed"
        case .keyNotAccepted: "csr-key-not-accepted"
        case .keyUsageRequested: "csr-key-usage-requested"
        case .proofOfPossession: "csr-proof-of-possession"
        case .subjectAltNameNotGranted: "csr-subject-alt-name-not-granted"
        case .tooLarge: "csr-too-large"
        case .undecodable: "csr-undecodable"
        case .weakAlgorithm: "csr-weak-algorithm"
        }
    }
}

extension CSRRefusal: CustomStringConvertible {
    /// One sentence for a person: what is wrong, with the values.
    package var description: String {
        switch self {
        case .attributeNotAllowed(let oid): "the attribute \(oid) is not allowed: send the key and at most an extension request"
        case .caRequested: "it asks to be a CA, which is not granted"
        case .extendedKeyUsageRequested: "it asks for an extended key usage beyond serverAuth and clientAuth"
        case .extensionNotAllowed(let oid): "it asks for the extension \(oid), which is not granted"
        case .keyNotAccepted(let algorithm):
            "the key \(algorithm) is not accepted: use EC P-256"
        case .keyUsageRequested: "it asks for a key usage beyond digitalSignature"
        case .proofOfPossession: "its signature does not verify with its own key"
        case .subjectAltNameNotGranted(let requested, let granted):
            "it asks for the names [\(requested)] where \(granted) alone is granted"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes are more than the \(limit) accepted"
        case .undecodable(let detail): "not a certificate signing request: \(detail)"
        case .weakAlgorithm: "its signature algorithm is not accepted: use ECDSA or RSA with SHA-256 or SHA-384"
        }
    }
}
