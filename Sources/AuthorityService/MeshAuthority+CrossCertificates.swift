internal import Authority
import CertificateProfiles
internal import PKI
internal import PKICrypto

/// A cross certificate, and what the ledger keeps of it.
struct NewCrossCertificate {
    var certificate: CrossCertificate
    var record: CertificateRecord
}

extension MeshAuthority {
    /// The new root's name and key under the signature of the root before it; nil where that may sign no chain of such a length,
    /// which only one that was brought can be.
    ///
    /// It lives for four of the longest leaves, at least a week, and never past either root; at half of that another one is made, so
    /// that no leaf outlives the one that it carries.
    func crossCertificate(
        of root: Issuer, sealedKey: SealedKey, under previous: Issuer, sealedPreviousKey: SealedKey?, owner: MeshName?,
        trustDomain: TrustDomain?, longestLeaf: Duration, at now: Timestamp
    ) throws(AuthorityError) -> NewCrossCertificate? {
        guard let sealedPreviousKey else {
            throw .crypto(detail: "the key of issuer \(previous.id) of '\(previous.certificateAuthority)' is missing")
        }
        let notBefore = max((now - profiles.cross.validity.backdate).wholeSeconds, root.notBefore, previous.notBefore)
        let notAfter = min(
            (now + MeshAuthority.crossLifetime(longestLeaf: longestLeaf)).wholeSeconds, root.notAfter, previous.notAfter)
        guard notBefore < notAfter, now < notAfter else { return nil }
        let serial = SerialNumber.random()
        return try cryptographically { () throws -> NewCrossCertificate? in
            let (facts, previousFacts) = (
                try CertificateFacts(der: root.certificate), try CertificateFacts(der: previous.certificate)
            )
            guard previousFacts.signsCrossCertificates else { return nil }
            let key = try openRootKey(sealedKey, of: root)
            let previousKey = try openRootKey(sealedPreviousKey, of: previous)
            let prepared = try CertificateTemplate(
                cross: profiles.cross,
                of: SignerDescription(
                    subject: facts.subjectName, subjectKeyIdentifier: facts.subjectKeyIdentifier ?? key.subjectKeyIdentifier,
                    keyAlgorithm: key.algorithm),
                trustDomain: trustDomain,
                under: SignerDescription(
                    subject: previousFacts.subjectName,
                    subjectKeyIdentifier: previousFacts.subjectKeyIdentifier ?? previousKey.subjectKeyIdentifier,
                    keyAlgorithm: previousKey.algorithm)
            ).prepare(serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: key.subjectPublicKeyInfo)
            let record = CertificateRecord(
                serial: serial, kind: .cross, mesh: owner, certificateAuthority: root.certificateAuthority, issuer: root.id,
                signedBy: previous.serial, identity: nil, notBefore: notBefore, notAfter: notAfter, digest: prepared.digest,
                issuedAt: now, origin: nil)
            return NewCrossCertificate(
                certificate: CrossCertificate(
                    certificate: try prepared.sign(with: previousKey), notBefore: notBefore, notAfter: notAfter),
                record: record)
        }
    }

    private static func crossLifetime(longestLeaf: Duration) -> Duration { max(longestLeaf * 4, .seconds(7 * 86_400)) }

    /// Makes the next cross certificate of a rotation whose present one has lived for half of its time; nil: it has not, or none can
    /// be had that lasts longer.
    func renewedCrossCertificate(of rotation: Rotation) async throws(AuthorityError) -> NewCrossCertificate? {
        let (state, now) = (state, clock.now)
        guard let cross = rotation.crossCertificate, rotation.phase != .reverting,
            let root = state.issuers[rotation.to], let previous = state.issuers[rotation.from],
            cross.notAfter < min(root.notAfter, previous.notAfter)
        else { return nil }
        let longest = rotation.meshes.compactMap { state.meshes[$0]?.mesh.leafLifetime }.max() ?? .zero
        // At half of its time; sooner where leaves were made to live longer since.
        let isAged = now.milliseconds >= (cross.notBefore.milliseconds + cross.notAfter.milliseconds) / 2
        guard isAged || cross.notAfter < now + longest * 2 else { return nil }
        // Never one that ends before the one that it replaces: leaves carry that still, and a revocation must know of it.
        guard min(now + MeshAuthority.crossLifetime(longestLeaf: longest), root.notAfter, previous.notAfter) > cross.notAfter
        else {
            return nil
        }
        let keys = try await ledger.loadState().issuerKeys
        guard let sealedKey = keys[root.id] else {
            throw .crypto(detail: "the key of issuer \(root.id) of '\(root.certificateAuthority)' is missing")
        }
        let owner = state.certificateAuthorities[root.certificateAuthority]?.authority.owner
        return try crossCertificate(
            of: root, sealedKey: sealedKey, under: previous, sealedPreviousKey: keys[previous.id], owner: owner,
            trustDomain: owner.flatMap { state.meshes[$0]?.mesh.trustDomain }, longestLeaf: longest, at: now)
    }

    /// Whether a root can vouch for the one after it; one that cannot be read vouches for none.
    nonisolated func isCrossSigner(_ root: Issuer, at now: Timestamp) -> Bool {
        guard now < root.notAfter, let facts = try? CertificateFacts(der: root.certificate) else { return false }
        return facts.signsCrossCertificates
    }

    /// What chains under each new root carry, PEM.
    static func crossPEM(of state: AuthorityState) -> [IssuerID: [UInt8]] {
        if Failpoint.isSet("no-cross-certificate") { return [:] }
        return state.crossCertificates.mapValues { PEM.encodeBytes(label: "CERTIFICATE", der: $0.certificate) }
    }
}

extension CertificateFacts {
    /// Below the old root stand the cross certificate and the issuing certificate.
    fileprivate var signsCrossCertificates: Bool { pathLength.map { $0 >= 2 } ?? true }
}
