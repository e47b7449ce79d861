internal import Authority
import CertificateProfiles
internal import Logging
internal import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Everything that serving needs of `loaded`; what of `previous` still holds is taken over.
    func makeSnapshot(of loaded: LedgerState, after previous: Snapshot?) async throws(AuthorityError) -> Snapshot {
        let now = clock.now
        let leafVersionKey: AuthenticationKey
        if let previous {
            leafVersionKey = previous.leafVersionKey
        } else {
            guard let sealed = loaded.serviceKeys[ServiceKeys.leafVersion] else {
                throw .crypto(detail: "the service key '\(ServiceKeys.leafVersion)' is missing from the ledger")
            }
            leafVersionKey = AuthenticationKey(
                try await ServiceKeys.open(
                    sealed, owner: ServiceKeys.owner, name: ServiceKeys.leafVersion, with: keyRing))
        }
        let verifier: ChainVerifier
        do {
            verifier = try ChainVerifier(roots: loaded.authority.boundRoots, after: previous?.verifier)
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
            crossPEM: MeshAuthority.crossPEM(of: loaded.authority), leafVersionKey: leafVersionKey, verifier: verifier,
            after: previous)
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

    /// For each mesh and issuer that needs one: the one there is, or a new one where it is missing or due.
    ///
    /// At the start every one of them must be made, but under a root in a token, which may be away for hours. Later, a mesh whose
    /// certificate cannot be made keeps the one it has, or goes without, and is tried again: it must not hold back what changes for the others, revocations above all.
    private func issuingCertificates(
        for loaded: LedgerState, after previous: Snapshot?, at now: Timestamp
    ) async throws(AuthorityError) -> [MeshName: [IssuerID: IssuingCertificate]] {
        var issuing: [MeshName: [IssuerID: IssuingCertificate]] = [:]
        var missing: [IssuingNeed] = []
        for need in loaded.authority.issuingNeeds(at: now) {
            let kept = previous?.issuing[need.mesh.name]?[need.root.id].flatMap { now < $0.notAfter ? $0 : nil }
            issuing[need.mesh.name, default: [:]][need.root.id] = kept
            // What a ledger in doubt says is looked at, and nothing is signed by it.
            if kept?.serves(need.mesh, under: need.root, at: now) != true, need.mayBeMade, outage.doubt == nil {
                missing.append(need)
            }
        }
        // So many at once that their records share a commit, and few enough that the others' requests are served meanwhile.
        let width = 32
        for start in stride(from: 0, to: missing.count, by: width) {
            let made = await withTaskGroup(of: (IssuingNeed, Result<IssuingCertificate, AuthorityError>).self) { group in
                for need in missing[start..<min(start + width, missing.count)] {
                    let key = loaded.issuerKeys[need.root.id]
                    let store = loaded.authority.keyStore(of: need.root)
                    group.addTask { (need, await self.makeIssuingCertificate(need, rootKey: key, in: store, at: now)) }
                }
                var made: [(IssuingNeed, Result<IssuingCertificate, AuthorityError>)] = []
                for await one in group { made.append(one) }
                return made
            }
            for (need, result) in made {
                do {
                    issuing[need.mesh.name, default: [:]][need.root.id] = try result.get()
                } catch {
                    let token = loaded.issuerKeys[need.root.id]?.token
                    guard previous != nil || token != nil else { throw error }
                    if let token { ServiceMetrics.keyStoreFailed(token: token.location.token) }
                    let kept = issuing[need.mesh.name]?[need.root.id] != nil
                    // A token is tried again every few seconds, perhaps for hours.
                    guard token == nil || isNews(of: "issuing certificate of \(need.mesh.name) under \(need.root.id)") else {
                        continue
                    }
                    logger.critical(
                        "a mesh's issuing certificate cannot be made",
                        metadata: [
                            "mesh": "\(need.mesh.name)", "error": "\(error)", "goes-on-with-the-old": "\(kept)",
                        ])
                }
            }
        }
        return issuing
    }

    private nonisolated func makeIssuingCertificate(
        _ need: IssuingNeed, rootKey: IssuerKey?, in keyStore: KeyStore, at now: Timestamp
    ) async -> Result<IssuingCertificate, AuthorityError> {
        do throws(AuthorityError) {
            return .success(
                try await issuingCertificate(
                    for: need.mesh, under: need.root, rootKey: rootKey, in: keyStore, at: now))
        } catch {
            return .failure(error)
        }
    }

    /// Prepared, recorded, then signed. A crash in between leaves the record of a certificate that never was, which harms nobody.
    private nonisolated func issuingCertificate(
        for mesh: Mesh, under root: Issuer, rootKey: IssuerKey?, in keyStore: KeyStore, at now: Timestamp
    ) async throws(AuthorityError) -> IssuingCertificate {
        try outage.confirmClock()
        let serial = SerialNumber.random()
        let key = try cryptographically { try PrivateKey.generate(.ecP256) }
        // Before anything is recorded: a key that cannot be had, or is another's, makes no certificate. It is let go at once.
        _ = try await signingKey(of: root, key: rootKey, in: keyStore)
        let template = try cryptographically {
            try CertificateTemplate(
                issuing: profiles.issuing, id: String(serial.description.suffix(16)),
                under: SignerDescription(root: root.certificate), trustDomain: mesh.trustDomain,
                nameConstraints: mesh.nameConstraints)
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
            try await recorder.record(record)
        } catch {
            throw .ledger(error)
        }
        let certificate: [UInt8]
        // In the clear for the length of this one signature.
        let signer = try await signingKey(of: root, key: rootKey, in: keyStore)
        do {
            certificate = try await prepared.sign(by: signer)
        } catch {
            throw AuthorityError(error, "signing the issuing certificate of mesh '\(mesh.name)'")
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
        issuer == root.id && hasNameConstraints == mesh.nameConstraints && notBefore <= max(now, root.notBefore)
            && !IssuingCertificateTerms.isDue(
                notBefore: notBefore, notAfter: notAfter, leafLifetime: mesh.leafLifetime, rootNotAfter: root.notAfter,
                at: now)
    }
}

extension Snapshot {
    /// Whether some mesh lacks an issuing certificate, or has one that is due.
    func needsIssuingCertificate(at now: Timestamp) -> Bool {
        authority.issuingNeeds(at: now).contains { need in
            need.mayBeMade && issuing[need.mesh.name]?[need.root.id]?.serves(need.mesh, under: need.root, at: now) != true
                && !authority.keyStore(of: need.root).isPausing
        }
    }
}

/// A mesh that signs, or is about to, under a root.
private struct IssuingNeed: Sendable {
    var mesh: Mesh
    var root: Issuer
    /// False for an outgoing root: the certificate that there is may be needed on the way back, and no other is made.
    var mayBeMade: Bool
}

extension AuthorityState {
    fileprivate func issuingNeeds(at now: Timestamp) -> [IssuingNeed] {
        meshes.values.flatMap { entry in
            (meshIssuers[entry.mesh.name] ?? [:]).compactMap { id, state -> IssuingNeed? in
                guard let root = issuers[id], now < root.notAfter else { return nil }
                switch state {
                case .active, .prepared: return IssuingNeed(mesh: entry.mesh, root: root, mayBeMade: true)
                case .outgoing: return IssuingNeed(mesh: entry.mesh, root: root, mayBeMade: false)
                case .retired, .revoked: return nil
                }
            }
        }
    }
}
