internal import PKI
import X509

/// The rules of RFC 5280 §6.1 for a path whose names and signatures are known to chain.
///
/// The root is held to them as well: its validity, CA flag, path length and name constraints bind, as in every TLS library
/// in use.
enum PathRules {
    /// `path` goes from the leaf to the root; what each CA is comes before what it allows below, each from the root down.
    static func check(_ path: [ParsedCertificate], at now: Timestamp) throws(ChainRefusal) {
        let issuers = path.indices.dropFirst().reversed()
        for position in issuers {
            try checkIssuer(path[position], isRoot: position == path.count - 1, at: now)
        }
        for position in issuers {
            try checkPathLength(of: path[position], over: path[1..<position])
            try checkNameConstraints(of: path[position], over: path[..<position])
        }
    }

    /// RFC 5280 §4.2.1.9 counts the intermediate certificates between the CA and the leaf that are not self-issued.
    private static func checkPathLength(
        of issuer: ParsedCertificate, over intermediates: ArraySlice<ParsedCertificate>
    ) throws(ChainRefusal) {
        guard let limit = issuer.extensions.pathLength, intermediates.count(where: { !$0.isSelfIssued }) > limit else { return }
        throw .pathLength(subject: issuer.displayName, limit: limit)
    }

    /// RFC 5280 §6.1.3 (b), (c): they hold for every certificate below but self-issued intermediates.
    private static func checkNameConstraints(
        of issuer: ParsedCertificate, over below: ArraySlice<ParsedCertificate>
    ) throws(ChainRefusal) {
        guard let constraints = issuer.extensions.nameConstraints else { return }
        let rule = NameConstraintRule(constraints)
        for (position, certificate) in below.enumerated() where position == 0 || !certificate.isSelfIssued {
            if let name = rule.violation(in: certificate) {
                throw .nameConstraint(subject: issuer.displayName, name: name)
            }
        }
    }

    /// A root alone may lack the key usage extension, as the ones that `openssl req -x509` makes do.
    private static func checkIssuer(
        _ issuer: ParsedCertificate, isRoot: Bool, at now: Timestamp
    ) throws(ChainRefusal) {
        try ValidityRule.check(issuer, at: now)
        if let unknown = issuer.extensions.unknownCritical {
            throw .unknownCriticalExtension(oid: unknown.dotted)
        }
        guard issuer.extensions.isCA else { throw .issuerNotCA(subject: issuer.displayName) }
        guard issuer.extensions.keyUsage?.keyCertSign ?? isRoot else {
            throw .issuerKeyUsage(subject: issuer.displayName)
        }
        // Not in RFC 5280, but in every TLS library in use: the extended key usage of a CA bounds what is below it.
        if let purposes = issuer.extensions.extendedKeyUsage, !purposes.contains(.any) {
            guard purposes.contains(.serverAuth), purposes.contains(.clientAuth) else {
                throw .issuerExtendedKeyUsage(subject: issuer.displayName)
            }
        }
    }
}
