package import Authority
internal import Logging
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Makes the mesh be as `mesh` says: its certificate authorities, roots, sealed keys, the rotation that moves it from one to
    /// another, and the audit entry, all in one transaction.
    ///
    /// `keys` are those of its provided backends, by name; `leave` allows it to leave a shared certificate authority. A dry run
    /// checks everything and changes nothing. `ifMatch` is the revision that the client read; 0 means "only if there is none".
    package func put(
        _ mesh: Mesh, keys: [String: ProvidedKey] = [:], leave: Bool = false, isDryRun: Bool = false, ifMatch: Int64?,
        by administrator: Administrator
    ) async throws(AuthorityError) -> MeshOutcome {
        try confirm(administrator, reaches: mesh.name)
        // Another replica may have made the certificate authority a moment ago: one more look, before it is called unknown.
        if mesh.certificateAuthorityNames.contains(where: { !$0.contains(".") && self.state.certificateAuthorities[$0] == nil }) {
            try await refresh()
        }
        let state = state
        let current = state.meshes[mesh.name]
        try MeshAuthority.confirm(ifMatch, current: current?.revision, of: "mesh '\(mesh.name)'")
        try confirm(administrator, mayMove: current?.mesh, to: mesh, in: state)
        let now = clock.now
        let roots = try providedRoots(of: mesh, keys: keys, in: state, reach: administrator.meshes, at: now)
        var plan = ChangePlan(state: state, now: now)
        try await add(
            mesh, roots: roots.checked, leave: leave, isDryRun: isDryRun, reach: administrator.meshes,
            by: administrator.auditName, to: &plan)
        var trust = TrustChange()
        var revision: Int64?
        if isDryRun {
            trust = state.settled(with: [], at: now).trustChange(to: state.settled(with: [mesh], at: now), about: [mesh.name])
        } else if let current, current.mesh == mesh, plan.isNoChange {
            // A document that is applied again is no news: its version stays, and so do others' reads of it.
            revision = current.revision
        } else {
            var details = ["trust-domain": mesh.trustDomain.name, "enabled-backend": mesh.mtls?.enabledBackend ?? ""]
            if let rotation = plan.rotations.first {
                details["rotation"] = rotation.id
                details["certificate-authority"] = rotation.certificateAuthority
                details["previous-authority"] = rotation.previousAuthority
            }
            do {
                revision = try await commit(
                    plan.allWrites, administrator, action: current == nil ? "mesh-created" : "mesh-replaced", mesh: mesh.name,
                    object: mesh.name.name, details: details)
            } catch .ledger(.conflict(let what)) where current == nil {
                throw await held(mesh.trustDomain) ?? .ledger(.conflict(what: what))
            }
            for _ in 0..<plan.rootsMade { ServiceMetrics.issued(.root, mesh: mesh.name) }
            try await takeUp()
        }
        return MeshOutcome(
            isCreated: current == nil, revision: revision, mesh: mesh, rotation: plan.rotations.first,
            warnings: roots.warnings, trust: trust)
    }

    /// That the trust domain is still that of a mesh which was deleted; nil: it is not, or nobody can tell.
    private func held(_ trustDomain: TrustDomain) async -> AuthorityError? {
        guard let end = try? await ledger.release(of: trustDomain), end > clock.now else { return nil }
        return .conflict(
            detail: "the trust domain '\(trustDomain)' is held until \(end.iso8601), when the last certificate may have ended "
                + "that was issued for the mesh that was deleted: wait until then, or choose another")
    }

    /// What a mesh's change writes, gathered into `plan`, whose state is then as if it had been made.
    func add(
        _ mesh: Mesh, roots: [String: ProvidedAuthority], leave: Bool, isDryRun: Bool, reach: Set<MeshName>? = nil,
        by actor: String, to plan: inout ChangePlan
    ) async throws(AuthorityError) {
        let directives: [MeshDirective]
        do {
            directives = try plan.state.directives(
                toApply: mesh, connected: connectedProxies(of: mesh.name), leave: leave, reach: reach,
                at: plan.now)
        } catch {
            switch error {
            case .invalid(let field, let reason): throw .invalid([InvalidParameter(field: field, reason: reason)])
            case .conflict(let detail): throw .conflict(detail: detail)
            }
        }
        try confirmRootAdmits(mesh, in: plan)
        if let current = plan.state.meshes[mesh.name] {
            plan.writes.append(.replaceMesh(mesh, revision: current.revision, at: plan.now))
        } else {
            plan.writes.append(.insertMesh(mesh, at: plan.now))
            plan.writes.append(
                .insertTokenSigningKey(
                    try await ServiceKeys.tokenSigningKey(mesh: mesh.name, with: keyRing, at: plan.now)))
        }
        var incoming: IssuerID?
        for directive in directives {
            switch directive {
            case .createCertificateAuthority(let authority, let backend, let use):
                // A dry run makes no key: an RSA one costs seconds.
                if isDryRun { continue }
                let root = try await root(
                    for: authority, provided: roots[backend], trustDomain: mesh.trustDomain, at: plan.now)
                plan.rootsMade += root.record == nil ? 0 : 1
                plan.writes += root.writes(at: plan.now) + [.insertMeshIssuer(mesh.name, root.issuer.id, use)]
                if use == .prepared { incoming = root.issuer.id }
            case .deleteCertificateAuthority(let name):
                plan.writes.append(.deleteCertificateAuthority(name: name, revision: nil))
            case .move(let from, let previous, let authority, let retireAfter):
                let rotation = Rotation(
                    id: "rot-" + Hex.encode(SecureRandom.bytes(8)), kind: .move, meshes: [mesh.name],
                    certificateAuthority: authority, previousAuthority: previous, from: from, to: incoming ?? from,
                    retireAfter: retireAfter, startedAt: plan.now)
                plan.rotations.append(rotation)
                plan.writes += [
                    .insertRotation(rotation), .insertRotationEvent(rotation: rotation.id, rotation.began(by: actor)),
                ]
            case .replaceCertificateAuthority(let authority):
                guard let entry = plan.state.certificateAuthorities[authority.name] else { continue }
                plan.writes.append(.replaceCertificateAuthority(authority, revision: entry.revision, at: plan.now))
            case .replaceRoot(let authority):
                try await addReplacement(of: authority, isDryRun: isDryRun, by: actor, to: &plan)
            case .retire(let issuer, let from):
                plan.writes.append(.setMeshIssuer(mesh.name, issuer, .retired, from: from))
            case .revert(let id):
                guard let entry = plan.state.rotations[id],
                    let transition = plan.state.revert(entry.rotation, at: plan.now)
                else { continue }
                plan.rotations.append(transition.rotation)
                plan.writes += transition.writes(from: entry.revision, in: plan.state, by: actor)
            case .touch(let name):
                plan.touched.insert(name)
            case .use(let issuer, let from, let use):
                plan.writes.append(
                    from.map { .setMeshIssuer(mesh.name, issuer, use, from: $0) } ?? .insertMeshIssuer(mesh.name, issuer, use))
                if use == .prepared { incoming = issuer }
            }
        }
        plan.state.meshes[mesh.name] = AuthorityState.MeshEntry(
            mesh: mesh, revision: plan.state.meshes[mesh.name]?.revision ?? 0, createdAt: plan.now, modifiedAt: plan.now)
    }

    /// By name, each once: several Envoys may have one.
    private nonisolated func connectedProxies(of mesh: MeshName) -> [String] {
        Set(proxies.connected(mesh: mesh).map(\.proxy)).sorted()
    }

    /// A shared root that was brought may have name constraints of its own, which shut some meshes out.
    private nonisolated func confirmRootAdmits(_ mesh: Mesh, in plan: ChangePlan) throws(AuthorityError) {
        guard case .shared(let name)? = mesh.enabledBackend?.kind,
            plan.state.certificateAuthorities[name]?.authority.origin == .provided,
            let root = plan.state.currentIssuer(of: name, at: plan.now), !root.certificate.isEmpty
        else { return }
        let problems = ProvidedAuthority.problems(
            certificate: root.certificate, trustDomains: [mesh.trustDomain], now: plan.now)
        guard problems.isEmpty else {
            throw .conflict(
                detail: "mesh '\(mesh.name)' cannot use the CA '\(name)': \(problems.map(\.reason).joined(separator: "; "))")
        }
    }

    /// Joining, naming or leaving a shared certificate authority concerns every mesh on it, and so does coming out of isolation. Of
    /// one that is not there whoever is limited to named meshes learns no more than of one that is others'.
    private nonisolated func confirm(
        _ administrator: Administrator, mayMove current: Mesh?, to next: Mesh, in state: AuthorityState
    ) throws(AuthorityError) {
        guard administrator.meshes != nil else { return }
        let known = current?.sharedAuthorities ?? []
        var concerned = next.sharedAuthorities.subtracting(known)
        if current?.enabledAuthority != next.enabledAuthority || (current?.isolated == true && !next.isolated) {
            concerned.formUnion([current?.enabledShared, next.enabledShared].compactMap { $0 })
        }
        for authority in concerned.sorted() { try confirm(administrator, reachesUsersOf: authority, in: state) }
    }

    /// Refuses, in one and the same way, a certificate authority that is not there, a mesh's own, and one that others use.
    nonisolated func confirm(
        _ administrator: Administrator, reachesUsersOf authority: String, in state: AuthorityState
    ) throws(AuthorityError) {
        guard administrator.meshes != nil else { return }
        let isThere = state.certificateAuthorities[authority].map { $0.authority.owner == nil } ?? false
        guard isThere, state.users(of: authority).allSatisfy({ administrator.reaches($0) }) else {
            throw refuse(.meshOutOfScope(what: "the CA '\(LogText.escaped(authority))'"), administrator, mesh: nil)
        }
    }

    /// Removes the mesh with the certificate authorities that it owns. Refused while a door names it, and while
    /// proxies are connected.
    ///
    /// Its trust domain stays taken until the last certificate that was issued for it has ended.
    package func delete(
        mesh name: MeshName, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) {
        try confirm(administrator, reaches: name)
        let state = state
        guard let current = state.meshes[name] else { throw .notFound(kind: "mesh", name: name.name) }
        try MeshAuthority.confirm(ifMatch, current: current.revision, of: "mesh '\(name)'")
        if let rotation = state.rotation(of: name)?.rotation {
            throw .conflict(detail: "mesh '\(name)' is in the rotation \(rotation.id): wait for its end")
        }
        let doors = state.doors(of: name)
        guard doors.isEmpty else {
            throw .conflict(
                detail: "mesh '\(name)' is named by a CrossMeshAccess: delete it first: \(AuthorityState.sample(doors))")
        }
        let connected = connectedProxies(of: name)
        guard connected.isEmpty else {
            throw .conflict(
                detail: "mesh '\(name)' has connected proxies: stop them first: \(AuthorityState.sample(connected))")
        }
        // Until when the trust domain is taken is read from what others may be about to write again.
        guard !outage.hasBegunAnew(within: settings.replicaWindow) else {
            throw .ledger(
                .unavailable(
                    detail: "the database may lack certificates of mesh '\(name)' that other replicas write to it again: try in "
                        + "\(settings.replicaWindow.components.seconds) s"))
        }
        var ends = [clock.now]
        do {
            ends += [try await ledger.lastExpiry(of: current.mesh.trustDomain, at: clock.now)].compactMap { $0 }
            // Of those that are cut off nobody knows what they issue: also of those that still seem to live. They may be heard of
            // once more before they know of this.
            let reports = try await replicaReports()
            ends += (reports.departed + reports.living).compactMap(\.absence?.leavesUntil).map { $0 + settings.replicaWindow }
        } catch {
            throw .ledger(error)
        }
        var plan = ChangePlan(state: state, now: clock.now)
        if let shared = current.mesh.enabledAuthority, state.certificateAuthorities[shared]?.authority.owner == nil {
            plan.touched.insert(shared)
        }
        var writes: [LedgerWrite] = state.certificateAuthorities.values.map(\.authority).filter { $0.owner == name }
            .map(\.name).sorted().map { .deleteCertificateAuthority(name: $0, revision: nil) }
        writes.append(.deleteMesh(name, revision: current.revision, freeAt: ends.max() ?? clock.now))
        try await commit(writes + plan.allWrites, administrator, action: "mesh-deleted", mesh: name, object: name.name)
        try await takeUp()
    }

    /// What the very first start commits: the service's keys, and the mesh `default` unless it is not wanted.
    func founding(at now: Timestamp) async throws(AuthorityError) -> LedgerTransaction {
        let secret = SecretBytes.random(32)
        var writes: [LedgerWrite] = [
            .insertServiceKey(
                name: ServiceKeys.leafVersion,
                try await ServiceKeys.seal(
                    secret, owner: ServiceKeys.owner, name: ServiceKeys.leafVersion, with: keyRing)),
            try await ServiceKeys.newAuditKey(with: keyRing),
            .insertTokenSigningKey(try await ServiceKeys.tokenSigningKey(mesh: nil, with: keyRing, at: now)),
        ]
        if !settings.skipDefaultMesh {
            let mesh = try Mesh.default
            var plan = ChangePlan(state: AuthorityState(), now: now)
            try await add(
                mesh, roots: [:], leave: false, isDryRun: false, by: Administrator.system.auditName, to: &plan)
            writes += plan.allWrites
        }
        return LedgerTransaction(
            writes: writes,
            audit: AuditEntry(
                at: now, actor: Administrator.system.auditName, source: Administrator.system.source,
                action: "service-founded", mesh: nil, object: keyRing.current.id
            ).with(AuditDocuments(of: writes, in: AuthorityState())))
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
