/// Why a peer's certificate chain is refused. One case, and one reason, for each rule of RFC 5280 §6 and X509-SVID §4–5.
package enum ChainRefusal: Error, Hashable, Sendable {
    /// The extended key usage of a certificate that signs another does not cover TLS servers and clients.
    case issuerExtendedKeyUsage(subject: String)
    /// A certificate that signs another has no CA flag (RFC 5280 §4.2.1.9).
    case issuerNotCA(subject: String)
    /// A certificate that signs another lacks keyCertSign (RFC 5280 §4.2.1.3).
    case issuerKeyUsage(subject: String)
    /// The leaf is a CA (X509-SVID §5.2).
    case leafIsCA
    /// The leaf lacks digitalSignature, or may sign certificates (X509-SVID §4.3).
    case leafKeyUsage
    /// The leaf's extended key usage lacks what the connection needs (X509-SVID §4.4).
    case leafExtendedKeyUsage
    /// A name constraint of a signing certificate excludes the leaf's name (RFC 5280 §4.2.1.10).
    case nameConstraint(subject: String, name: String)
    /// There is no certificate.
    case noCertificate
    /// The leaf has no URI SAN, or more than one (X509-SVID §2).
    case notOneURI(count: Int)
    /// The URI SAN is not a SPIFFE ID.
    case notSPIFFEID(SPIFFEIDError)
    /// More certificates below a CA than its path length allows (RFC 5280 §4.2.1.9).
    case pathLength(subject: String, limit: Int)
    /// The signature does not verify with the key of the next certificate.
    case signature(subject: String)
    /// More certificates than any chain of ours has.
    case tooLong(count: Int, limit: Int)
    /// The search for a path would take more signature checks than any chain of ours needs.
    case tooManySignatures(limit: Int)
    /// The bytes are not a certificate.
    case undecodable(detail: String)
    /// A critical extension that this verifier does not process (RFC 5280 §4.2).
    case unknownCriticalExtension(oid: String)
    /// The leaf's trust domain is not bound to any root here.
    case unknownTrustDomain(TrustDomain)
    /// The chain ends at no root that the leaf's trust domain is bound to.
    case untrustedRoot(TrustDomain)
    /// Past its end.
    case expired(subject: String, notAfter: Timestamp)
    /// Before its beginning.
    case notYetValid(subject: String, notBefore: Timestamp)
    /// The key or the signature algorithm is too weak, or none that is accepted here.
    case weakAlgorithm(subject: String)

    /// Stable, kebab-case: for JSON, the audit trail and metrics.
    package var reason: String {
        switch self {
        case .issuerExtendedKeyUsage: "issuer-extended-key-usage"
        case .issuerNotCA: "issuer-not-ca"
        case .issuerKeyUsage: "issuer-key-usage"
        case .leafIsCA: "leaf-is-ca"
        case .leafKeyUsage: "leaf-key-usage"
        case .leafExtendedKeyUsage: "leaf-extended-key-usage"
        case .nameConstraint: "name-constraint"
        case .noCertificate: "no-certificate"
        case .notOneURI: "not-one-uri"
        case .notSPIFFEID: "not-spiffe-id"
        case .pathLength: "path-length"
        case .signature: "signature"
        case .tooLong: "chain-too-long"
        case .tooManySignatures: "too-many-signatures"
        case .undecodable: "undecodable"
        case .unknownCriticalExtension: "unknown-critical-extension"
        case .unknownTrustDomain: "unknown-trust-domain"
        case .untrustedRoot: "untrusted-root"
        case .expired: "expired"
        case .notYetValid: "not-yet-valid"
        case .weakAlgorithm: "weak-algorithm"
        }
    }
}

extension ChainRefusal: CustomStringConvertible {
    /// One sentence for a person: what is wrong, with the values.
    package var description: String {
        switch self {
        case .issuerExtendedKeyUsage(let subject):
            "the extended key usage of \(subject) must have serverAuth and clientAuth"
        case .issuerNotCA(let subject): "\(subject) signs a certificate but is no CA"
        case .issuerKeyUsage(let subject): "\(subject) signs a certificate without the key usage keyCertSign"
        case .leafIsCA: "the first certificate is a CA and cannot be an identity"
        case .leafKeyUsage: "the leaf's key usage must have digitalSignature and neither keyCertSign nor cRLSign"
        case .leafExtendedKeyUsage: "the leaf's extended key usage must have serverAuth and clientAuth"
        case .nameConstraint(let subject, let name): "the name constraints of \(subject) do not permit \(name)"
        case .noCertificate: "the peer sent no certificate"
        case .notOneURI(let count): "the leaf has \(count) URI names where a SPIFFE identity has exactly one"
        case .notSPIFFEID(let error): "the leaf's URI name is not a SPIFFE ID: \(error)"
        case .pathLength(let subject, let limit): "\(subject) allows at most \(limit) intermediate certificates below it"
        case .signature(let subject): "the signature of \(subject) does not verify with the key of its issuer"
        case .tooLong(let count, let limit): "\(count) certificates are more than the \(limit) accepted"
        case .tooManySignatures(let limit): "no path to a root was found within \(limit) signature checks"
        case .undecodable(let detail): "not a certificate: \(detail)"
        case .unknownCriticalExtension(let oid): "the critical extension \(oid) is not understood"
        case .unknownTrustDomain(let domain): "the trust domain \(domain) is not trusted here"
        case .untrustedRoot(let domain): "the chain does not lead to a root of the trust domain \(domain)"
        case .expired(let subject, let notAfter): "\(subject) expired at \(notAfter.iso8601)"
        case .notYetValid(let subject, let notBefore): "\(subject) is not valid before \(notBefore.iso8601)"
        case .weakAlgorithm(let subject): "the key or signature algorithm of \(subject) is not accepted"
        }
    }
}
