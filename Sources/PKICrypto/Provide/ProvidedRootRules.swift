internal import PKI
import X509

/// What a root has to be so that every peer accepts what is issued below it: RFC 5280, X509-SVID, and what Envoy, OpenSSL and
/// our own verifier demand of an anchor.
struct ProvidedRootRules {
    private let root: ParsedCertificate
    private let trustDomains: [TrustDomain]
    private let now: Timestamp

    init(_ root: ParsedCertificate, trustDomains: some Sequence<TrustDomain>, now: Timestamp) {
        self.root = root
        self.trustDomains = trustDomains.sorted { $0.name < $1.name }
        self.now = now
    }

    /// Everything that is wrong. Of a workload's certificate that it is one comes first, and what follows from that is left out.
    var problems: [ProvidedAuthorityProblem] {
        let reasons =
            isLeaf
            ? [leafReason] + validity + strength
            : chain + authority + validity + strength + identifiers + purposes + names + nameConstraints
        return reasons.map { ProvidedAuthorityProblem(.certificate, $0) }
    }

    /// Whoever forgot the CA flag alone has a root with one mistake; without keyCertSign too, nobody meant a CA.
    private var isLeaf: Bool { !root.extensions.isCA && root.extensions.keyUsage?.keyCertSign != true }

    private var leafReason: String {
        let name = root.displayName
        return "this is the certificate of a workload or server ('\(name)'), not of a CA, for it has neither the CA flag nor "
            + "keyCertSign: give the self-signed root of the CA"
    }

    /// Whether it is its own issuer. An authority key identifier, where there is one, must be its own subject key identifier:
    /// OpenSSL would not take the certificate for self-signed.
    private var chain: [String] {
        guard root.subject != ParsedCertificate.emptyName else {
            return ["its subject is empty, so that nothing can name it as its issuer: give a root with a subject"]
        }
        guard root.isSelfIssued else {
            return [
                "it is not self-signed ('\(root.displayName)' was issued by '\(NameText.of(root.issuer))'), and peers anchor "
                    + "only in a self-signed root: give the root at the end of its chain"
            ]
        }
        if let authority = root.extensions.authorityKeyIdentifier, authority != root.extensions.subjectKeyIdentifier {
            return [
                "its authority key identifier is not its own subject key identifier, so it does not count as self-signed: "
                    + "give a root whose two identifiers agree, or that has no authority key identifier"
            ]
        }
        // Without a usable algorithm or key there is nothing to verify with, and `strength` says so.
        guard let scheme = root.signatureScheme, let key = root.key.verificationKey() else { return [] }
        guard !scheme.verifies(root.signature, over: root.tbs, with: key) else { return [] }
        return [
            "its signature was not made with its own key, although it names itself as its issuer: give the self-signed root, "
                + "unchanged as its CA made it"
        ]
    }

    /// RFC 5280 §4.2.1.3 and §4.2.1.9. Without keyAgreement, since a key that signs certificates is to do no other work.
    private var authority: [String] {
        var reasons: [String] = []
        if !root.extensions.isCA {
            reasons.append("it has no CA flag: give a root with the basic constraints 'critical, CA:TRUE'")
        }
        if let limit = root.extensions.pathLength, limit < 1 {
            reasons.append(
                "its path length is \(limit), and an issuing certificate stands between it and each leaf: give a root with the "
                    + "path length 1 or more, or without one")
        }
        if root.extensions.keyUsage?.keyCertSign != true {
            reasons.append("its key usage lacks keyCertSign: give a root with the key usage 'critical, keyCertSign, cRLSign'")
        }
        if root.extensions.keyUsage?.keyAgreement == true {
            reasons.append(
                "its key usage has keyAgreement, which a key that signs certificates must not have: give a root with the key "
                    + "usage 'critical, keyCertSign, cRLSign'")
        }
        if let unknown = root.extensions.unknownCritical {
            reasons.append(
                "it has the critical extension \(unknown.dotted), which is not processed here, so that peers would have to "
                    + "refuse it: give a root without it, or with it not critical")
        }
        return reasons
    }

    private var validity: [String] {
        if now < root.notBefore {
            return ["it is not valid before \(root.notBefore.iso8601): bring it then, or give a root that is valid now"]
        }
        if now > root.notAfter {
            return ["it expired at \(root.notAfter.iso8601): give a root that is valid now"]
        }
        return []
    }

    private var strength: [String] {
        var reasons: [String] = []
        if SubjectPublicKeyInfo.algorithm(of: Array(root.key.der)) == nil {
            let known = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
            reasons.append(
                "its key is \(PublicKeyText.of(root.key)): give a root with a key of \(known) (RSA with the exponent 65537)")
        }
        if root.signatureScheme == nil {
            reasons.append(
                "it is signed by \(SignatureAlgorithmText.of(root)): give a root that is signed by ECDSA with SHA-256 or "
                    + "SHA-384, or by RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512")
        }
        return reasons
    }

    private var identifiers: [String] {
        guard root.extensions.subjectKeyIdentifier?.isEmpty ?? true else { return [] }
        return [
            "it has no subject key identifier, by which the certificates below it point to it: give a root with "
                + "'subjectKeyIdentifier = hash'"
        ]
    }

    /// Not in RFC 5280, but in every TLS library in use: the extended key usage of a CA bounds what is below it. OpenSSL and
    /// BoringSSL, and so Envoy, do not read anyExtendedKeyUsage as the two that are needed.
    private var purposes: [String] {
        guard let purposes = root.extensions.extendedKeyUsage,
            !purposes.contains(.serverAuth) || !purposes.contains(.clientAuth)
        else { return [] }
        return [
            "its extended key usage lacks serverAuth or clientAuth, which leaves need both: give a root with both, or without an "
                + "extended key usage"
        ]
    }

    /// X509-SVID §4.1: a signing certificate's SPIFFE ID, if it has one, has no path.
    private var names: [String] {
        root.extensions.uris.filter { uri in
            let scheme = "spiffe://"
            return uri.utf8.starts(with: scheme.utf8) && uri.utf8.dropFirst(scheme.utf8.count).contains(UInt8(ascii: "/"))
        }.map { uri in
            "it carries the SPIFFE ID of a workload, '\(PrintableText.of(uri))': give a root whose URI name ends with the trust "
                + "domain, or that has none"
        }
    }

    /// An issuing certificate has a subject and the URI of its trust domain, a leaf a URI of the same host: these must get by.
    private var nameConstraints: [String] {
        guard let subtrees = root.extensions.nameConstraints else { return [] }
        let rule = NameConstraintRule(subtrees)
        var reasons = trustDomains.filter { !rule.admits(uri: $0.uri + "/x") }.map { trustDomain in
            "its name constraints shut out the trust domain '\(trustDomain.name)': give a root whose permitted URI names hold "
                + "'\(trustDomain.name)' and whose excluded ones do not, or one without name constraints on URIs"
        }
        if (subtrees.permitted + subtrees.excluded).contains(where: { NameForm($0) == .directory }) {
            reasons.append(
                "its name constraints speak of directory names, which would shut out the issuing certificates below it: give a "
                    + "root that constrains no directory names")
        }
        return reasons
    }
}
