internal import PKI
import X509

/// The search for a path from the leaf to a root, through certificates in any order (RFC 4158), within a budget.
///
/// Two steps, so that a refusal says what matters: first names and signatures have to lead to a root, and only such a path is
/// held against the rules of RFC 5280 §6. A chain of a foreign CA is therefore refused as untrusted, whatever else it lacks.
struct PathSearch {
    /// The peer's certificates, the leaf first.
    let certificates: [ParsedCertificate]
    /// The roots of the leaf's trust domain.
    let anchors: [TrustAnchor]
    let trustDomain: TrustDomain
    let now: Timestamp
    /// How many signatures may still be checked.
    private var remainingChecks: Int
    private let allowedChecks: Int
    /// The refusal that came nearest to acceptance so far.
    private var nearest: (rank: Rank, refusal: ChainRefusal)?

    init(
        certificates: [ParsedCertificate], anchors: [TrustAnchor], trustDomain: TrustDomain, now: Timestamp, signatureChecks: Int
    ) {
        self.certificates = certificates
        self.anchors = anchors
        self.trustDomain = trustDomain
        self.now = now
        remainingChecks = signatureChecks
        allowedChecks = signatureChecks
    }

    /// How near a refused path came to acceptance, ascending.
    private enum Rank: Int {
        case badSignature, weakAlgorithm, brokenRule
    }

    /// The first path that satisfies every rule, from the leaf to the root.
    mutating func path() throws(ChainRefusal) -> [ParsedCertificate] {
        if let path = try extend([0]) { return path }
        throw nearest?.refusal ?? .untrustedRoot(trustDomain)
    }

    /// Goes on from a path of indices into `certificates`. A certificate, or another one with its name and key, stands on a
    /// path only once (RFC 4158 §2.4.1), so the depth is at most the number of certificates.
    private mutating func extend(_ path: [Int]) throws(ChainRefusal) -> [ParsedCertificate]? {
        let last = certificates[path[path.count - 1]]
        guard last.issuer != ParsedCertificate.emptyName else { return nil }
        for anchor in anchors where anchor.certificate.subject == last.issuer {
            guard try isSigned(last, by: anchor.certificate, key: anchor.key) else { continue }
            let whole = path.map { certificates[$0] } + [anchor.certificate]
            do {
                try PathRules.check(whole, at: now)
                return whole
            } catch {
                note(.brokenRule, error)
            }
        }
        for index in candidates(for: last) where !stands(certificates[index], on: path) {
            guard try isSigned(last, by: certificates[index], key: certificates[index].key.verificationKey()) else { continue }
            if let found = try extend(path + [index]) { return found }
        }
        return nil
    }

    /// The peer's certificates whose subject is the issuer's name, those that the key identifier points to first.
    private func candidates(for certificate: ParsedCertificate) -> [Int] {
        let named = certificates.indices.dropFirst().filter { certificates[$0].subject == certificate.issuer }
        guard let wanted = certificate.extensions.authorityKeyIdentifier else { return named }
        func isPointedTo(_ index: Int) -> Bool { certificates[index].extensions.subjectKeyIdentifier == wanted }
        return named.filter(isPointedTo) + named.filter { !isPointedTo($0) }
    }

    private func stands(_ certificate: ParsedCertificate, on path: [Int]) -> Bool {
        path.contains { certificates[$0].subject == certificate.subject && certificates[$0].key.der == certificate.key.der }
    }

    /// Spends one check; what is refused is noted.
    private mutating func isSigned(
        _ certificate: ParsedCertificate, by issuer: ParsedCertificate, key: Certificate.PublicKey?
    ) throws(ChainRefusal) -> Bool {
        guard remainingChecks > 0 else { throw .tooManySignatures(limit: allowedChecks) }
        remainingChecks -= 1
        guard let scheme = certificate.signatureScheme else {
            note(.weakAlgorithm, .weakAlgorithm(subject: certificate.displayName))
            return false
        }
        guard let key else {
            note(.weakAlgorithm, .weakAlgorithm(subject: issuer.displayName))
            return false
        }
        guard scheme.verifies(certificate.signature, over: certificate.tbs, with: key) else {
            note(.badSignature, .signature(subject: certificate.displayName))
            return false
        }
        return true
    }

    /// Keeps the first refusal of the highest rank.
    private mutating func note(_ rank: Rank, _ refusal: ChainRefusal) {
        if let nearest, nearest.rank.rawValue >= rank.rawValue { return }
        nearest = (rank, refusal)
    }
}
