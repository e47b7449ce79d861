package import PKI

/// What a chain proved: the identity of its leaf, and the path by which a root of that trust domain vouches for it.
package struct VerifiedChain: Hashable, Sendable {
    /// The leaf's one URI name.
    package let identity: SPIFFEID
    /// The leaf's serial number.
    package let serial: SerialNumber
    /// The leaf's validity.
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// SHA-256 of the leaf's TBSCertificate as it was sent: by this the ledger knows it.
    package let digest: Fingerprint
    /// SHA-256 of the root's DER.
    package let anchor: Fingerprint
    /// SHA-256 of the DER of every certificate on the path, from the leaf to the root.
    package let path: [Fingerprint]
    /// The earliest end of validity on the path: from then on the proof no longer holds.
    package let notAfterOfPath: Timestamp

    /// `path` goes from the leaf to the root and is not empty; `leaf` is its first.
    init(identity: SPIFFEID, leaf: ParsedCertificate, path: [ParsedCertificate]) {
        self.identity = identity
        serial = leaf.serial
        notBefore = leaf.notBefore
        notAfter = leaf.notAfter
        digest = Fingerprint(sha256: Digest.sha256(Array(leaf.tbs)))
        self.path = path.map { Fingerprint(sha256: Digest.sha256($0.bytes)) }
        anchor = self.path[self.path.count - 1]
        notAfterOfPath = path.reduce(leaf.notAfter) { min($0, $1.notAfter) }
    }
}
