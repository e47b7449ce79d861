package import PKI

/// Decides whether a peer's certificate chain proves a SPIFFE identity, by RFC 5280 §6 and X509-SVID §5.
///
/// Holds the roots, each bound to its trust domain, and nothing else: no clock, no I/O, no state. One value serves every
/// handshake of a revision of the trust bundles; a new revision makes a new value.
package struct ChainVerifier: Sendable {
    /// The roots of each trust domain, parsed once.
    private let anchors: [TrustDomain: [TrustAnchor]]
    /// The same by their DER, for the next verifier.
    private let read: [[UInt8]: TrustAnchor]

    /// Reads the roots, each in DER; what `previous` has read already is taken from it, since most revisions change no root.
    ///
    /// A root that cannot be read is refused here, any other defect of it where a chain leads to it, so that one bad root does
    /// not take the others of its trust domain along.
    package init(roots: [TrustDomain: [[UInt8]]], after previous: ChainVerifier? = nil) throws(ChainRefusal) {
        var anchors: [TrustDomain: [TrustAnchor]] = [:]
        var read: [[UInt8]: TrustAnchor] = [:]
        for (domain, certificates) in roots {
            for der in certificates {
                let anchor: TrustAnchor
                if let known = read[der] ?? previous?.read[der] {
                    anchor = known
                } else {
                    anchor = TrustAnchor(try ParsedCertificate(der: der))
                }
                read[der] = anchor
                anchors[domain, default: []].append(anchor)
            }
        }
        self.anchors = anchors
        self.read = read
    }

    /// Finds and checks a path from the leaf, which is the first of `chain`, to a root of the leaf's own trust domain.
    ///
    /// Synchronous and bounded, fit for a TLS handshake. `chain` holds DER; behind the leaf, order does not matter and what
    /// is not needed is passed over, since a peer in a rotation sends a cross certificate that only some of its peers need.
    /// A self-signed certificate among them is never an anchor. Of several defects the refusal names the one that is
    /// nearest to acceptance: one on a path whose signatures lead to a root, before a bad signature, before no path.
    package func verify(chain: [[UInt8]], at now: Timestamp) throws(ChainRefusal) -> VerifiedChain {
        guard !chain.isEmpty else { throw .noCertificate }
        guard chain.count <= ChainVerifier.maximumCertificates else {
            throw .tooLong(count: chain.count, limit: ChainVerifier.maximumCertificates)
        }
        var certificates: [ParsedCertificate] = []
        for der in chain {
            certificates.append(try ParsedCertificate(der: der))
        }
        let leaf = certificates[0]
        let identity = try LeafRules.identity(of: leaf)
        guard let anchors = anchors[identity.trustDomain], !anchors.isEmpty else {
            throw .unknownTrustDomain(identity.trustDomain)
        }
        try LeafRules.check(leaf, at: now)
        var search = PathSearch(
            certificates: certificates, anchors: anchors, trustDomain: identity.trustDomain, now: now,
            signatureChecks: ChainVerifier.maximumSignatureChecks)
        return VerifiedChain(identity: identity, leaf: leaf, path: try search.path())
    }

    /// A peer of ours sends at most three: leaf, issuing certificate, cross certificate. Ten leaves room for a provided root
    /// with a hierarchy above it.
    package static let maximumCertificates = 10

    /// Every step of the search costs one check, and a path of ours takes two or three. 32 lets ten certificates of one
    /// name pass before the right one is found, and bounds a hostile chain to some milliseconds.
    package static let maximumSignatureChecks = 32
}
