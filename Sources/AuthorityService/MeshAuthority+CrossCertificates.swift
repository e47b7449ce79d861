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
        of root: Issuer, under previous: Issuer, previousKey: IssuerKey?, owner: MeshName?, trustDomain: TrustDomain?,
        longestLeaf: Duration, at now: Timestamp
    ) async throws(AuthorityError) -> NewCrossCertificate? {
        let notBefore = max((now - profiles.cross.validity.backdate).wholeSeconds, root.notBefore, previous.notBefore)
        let notAfter = min(
            (now + MeshAuthority.crossLifetime(longestLeaf: longestLeaf)).wholeSeconds, root.notAfter, previous.notAfter)
        guard notBefore < notAfter, now < notAfter else { return nil }
        let serial = SerialNumber.random()
        guard try cryptographically({ try CertificateFacts(der: previous.certificate).signsCrossCertificates }) else {
            return nil
        }
        let signer = try await signingKey(of: previous, key: previousKey, in: state.keyStore(of: previous))
        do {
            let prepared = try CertificateTemplate(
                cross: profiles.cross, of: SignerDescription(root: root.certificate), trustDomain: trustDomain,
                under: SignerDescription(root: previous.certificate)
            ).prepare(
                serial: serial, notBefore: notBefore, notAfter: notAfter,
                publicKey: CertificateFacts(der: root.certificate).subjectPublicKeyInfo)
            let record = CertificateRecord(
                serial: serial, kind: .cross, mesh: owner, certificateAuthority: root.certificateAuthority, issuer: root.id,
                signedBy: previous.serial, identity: nil, notBefore: notBefore, notAfter: notAfter, digest: prepared.digest,
                issuedAt: now, origin: nil)
            return NewCrossCertificate(
                certificate: CrossCertificate(
                    certificate: try await prepared.sign(by: signer), notBefore: notBefore, notAfter: notAfter),
                record: record)
        } catch let failure as SigningFailure {
            throw AuthorityError(failure, "signing the cross certificate of '\(root.certificateAuthority)'")
        } catch {
            throw .crypto(detail: "\(error)")
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
        let owner = state.certificateAuthorities[root.certificateAuthority]?.authority.owner
        return try await crossCertificate(
            of: root, under: previous, previousKey: keys[previous.id], owner: owner,
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
