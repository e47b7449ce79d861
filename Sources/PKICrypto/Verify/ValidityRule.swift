internal import PKI

/// The period of validity, which includes both its ends (RFC 5280 §4.1.2.5).
enum ValidityRule {
    static func check(_ certificate: ParsedCertificate, at now: Timestamp) throws(ChainRefusal) {
        guard now >= certificate.notBefore else {
            throw .notYetValid(subject: certificate.displayName, notBefore: certificate.notBefore)
        }
        guard now <= certificate.notAfter else {
            throw .expired(subject: certificate.displayName, notAfter: certificate.notAfter)
        }
    }
}
