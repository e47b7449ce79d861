package import PKI

/// Who a proxy accepts: each trust domain bound to its own roots, never one merged pool.
package struct ValidationContext: Sendable, Hashable {
    /// Roots as DER, for each trust domain; none of the lists is empty.
    package var trustDomains: [TrustDomain: [[UInt8]]]
    /// The roots to state as `trusted_ca` too, for clients that know no SPIFFE validator; nil where a root is shared.
    package var trustedCA: [[UInt8]]?
    /// Nil: no matchers are sent. Never empty, since Envoy reads an empty list as "anyone".
    package var subjectAltNames: [SubjectAltNameMatcher]?

    package init(
        trustDomains: [TrustDomain: [[UInt8]]], trustedCA: [[UInt8]]?, subjectAltNames: [SubjectAltNameMatcher]?
    ) {
        self.trustDomains = trustDomains
        self.trustedCA = trustedCA
        self.subjectAltNames = subjectAltNames
    }
}

extension ValidationContext {
    /// Whether the matchers, if there are any, let `identity` pass; the chain is another matter.
    package func admits(_ identity: SPIFFEID) -> Bool {
        guard let subjectAltNames else { return true }
        return subjectAltNames.contains { matcher in
            switch matcher {
            case .exact(let expected): identity == expected
            case .trustDomain(let domain): identity.trustDomain == domain
            }
        }
    }
}

/// One of the alternatives in `match_typed_subject_alt_names`, always of the type URI.
package enum SubjectAltNameMatcher: Sendable, Hashable {
    case exact(SPIFFEID)
    /// Every identity of a trust domain: the prefix `spiffe://<trust domain>/`, slash included.
    case trustDomain(TrustDomain)
}
