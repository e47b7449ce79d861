package import Authority
internal import Logging
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Makes a certificate authority that meshes may share, or changes its terms; the meshes that are named join it.
    ///
    /// `root` is one that the operator brought; nil: it is made here. Leaving is never by this document: a mesh that is not named
    /// stays. A dry run checks everything and changes nothing.
    package func put(
        _ authority: CertificateAuthority, meshes: [MeshName], root: ProvidedRoot?, isDryRun: Bool = false,
        ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) -> CertificateAuthorityOutcome {
        try confirmUnlimited(administrator, for: "certificate authorities")
        if meshes.contains(where: { self.state.meshes[$0] == nil }) { try await refresh() }
        let state = state
        let now = clock.now
        let current = state.certificateAuthorities[authority.name]
        try MeshAuthority.confirm(ifMatch, current: current?.revision, of: "CertificateAuthority '\(authority.name)'")
        let problems = MeshAuthority.problems(of: authority, meshes: meshes, in: state)
        guard problems.isEmpty else { throw .invalid(problems) }
        if let current { try MeshAuthority.confirm(authority, replaces: current.authority) }
        let domains = meshes.compactMap { state.meshes[$0]?.mesh.trustDomain }
        let provided = try check(root, for: authority, trustDomains: domains, in: state, at: now)
        try await confirm(authority, replacing: current?.authority)
        var plan = ChangePlan(state: state, now: now)
        var kept = authority
        if let current {
            // The key type and life of a root that was brought are its own.
            if authority.origin == .provided {
                kept.keyAlgorithm = current.authority.keyAlgorithm
                kept.expiration = current.authority.expiration
            }
            kept.isAutomaticHeld = current.authority.isAutomaticHeld
            if kept.keyAlgorithm == current.authority.keyAlgorithm, kept.keyStore.isSamePlace(as: current.authority.keyStore) {
                plan.writes.append(.replaceCertificateAuthority(kept, revision: current.revision, at: now))
            } else {
                try await addReplacement(of: kept, isDryRun: isDryRun, by: administrator.auditName, to: &plan)
            }
        } else if isDryRun {
            // No key is made: the joining meshes are checked against one that is still to come.
            plan.state.add(kept, root: .pending(of: kept, at: now), at: now)
        } else {
            let made = try await self.root(for: authority, provided: provided, trustDomain: nil, at: now)
            kept = made.authority
            plan.writes += made.writes(at: now)
            plan.rootsMade += made.record == nil ? 0 : 1
            plan.tokenKeys += [made.tokenKey].compactMap { $0 }
            plan.state.add(kept, root: made.issuer, at: now)
        }
        var joined: [Mesh] = []
        for name in Set(meshes).sorted() {
            guard let mesh = state.meshes[name]?.mesh, mesh.enabledAuthority != authority.name else { continue }
            joined.append(mesh.sharing(authority.name))
            guard !plan.rotations.contains(where: { $0.kind == .replace }) else {
                throw .conflict(
                    detail:
                        "the CA '\(authority.name)' cannot change its key type or key store and be joined at once: join it first, "
                        + "or later"
                )
            }
            try await add(
                mesh.sharing(authority.name), roots: [:], leave: false, isDryRun: isDryRun, by: administrator.auditName,
                to: &plan)
        }
        // Its row is written once already.
        plan.touched.remove(authority.name)
        var trust = TrustChange()
        var revision: Int64?
        if isDryRun {
            trust = state.settled(with: [], at: now)
                .trustChange(to: plan.state.settled(with: joined, at: now), about: joined.map(\.name))
        } else if let current, current.authority == kept, plan.isNoChange {
            revision = current.revision
        } else {
            do {
                revision = try await commit(
                    plan.allWrites, administrator,
                    action: current == nil ? "certificate-authority-created" : "certificate-authority-replaced", mesh: nil,
                    object: authority.name,
                    details: [
                        "origin": kept.origin.rawValue, "key-type": kept.keyAlgorithm.rawValue,
                        "key-store": kept.keyStore.auditName, "joined": joined.map(\.name.name).joined(separator: " "),
                        "rotations": plan.rotations.map(\.id).joined(separator: " "),
                    ])
            } catch {
                await discard(plan.tokenKeys, because: error)
                throw error
            }
            try await takeUp()
        }
        return CertificateAuthorityOutcome(
            isCreated: current == nil, revision: revision, authority: kept, rotations: plan.rotations,
            warnings: provided.map { state.warnings(about: $0, in: authority.name, reach: nil) } ?? [], trust: trust)
    }

    /// Removes a certificate authority that nobody uses, with its roots and keys. Refused, naming them, while a mesh's document
    /// names it or a mesh still trusts a root of it.
    package func delete(
        certificateAuthority name: String, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) {
        try confirmUnlimited(administrator, for: "certificate authorities")
        let state = state
        guard let current = state.certificateAuthorities[name] else {
            throw .notFound(kind: "certificate authority", name: LogText.escaped(name))
        }
        try MeshAuthority.confirm(ifMatch, current: current.revision, of: "CertificateAuthority '\(name)'")
        if let owner = current.authority.owner {
            throw .conflict(
                detail: "'\(name)' is mesh '\(owner)''s own: it goes when the mesh, or its backend, is taken away")
        }
        if let running = state.replacement(of: name)?.rotation {
            throw .conflict(detail: AuthorityState.runs(running))
        }
        let dependents = state.dependents(of: name)
        guard dependents.isEmpty else {
            throw .conflict(
                detail:
                    "the CA '\(name)' is used by \(AuthorityState.sample(dependents.map(\.name))): unshare it first, and take "
                    + "the backend out of their documents")
        }
        try await commit(
            [.deleteCertificateAuthority(name: name, revision: current.revision)], administrator,
            action: "certificate-authority-deleted", mesh: nil, object: name)
        try await takeUp()
    }

    /// Makes a mesh join a certificate authority: adds the shared backend to its document and switches to it.
    ///
    /// A mesh that shares it already is left as it is.
    package func share(
        _ authority: String, with name: MeshName, isDryRun: Bool = false, by administrator: Administrator
    ) async throws(AuthorityError) -> MeshOutcome {
        let current = try await entry(of: name, sharing: authority, by: administrator)
        if current.mesh.enabledAuthority == authority {
            return MeshOutcome(
                isCreated: false, revision: isDryRun ? nil : current.revision, mesh: current.mesh,
                rotation: isDryRun ? nil : state.rotation(of: name)?.rotation, warnings: [], trust: TrustChange())
        }
        var outcome = try await put(
            current.mesh.sharing(authority), keys: state.keys(of: current.mesh), isDryRun: isDryRun,
            ifMatch: current.revision, by: administrator)
        outcome.isCreated = true
        return outcome
    }

    /// Makes a mesh leave a certificate authority: back to the backend before, or to a new builtin one.
    package func unshare(
        _ authority: String, from name: MeshName, isDryRun: Bool = false, by administrator: Administrator
    ) async throws(AuthorityError) -> MeshOutcome {
        let current = try await entry(of: name, sharing: authority, by: administrator)
        guard current.mesh.enabledAuthority == authority else {
            throw .notFound(kind: "member of the CA '\(authority)' named", name: name.name)
        }
        let before: String?
        do {
            // The newest of its rotations that brought it here says where it came from.
            let page = try await ledger.rotations(RotationQuery(mesh: name, certificateAuthority: authority, size: 100))
            before =
                page.items.first { $0.rotation.kind == .move && $0.rotation.certificateAuthority == authority }?
                .rotation.previousAuthority
        } catch {
            throw .ledger(error)
        }
        return try await put(
            current.mesh.leaving(authority, for: before), keys: state.keys(of: current.mesh), leave: true,
            isDryRun: isDryRun, ifMatch: current.revision, by: administrator)
    }

    /// The mesh that is to join or leave; both it and the certificate authority must be there.
    private func entry(
        of name: MeshName, sharing authority: String, by administrator: Administrator
    ) async throws(AuthorityError) -> AuthorityState.MeshEntry {
        try confirm(administrator, reaches: name)
        if self.state.meshes[name] == nil || self.state.certificateAuthorities[authority] == nil { try await refresh() }
        let state = state
        try confirm(administrator, reachesUsersOf: authority, in: state)
        guard let shared = state.certificateAuthorities[authority] else {
            throw .notFound(kind: "certificate authority", name: LogText.escaped(authority))
        }
        guard shared.authority.owner == nil else {
            throw .conflict(
                detail: "'\(authority)' is a mesh's own and cannot be shared: create one with 'signet ca create'")
        }
        guard let entry = state.meshes[name] else { throw .notFound(kind: "mesh", name: name.name) }
        return entry
    }

    private nonisolated func check(
        _ root: ProvidedRoot?, for authority: CertificateAuthority, trustDomains: [TrustDomain], in state: AuthorityState,
        at now: Timestamp
    ) throws(AuthorityError) -> ProvidedAuthority? {
        guard authority.origin == .provided else { return nil }
        guard let root else {
            throw .invalid([InvalidParameter(field: "cert", reason: "has to be defined, with its key")])
        }
        let kept = state.issuers.values.filter { $0.certificateAuthority == authority.name }
        if !kept.isEmpty, !kept.contains(where: { $0.certificate == root.certificate }) {
            throw .conflict(
                detail: "the root of the CA '\(authority.name)' cannot be exchanged in place: import it under another name, and "
                    + "move the meshes")
        }
        do {
            return try check(
                root, certificate: root.certificate, authority: authority.name, trustDomains: trustDomains, in: state,
                at: now)
        } catch {
            throw .invalid(error.problems)
        }
    }

    private static func problems(
        of authority: CertificateAuthority, meshes: [MeshName], in state: AuthorityState
    ) -> [InvalidParameter] {
        var problems: [InvalidParameter] = []
        if !DNSLabel.isValid(authority.name) {
            problems.append(
                InvalidParameter(
                    field: "name",
                    reason: "must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with "
                        + "a hyphen; '<mesh>.<backend>' is the name of a mesh's own CA, which its document governs"))
        }
        for (index, mesh) in meshes.enumerated() where state.meshes[mesh] == nil {
            problems.append(
                InvalidParameter(field: "meshes[\(index)]", reason: "there is no mesh '\(mesh)': apply it first"))
        }
        return problems
    }

    private static func confirm(
        _ next: CertificateAuthority, replaces current: CertificateAuthority
    ) throws(AuthorityError) {
        guard next.origin == current.origin else {
            throw .conflict(
                detail: "the CA '\(next.name)' is \(current.origin.rawValue) and cannot become \(next.origin.rawValue): make one "
                    + "of another name, and move the meshes")
        }
    }
}

