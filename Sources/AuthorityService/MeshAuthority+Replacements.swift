internal import Authority
internal import Logging
internal import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Starts the replacement of a certificate authority's root, or in a dry run says what would come of it.
    package func rotate(
        _ request: RotationRequest, isDryRun: Bool = false, by administrator: Administrator
    ) async throws(AuthorityError) -> RotationOutcome {
        // What another replica did a moment ago counts too.
        try await refresh()
        let state = state
        let now = clock.now
        let name = request.certificateAuthority
        // What is not there is told from what is not theirs by nobody.
        try confirm(administrator, reachesAll: state.dependents(of: name), of: "the CA '\(LogText.escaped(name))'")
        guard let entry = state.certificateAuthorities[name] else {
            throw .notFound(kind: "certificate authority", name: LogText.escaped(name))
        }
        var authority = entry.authority
        if let keyAlgorithm = request.keyAlgorithm {
            guard authority.origin == .generated else {
                throw .invalid([InvalidParameter(field: "keyType", reason: "is that of the root which you bring: leave it out")])
            }
            if let owner = authority.owner, keyAlgorithm != authority.keyAlgorithm {
                throw .invalid([
                    InvalidParameter(
                        field: "keyType",
                        reason: "stands in the document of mesh '\(owner)': change it there, and the root is replaced")
                ])
            }
            authority.keyAlgorithm = keyAlgorithm
        }
        let terms = try MeshAuthority.conflicting { () throws(RotationRefusal) in
            try state.replacementTerms(of: name, at: now)
        }
        let domains = terms.meshes.compactMap { state.meshes[$0]?.mesh.trustDomain }
        let provided = try nextRoot(request.root, of: authority, trustDomains: domains, in: state, at: now)
        let warnings = provided.map { state.warnings(about: $0, in: name, reach: administrator.meshes) } ?? []
        if isDryRun {
            let rotation = Rotation(
                id: "", kind: .replace, meshes: terms.meshes, certificateAuthority: name, previousAuthority: name,
                from: terms.from.id, to: terms.from.id, retireAfter: request.retireAfter ?? authority.retireAfter,
                isManual: request.isManual, startedAt: now)
            return RotationOutcome(
                rotation: rotation, forecast: try await forecast(of: rotation, from: terms.from), warnings: warnings)
        }
        var plan = ChangePlan(state: state, now: now)
        let rotation = try await addReplacement(
            terms, authority: authority, provided: provided, trigger: .operator, isManual: request.isManual,
            retireAfter: request.retireAfter, by: administrator.auditName, to: &plan)
        try await commitStart(of: rotation, plan, administrator)
        return RotationOutcome(rotation: rotation, forecast: nil, warnings: warnings)
    }

    /// Starts the rotations that are due by their roots' age; whoever drives does.
    func startRotationsByAge(as lease: DriverLease) async {
        let start = ContinuousClock.now
        for (name, obstacle) in state.obstaclesToRotation(at: clock.now) {
            warn("a root is due for its age and cannot be replaced yet", about: name, because: obstacle)
        }
        for name in state.authoritiesDue(at: clock.now) {
            // Many come of age together, and a round that takes long would cost the lease: the rest has its turn in the next.
            guard ContinuousClock.now - start < settings.driverLease / 5 else { return }
            do throws(AuthorityError) {
                guard try await startRotationByAge(of: name, as: lease) else { return }
            } catch {
                // Whatever is wrong with one, such as a key that cannot be read, holds up no other.
                logger.warning(
                    "a rotation by age could not be started and is tried again",
                    metadata: ["certificate-authority": "\(name)", "error": "\(error)"])
            }
        }
    }

    /// Somebody has to know of it long before a root's end: said once in five minutes.
    func warn(_ message: Logger.Message, about name: String, because obstacle: RotationRefusal) {
        let now = ContinuousClock.now
        if let last = warnedOfObstacles[name], now - last < .seconds(300) { return }
        warnedOfObstacles[name] = now
        logger.warning(message, metadata: ["name": "\(name)", "obstacle": "\(obstacle.detail)"])
    }

    /// False where somebody else was first: who drives may be another by now.
    private func startRotationByAge(of name: String, as lease: DriverLease) async throws(AuthorityError) -> Bool {
        let (state, now) = (state, clock.now)
        guard let terms = try? state.replacementTerms(of: name, at: now) else { return true }
        var plan = ChangePlan(state: state, now: now)
        plan.writes.append(.requireLease(lease))
        let rotation = try await addReplacement(
            terms, authority: terms.certificateAuthority, provided: nil, trigger: .schedule, isManual: false, retireAfter: nil,
            by: Administrator.system.auditName, to: &plan)
        do {
            try await commitStart(of: rotation, plan, .system)
        } catch .conflict, .ledger(.conflict) {
            // The next round sees what they did.
            try await takeUp()
            return false
        }
        return true
    }

    /// Adds the replacement that a document with a new key type asks for.
    func addReplacement(
        of authority: CertificateAuthority, isDryRun: Bool, by actor: String, to plan: inout ChangePlan
    ) async throws(AuthorityError) {
        let (state, now) = (plan.state, plan.now)
        let terms = try MeshAuthority.conflicting { () throws(RotationRefusal) in
            try state.replacementTerms(of: authority.name, at: now)
        }
        if isDryRun {
            plan.rotations.append(
                Rotation(
                    id: "", kind: .replace, meshes: terms.meshes, certificateAuthority: authority.name,
                    previousAuthority: authority.name, from: terms.from.id, to: terms.from.id,
                    retireAfter: authority.retireAfter, startedAt: now))
            return
        }
        _ = try await addReplacement(
            terms, authority: authority, provided: nil, trigger: .operator, isManual: false, retireAfter: nil, by: actor,
            to: &plan)
    }

    /// The new root, its cross certificate and the rotation's row; `authority` has the terms that the new root meets.
    private func addReplacement(
        _ terms: ReplacementTerms, authority: CertificateAuthority, provided: ProvidedAuthority?, trigger: Rotation.Trigger,
        isManual: Bool, retireAfter: RetireAfter?, by actor: String, to plan: inout ChangePlan
    ) async throws(AuthorityError) -> Rotation {
        let now = plan.now
        guard let entry = plan.state.certificateAuthorities[authority.name] else {
            throw .notFound(kind: "certificate authority", name: authority.name)
        }
        let owner = authority.owner.flatMap { plan.state.meshes[$0]?.mesh.trustDomain }
        let root = try await root(for: authority, provided: provided, trustDomain: owner, at: now)
        plan.rootsMade += root.record == nil ? 0 : 1
        var kept = root.authority
        kept.isAutomaticHeld = false
        // Its row changes even where its terms do not: whoever joins or deletes it at this moment is excluded.
        plan.writes.append(.replaceCertificateAuthority(kept, revision: entry.revision, at: now))
        plan.writes += root.writes
        let longest = terms.meshes.compactMap { plan.state.meshes[$0]?.mesh.leafLifetime }.max() ?? .zero
        let cross: NewCrossCertificate?
        do {
            cross = try await crossCertificate(
                of: root.issuer, under: terms.from, previousKey: try await ledger.loadState().issuerKeys[terms.from.id],
                owner: authority.owner, trustDomain: owner, longestLeaf: longest, at: now)
        } catch {
            await discard([root.tokenKey], because: error)
            throw error
        }
        plan.tokenKeys += [root.tokenKey].compactMap { $0 }
        if let cross { plan.writes.append(.recordCertificate(cross.record)) }
        let rotation = Rotation(
            id: "rot-" + Hex.encode(SecureRandom.bytes(8)), kind: .replace, trigger: trigger, meshes: terms.meshes,
            certificateAuthority: authority.name, previousAuthority: authority.name, from: terms.from.id, to: root.issuer.id,
            retireAfter: retireAfter ?? authority.retireAfter, isManual: isManual, crossCertificate: cross?.certificate,
            startedAt: now)
        for mesh in terms.meshes {
            // The old root still signs for it: a mesh that went off or elsewhere meanwhile is a conflict.
            plan.writes += [
                .setMeshIssuer(mesh, terms.from.id, .active, from: .active), .insertMeshIssuer(mesh, root.issuer.id, .prepared),
            ]
        }
        plan.writes += [.insertRotation(rotation), .insertRotationEvent(rotation: rotation.id, rotation.began(by: actor))]
        plan.rotations.append(rotation)
        return rotation
    }

    private func commitStart(
        of rotation: Rotation, _ plan: ChangePlan, _ administrator: Administrator
    ) async throws(AuthorityError) {
        do {
            try await commit(
                plan.allWrites, administrator, action: "rotation-started",
                mesh: rotation.meshes.count == 1 ? rotation.meshes[0] : nil, object: rotation.id,
                details: [
                    "from": rotation.from.text, "to": rotation.to.text, "certificate-authority": rotation.certificateAuthority,
                    "trigger": rotation.trigger.rawValue, "retire-after": rotation.retireAfter.rawValue,
                    "manual": "\(rotation.isManual)", "meshes": AuthorityState.sample(rotation.meshes.map(\.name)),
                ])
        } catch .ledger(.conflict(let what)) {
            await discard(plan.tokenKeys, because: .ledger(.conflict(what: what)))
            try await takeUp()
            if let running = state.replacement(of: rotation.certificateAuthority)?.rotation {
                throw .conflict(detail: AuthorityState.runs(running))
            }
            throw .ledger(.conflict(what: what))
        }
        for _ in 0..<plan.rootsMade { ServiceMetrics.issued(.root, mesh: rotation.meshes.first) }
        try await takeUp()
    }

    /// The next root of a certificate authority whose roots are brought, checked; nil for one that makes its own.
    func nextRoot(
        _ root: ProvidedRoot?, of authority: CertificateAuthority, trustDomains: [TrustDomain], in state: AuthorityState,
        at now: Timestamp
    ) throws(AuthorityError) -> ProvidedAuthority? {
        switch (authority.origin, root) {
        case (.generated, nil): return nil
        case (.generated, _?):
            throw .invalid([
                InvalidParameter(
                    field: "cert", reason: "'\(authority.name)' makes its own roots: leave it out, or import it as another CA")
            ])
        case (.provided, _) where authority.owner != nil:
            throw .conflict(
                detail:
                    "the root of '\(authority.name)' stands in the document of mesh '\(authority.owner?.name ?? "")': add a backend of "
                    + "another name there with the next root, and enable it")
        case (.provided, nil):
            throw .invalid([
                InvalidParameter(
                    field: "cert", reason: "the roots of '\(authority.name)' are brought by you: send the next one, with its key")
            ])
        case (.provided, let root?):
            do throws(ProvidedRootRefusal) {
                let checked = try check(
                    root, certificate: root.certificate, authority: authority.name, trustDomains: trustDomains, in: state, at: now
                )
                guard let checked, !state.issuers.values.contains(where: { $0.isRoot(of: authority.name, like: checked) }) else {
                    throw ProvidedRootRefusal(problems: [
                        InvalidParameter(
                            field: "cert", reason: "is a root of '\(authority.name)' already, or has its key: bring another")
                    ])
                }
                return checked
            } catch {
                throw .invalid(error.problems)
            }
        }
    }

    /// Refuses whoever may not speak for all of these meshes; of those that it may not know, none is named.
    nonisolated func confirm(
        _ administrator: Administrator, reachesAll meshes: [MeshName], of what: String
    ) throws(AuthorityError) {
        guard administrator.meshes != nil else { return }
        guard !meshes.isEmpty, meshes.allSatisfy({ administrator.reaches($0) }) else {
            throw refuse(.meshOutOfScope(what: what), administrator, mesh: nil)
        }
    }

    /// Runs what the core may refuse, and says so as a conflict.
    static func conflicting<Result>(
        _ decide: () throws(RotationRefusal) -> Result
    ) throws(AuthorityError) -> Result {
        do {
            return try decide()
        } catch {
            throw .conflict(detail: error.detail)
        }
    }
}

extension Issuer {
    fileprivate func isRoot(of name: String, like provided: ProvidedAuthority) -> Bool {
        certificateAuthority == name && (certificate == provided.certificate || keyFingerprint == provided.keyFingerprint)
    }
}
