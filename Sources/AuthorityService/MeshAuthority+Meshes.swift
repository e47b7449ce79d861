package import Authority
internal import Logging
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Makes the mesh be as `mesh` says, with its certificate authority, root, sealed key and audit entry in one transaction.
    ///
    /// `ifMatch` is the revision that the client read; 0 means "only if there is none".
    package func put(
        _ mesh: Mesh, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) -> PutOutcome {
        let current = state.meshes[mesh.name]
        try MeshAuthority.confirm(ifMatch, current: current?.revision, of: "mesh '\(mesh.name)'")
        let now = clock.now
        let directives: [MeshDirective]
        do {
            directives = try state.directives(
                toApply: mesh, connected: proxies.connected(mesh: mesh.name).map(\.proxy), at: now)
        } catch {
            switch error {
            case .invalid(let field, let reason): throw .invalid([InvalidParameter(field: field, reason: reason)])
            case .conflict(let detail): throw .conflict(detail: detail)
            }
        }
        var writes: [LedgerWrite]
        if let current {
            writes = [.replaceMesh(mesh, revision: current.revision, at: now)]
        } else {
            writes = [
                .insertMesh(mesh, at: now),
                .insertTokenSigningKey(try ServiceKeys.tokenSigningKey(mesh: mesh.name, with: keyEncryptionKey, at: now)),
            ]
        }
        for directive in directives { writes += try await self.writes(for: directive, mesh: mesh, at: now) }
        let revision = try await commit(
            writes, administrator, action: current == nil ? "mesh-created" : "mesh-replaced", mesh: mesh.name,
            object: mesh.name.name,
            details: ["trust-domain": mesh.trustDomain.name, "enabled-backend": mesh.mtls?.enabledBackend ?? ""])
        for case .createCertificateAuthority in directives { ServiceMetrics.issued(.root, mesh: mesh.name) }
        try await takeUp()
        return current == nil ? .created(revision: revision) : .replaced(revision: revision)
    }

    /// Removes the mesh with the certificate authorities that it owns. Refused while a door names it, and while
    /// proxies are connected.
    ///
    /// Its trust domain stays taken until the last certificate that was issued for it has ended.
    package func delete(
        mesh name: MeshName, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) {
        guard let current = state.meshes[name] else { throw .notFound(kind: "mesh", name: name.name) }
        try MeshAuthority.confirm(ifMatch, current: current.revision, of: "mesh '\(name)'")
        let doors = state.doors(of: name)
        guard doors.isEmpty else {
            throw .conflict(
                detail: "mesh '\(name)' is named by a CrossMeshAccess: delete it first: \(AuthorityState.sample(doors))")
        }
        let connected = proxies.connected(mesh: name).map(\.proxy)
        guard connected.isEmpty else {
            throw .conflict(
                detail: "mesh '\(name)' has connected proxies: stop them first: \(AuthorityState.sample(connected))")
        }
        let lastExpiry: Timestamp?
        do { lastExpiry = try await ledger.lastExpiry(of: current.mesh.trustDomain) } catch { throw .ledger(error) }
        var writes: [LedgerWrite] = state.certificateAuthorities.values.filter { $0.owner == name }.map(\.name).sorted()
            .map { .deleteCertificateAuthority(name: $0) }
        writes.append(.deleteMesh(name, revision: current.revision, freeAt: max(lastExpiry ?? clock.now, clock.now)))
        try await commit(writes, administrator, action: "mesh-deleted", mesh: name, object: name.name)
        try await takeUp()
    }

    /// What the very first start commits: the service's keys, and the mesh `default` unless it is not wanted.
    func founding(at now: Timestamp) async throws(AuthorityError) -> LedgerTransaction {
        let secret = SecretBytes.random(32)
        var writes: [LedgerWrite] = [
            .insertServiceKey(
                name: ServiceKeys.leafVersion,
                try ServiceKeys.seal(
                    secret, owner: ServiceKeys.owner, name: ServiceKeys.leafVersion, with: keyEncryptionKey)),
            .insertTokenSigningKey(try ServiceKeys.tokenSigningKey(mesh: nil, with: keyEncryptionKey, at: now)),
        ]
        if !settings.skipDefaultMesh {
            let mesh = try Mesh.default
            writes.append(.insertMesh(mesh, at: now))
            writes.append(
                .insertTokenSigningKey(try ServiceKeys.tokenSigningKey(mesh: mesh.name, with: keyEncryptionKey, at: now)))
            let directives: [MeshDirective]
            do {
                directives = try AuthorityState().directives(toApply: mesh, connected: [], at: now)
            } catch {
                throw .conflict(detail: "the default mesh cannot be made: \(error)")
            }
            for directive in directives { writes += try await self.writes(for: directive, mesh: mesh, at: now) }
        }
        return LedgerTransaction(
            writes: writes,
            audit: AuditEntry(
                at: now, actor: Administrator.system.auditName, source: Administrator.system.source,
                action: "service-founded", mesh: nil, object: keyEncryptionKey.id))
    }

    private func writes(
        for directive: MeshDirective, mesh: Mesh, at now: Timestamp
    ) async throws(AuthorityError) -> [LedgerWrite] {
        switch directive {
        case .createCertificateAuthority(let authority):
            let root = try await makeRoot(for: authority, trustDomain: mesh.trustDomain, at: now)
            return [
                .insertCertificateAuthority(authority), .recordCertificate(root.record),
                .insertIssuer(root.issuer, key: root.sealedKey), .insertMeshIssuer(mesh.name, root.issuer.id, .active),
            ]
        case .deleteCertificateAuthority(let name):
            return [.deleteCertificateAuthority(name: name)]
        case .replaceCertificateAuthority(let authority):
            return [.replaceCertificateAuthority(authority)]
        case .resume(let issuer, let from):
            return [.setMeshIssuer(mesh.name, issuer, .active, from: from)]
        case .retire(let issuer, let from):
            return [.setMeshIssuer(mesh.name, issuer, .retired, from: from)]
        }
    }

    private struct NewRoot {
        var issuer: Issuer
        var sealedKey: SealedKey
        var record: CertificateRecord
    }

    /// A self-signed root with its key sealed. It leaves this function only into the transaction that records it.
    private func makeRoot(
        for authority: CertificateAuthority, trustDomain: TrustDomain, at now: Timestamp
    ) async throws(AuthorityError) -> NewRoot {
        let id = IssuerID(random: SecureRandom.bytes(8))
        let serial = SerialNumber.random()
        let notBefore = (now - profiles.root.validity.backdate).wholeSeconds
        let notAfter = (now + authority.expiration).wholeSeconds
        let key = try await RootKeys.generate(authority.keyAlgorithm)
        let prepared = try cryptographically {
            try CertificateTemplate(
                root: profiles.root, id: id, trustDomain: authority.owner == nil ? nil : trustDomain,
                keyAlgorithm: authority.keyAlgorithm
            ).prepare(serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: key.subjectPublicKeyInfo)
        }
        let record = CertificateRecord(
            serial: serial, kind: .root, mesh: authority.owner, certificateAuthority: authority.name, issuer: id,
            signedBy: serial, identity: nil, notBefore: notBefore, notAfter: notAfter, digest: prepared.digest,
            issuedAt: now, origin: nil)
        let certificate: [UInt8]
        let sealedKey: SealedKey
        do {
            certificate = try prepared.sign(with: key)
            sealedKey = try ServiceKeys.seal(
                try key.pkcs8(), owner: authority.name, name: id.text, with: keyEncryptionKey)
        } catch let error as AuthorityError {
            throw error
        } catch {
            throw .crypto(detail: "making the root of '\(authority.name)': \(error)")
        }
        let issuer = Issuer(
            id: id, certificateAuthority: authority.name, certificate: certificate, serial: serial,
            fingerprint: Fingerprint(sha256: Digest.sha256(certificate)), notBefore: notBefore, notAfter: notAfter)
        return NewRoot(issuer: issuer, sealedKey: sealedKey, record: record)
    }

    /// Throws unless `ifMatch`, if it is given, is the current revision; 0 stands for "there is none".
    static func confirm(_ ifMatch: Int64?, current: Int64?, of what: String) throws(AuthorityError) {
        guard let ifMatch, ifMatch != current ?? 0 else { return }
        throw .preconditionFailed(detail: "\(what) was changed since it was read: read it again and repeat")
    }
}

extension Mesh {
    /// The mesh that the first start makes: a builtin EC P-256 CA of ten years, leaves of a day.
    static var `default`: Mesh {
        get throws(AuthorityError) {
            do {
                return Mesh(
                    name: try MeshName("default"), trustDomain: try TrustDomain("default"),
                    mtls: MTLS(
                        enabledBackend: "ca-1",
                        backends: [
                            Backend(
                                name: "ca-1", kind: .builtin(keyAlgorithm: .ecP256, expiration: .seconds(10 * 365 * 86_400)),
                                mode: .strict, leafLifetime: nil, document: #"{"name":"ca-1","type":"builtin"}"#)
                        ]))
            } catch {
                throw .conflict(detail: "the default mesh cannot be made: \(error)")
            }
        }
    }
}