extension AuthorityState {
    /// The keys of a mesh's provided backends as fingerprints: they are there already, and stay.
    func keys(of mesh: Mesh) -> [String: ProvidedKey] {
        var keys: [String: ProvidedKey] = [:]
        for backend in mesh.mtls?.backends ?? [] {
            guard case .provided(let certificate) = backend.kind else { continue }
            let name = mesh.certificateAuthorityName(of: backend)
            let root = issuers.values.first { $0.certificateAuthority == name && $0.certificate == certificate }
            keys[backend.name] = root?.keyFingerprint.map { .fingerprint($0) }
        }
        return keys
    }

    /// Adds a certificate authority with its first root.
    fileprivate mutating func add(_ authority: CertificateAuthority, root: Issuer, at now: Timestamp) {
        certificateAuthorities[authority.name] = CertificateAuthorityEntry(
            authority: authority, revision: 0, createdAt: now, modifiedAt: now)
        issuers[root.id] = root
    }
}

extension Issuer {
    /// Stands for a root that is still to be made, in a dry run.
    fileprivate static func pending(of authority: CertificateAuthority, at now: Timestamp) -> Issuer {
        Issuer(
            id: IssuerID(random: Array(repeating: 0xFF, count: 8)), certificateAuthority: authority.name, certificate: [],
            serial: SerialNumber(bytes: [1]), fingerprint: Fingerprint(sha256: Array(repeating: 0, count: 32)),
            notBefore: now, notAfter: now + .seconds(1))
    }
}
