/// Why a certificate cannot be made as asked.
package enum CertificateTemplateError: Error, Hashable, Sendable {
    /// The subject's name has an attribute that is empty or too long.
    case name(InvalidName)
    /// A profile of one kind where another is needed.
    case profile(needed: CertificateRecord.Kind, given: CertificateRecord.Kind)
    /// A subject key identifier is not 20 octets, which is what every certificate here has.
    case subjectKeyIdentifier(octets: Int)
    /// The subject's key is of no kind that the profile allows.
    case subjectKey(allowed: [KeyAlgorithm])
    /// The validity ends before it begins, or a time is beyond what a certificate can state.
    case validity(notBefore: Timestamp, notAfter: Timestamp)
}

extension CertificateTemplateError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .name(let name): "the subject \(name)"
        case .profile(let needed, let given): "a profile of kind '\(given.rawValue)' where '\(needed.rawValue)' is needed"
        case .subjectKeyIdentifier(let octets): "a subject key identifier of \(octets) octets, and not 20"
        case .subjectKey(let allowed): "the public key must be one of: \(allowed.map(\.rawValue).joined(separator: ", "))"
        case .validity(let notBefore, let notAfter):
            "no certificate can be valid from \(notBefore.seconds) to \(notAfter.seconds) (seconds since 1970)"
        }
    }
}
