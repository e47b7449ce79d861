/// The kinds of public key that are accepted in certificates and CSRs: EC P-256, EC P-384, and RSA of a bounded size.
package enum SubjectKeyKind: Hashable, Sendable, CustomStringConvertible {
    case ecP256
    case ecP384
    case rsa(bits: Int)

    /// `EC-P256`, `EC-P384` or `RSA-<bits>`, as in a Mesh document.
    package var description: String {
        switch self {
        case .ecP256: "EC-P256"
        case .ecP384: "EC-P384"
        case .rsa(let bits): "RSA-\(bits)"
        }
    }

    /// From 2048 bits, below which RSA is no longer held to be safe (NIST SP 800-131A), to 8192, since a verification
    /// takes time in the square of the length and the length is the peer's choice.
    static let acceptedRSABits = 2048...8192
}
