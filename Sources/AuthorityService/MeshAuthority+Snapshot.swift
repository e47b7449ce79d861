internal import Authority
import CertificateProfiles
internal import Logging
internal import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Everything that serving needs of `loaded`; what of `previous` still holds is taken over.
    func makeSnapshot(of loaded: LedgerState, after previous: Snapshot?) async throws(AuthorityError) -> Snapshot {
        let now = clock.now
        let leafVersionKey: SecretBytes
        if let previous {
            leafVersionKey = previous.leafVersionKey
        } else {
            guard let sealed = loaded.serviceKeys[ServiceKeys.leafVersion] else {
                throw .crypto(detail: "the service key '\(ServiceKeys.leafVersion)' is missing from the ledger")
            }
            leafVersionKey = try ServiceKeys.open(
                sealed, owner: ServiceKeys.owner, name: ServiceKeys.leafVersion, with: keyEncryptionKey)
        }
        let verifier: ChainVerifier
        do {
            verifier = try ChainVerifier(roots: loaded.authority.boundRoots)
        } catch {
            throw .crypto(detail: "a stored root cannot be read: \(error)")
        }
        return Snapshot(
            authority: loaded.authority,
            issuing: try await issuingCertificates(for: loaded, after: previous, at: now),
            tokenKeys: try await tokenKeys(of: loaded, after: previous, at: now),
            signingKeys: Dictionary(
                loaded.tokenSigningKeys.filter { $0.endsAt == nil }.map { ($0.mesh, $0) },
                uniquingKeysWith: { ($0.createdAt, $0.id) > ($1.createdAt, $1.id) ? $0 : $1 }),
            leafVersionKey: leafVersionKey, verifier: verifier)
    }

    private func tokenKeys(
        of loaded: LedgerState, after previous: Snapshot?, at now: Timestamp
    ) async throws(AuthorityError) -> [String: TokenVerificationKey] {
        var keys: [String: TokenVerificationKey] = [:]
        for key in loaded.tokenSigningKeys where key.endsAt.map({ now < $0 }) ?? true {
            if let kept = previous?.tokenKeys[key.id], kept.endsAt == key.endsAt {
                keys[key.id] = kept
                continue
            }
            do {
                keys[key.id] = try await TokenVerificationKey(key)
            } catch {
                throw .crypto(detail: "the token signing key \(key.id) cannot be read: \(error)")
            }
        }
        return keys
    }

    /// One for each mesh with mTLS: the one there is, or a new one where it is missing or due.
    ///
    /// At the start every one of them must be made. Later, a mesh whose certificate cannot be made keeps the one it has, or
    /// goes without, and is tried again: it must not hold back what changes for the others, revocations above all.
    private func issuingCertificates(
        for loaded: LedgerState, after previous: Snapshot?, at now: Timestamp
    ) async throws(AuthorityError) -> [MeshName: IssuingCertificate] {
        var issuing: [MeshName: IssuingCertificate] = [:]
        for (name, entry) in loaded.authority.meshes {
            guard let root = loaded.authority.activeIssuer(of: name), now < root.notAfter else { continue }
            let kept = previous?.issuing[name].flatMap { $0.issuer == root.id && now < $0.notAfter ? $0 : nil }
            if let kept, kept.serves(entry.mesh, under: root, at: now) {
                issuing[name] = kept
                continue
            }
            do throws(AuthorityError) {
                guard let sealed = loaded.issuerKeys[root.id] else {
                    throw AuthorityError.crypto(
                        detail: "the key of issuer \(root.id) of '\(root.certificateAuthority)' is missing")
                }
                issuing[name] = try await issuingCertificate(for: entry.mesh, under: root, sealedRootKey: sealed, at: now)
            } catch {
                guard previous != nil else { throw error }
                logger.critical(
                    "a mesh's issuing certificate cannot be made",
                    metadata: ["mesh": "\(name)", "error": "\(error)", "goes-on-with-the-old": "\(kept != nil)"])
                issuing[name] = kept
            }
        }
        return issuing
    }

    /// Prepared, recorded, then signed. A crash in between leaves the record of a certificate that never was, which harms nobody.
    private func issuingCertificate(
        for mesh: Mesh, under root: Issuer, sealedRootKey: SealedKey, at now: Timestamp
    ) async throws(AuthorityError) -> IssuingCertificate {
        let serial = SerialNumber.random()
        let key = try cryptographically { try PrivateKey.generate(.ecP256) }
        let template = try cryptographically {
            let facts = try CertificateFacts(der: root.certificate)
            let rootKey = try openRootKey(sealedRootKey, of: root)
            return try CertificateTemplate(
                issuing: profiles.issuing, id: String(serial.description.suffix(16)),
                under: SignerDescription(
                    subject: facts.subjectName,
                    subjectKeyIdentifier: facts.subjectKeyIdentifier ?? rootKey.subjectKeyIdentifier,
                    keyAlgorithm: rootKey.algorithm),
                trustDomain: mesh.trustDomain, nameConstraints: mesh.nameConstraints)
        }
        let lifetime = profiles.issuing.validity.lifetime.duration(configured: nil, leaf: mesh.leafLifetime)
        let notBefore = max((now - profiles.issuing.validity.backdate).wholeSeconds, root.notBefore)
        let notAfter = IssuingCertificateTerms.notAfter(
            lifetime: lifetime ?? mesh.leafLifetime, rootNotAfter: root.notAfter, at: now)
        let prepared = try cryptographically {
            try template.prepare(
                serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: key.subjectPublicKeyInfo)
        }
        let record = CertificateRecord(
            serial: serial, kind: .issuing, mesh: mesh.name, certificateAuthority: root.certificateAuthority,
            issuer: root.id, signedBy: root.serial, identity: nil, notBefore: notBefore, notAfter: notAfter,
            digest: prepared.digest, issuedAt: now, origin: nil)
        do {
            try await ledger.record([record])
        } catch {
            throw .ledger(error)
        }
        let certificate: [UInt8]
        do {
            // The root key is in the clear for the length of this one signature.
            certificate = try prepared.sign(with: openRootKey(sealedRootKey, of: root))
        } catch let error as AuthorityError {
            throw error
        } catch {
            throw .crypto(detail: "signing the issuing certificate of mesh '\(mesh.name)': \(error)")
        }
        ServiceMetrics.issued(.issuing, mesh: mesh.name)
        logger.info(
            "issuing certificate made",
            metadata: ["mesh": "\(mesh.name)", "issuer": "\(root.id)", "serial": "\(serial)"])
        return IssuingCertificate(
            mesh: mesh.name, issuer: root.id, certificateAuthority: root.certificateAuthority, serial: serial,
            notBefore: notBefore, notAfter: notAfter, hasNameConstraints: mesh.nameConstraints, certificate: certificate,
            subject: template.subject, key: key, leafProfile: profiles.leaf)
    }

    private nonisolated func openRootKey(_ sealed: SealedKey, of root: Issuer) throws -> PrivateKey {
        try PrivateKey(
            pkcs8: ServiceKeys.open(sealed, owner: root.certificateAuthority, name: root.id.text, with: keyEncryptionKey))
    }

    /// Runs `body`, and names what fails in it as a cryptographic failure.
    nonisolated func cryptographically<Result: ~Copyable>(
        _ body: () throws -> Result
    ) throws(AuthorityError) -> Result {
        do {
            return try body()
        } catch let error as AuthorityError {
            throw error
        } catch {
            throw .crypto(detail: "\(error)")
        }
    }
}

extension IssuingCertificate {
    /// Whether it can go on issuing for `mesh` under `root`.
    func serves(_ mesh: Mesh, under root: Issuer, at now: Timestamp) -> Bool {
        issuer == root.id && hasNameConstraints == mesh.nameConstraints
            && !IssuingCertificateTerms.isDue(
                notBefore: notBefore, notAfter: notAfter, leafLifetime: mesh.leafLifetime, rootNotAfter: root.notAfter,
                at: now)
    }
}

extension Snapshot {
    /// Whether some mesh with mTLS has no issuing certificate, or one that is due.
    func needsIssuingCertificate(at now: Timestamp) -> Bool {
        authority.meshes.contains { name, entry in
            guard let root = authority.activeIssuer(of: name), now < root.notAfter else { return false }
            return issuing[name]?.serves(entry.mesh, under: root, at: now) != true
        }
    }
}
