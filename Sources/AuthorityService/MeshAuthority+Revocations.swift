internal import Authority
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// The root is compromised: out of every context now, and every mesh under it has another that signs.
    ///
    /// One transaction: the audit entry, the revocation, the new root. What proxies have followed is the returned rotation's gate.
    package func revoke(
        issuer: IssuerID, of certificateAuthority: String, reason: String, root: ProvidedRoot? = nil,
        by administrator: Administrator
    ) async throws(AuthorityError) -> RevocationOutcome {
        guard !reason.allSatisfy(\.isWhitespace) else {
            throw .invalid([InvalidParameter(field: "reason", reason: "has to be given: it stands in the audit trail")])
        }
        guard reason.utf8.count <= 2000 else {
            throw .invalid([InvalidParameter(field: "reason", reason: "is longer than 2000 octets")])
        }
        for _ in 0..<4 {
            do {
                return try await revokeOnce(issuer, of: certificateAuthority, reason, root, administrator)
            } catch .ledger(.conflict) {
                // Somebody changed what it was judged by: it is judged anew.
                try await takeUp()
            }
        }
        throw .conflict(detail: "the CA '\(LogText.escaped(certificateAuthority))' changes all the time: repeat at once")
    }

    private func revokeOnce(
        _ issuer: IssuerID, of name: String, _ reason: String, _ root: ProvidedRoot?, _ administrator: Administrator
    ) async throws(AuthorityError) -> RevocationOutcome {
        try await refresh()
        let (state, now) = (state, clock.now)
        // What is not there is told from what is not theirs by nobody.
        try confirm(administrator, reachesAll: state.dependents(of: name), of: "the CA '\(LogText.escaped(name))'")
        guard let entry = state.certificateAuthorities[name] else {
            throw .notFound(kind: "certificate authority", name: LogText.escaped(name))
        }
        guard state.issuers[issuer]?.certificateAuthority == name else {
            throw .notFound(kind: "issuer of '\(name)' named", name: issuer.text)
        }
        let signers = try await crossSigners(of: issuer, in: name, at: now)
        let revocation = try MeshAuthority.conflicting { () throws(RotationRefusal) in
            try state.revocation(of: issuer, in: name, crossSigners: signers, at: now)
        }
        var writes: [LedgerWrite] = revocation.issuers.map { .revokeIssuer($0, at: now) }
        var made: NewRoot?
        var warnings: [String] = []
        if revocation.needsRoot {
            let domains = revocation.outcomes.compactMap { state.meshes[$0.mesh]?.mesh.trustDomain }
            let provided = try nextRoot(root, of: entry.authority, trustDomains: domains, in: state, at: now)
            warnings = provided.map { state.warnings(about: $0, in: name, reach: administrator.meshes) } ?? []
            let owner = entry.authority.owner.flatMap { state.meshes[$0]?.mesh.trustDomain }
            let new = try await self.root(for: entry.authority, provided: provided, trustDomain: owner, at: now)
            writes.append(.replaceCertificateAuthority(new.authority, revision: entry.revision, at: now))
            writes += new.writes
            made = new
        } else {
            guard root == nil else {
                throw .invalid([
                    InvalidParameter(field: "cert", reason: "no new root is needed: another one signs already, leave it out")
                ])
            }
            writes.append(.replaceCertificateAuthority(entry.authority, revision: entry.revision, at: now))
        }
        writes += state.changes(of: revocation, root: made?.issuer.id).map(\.write)
        for ended in revocation.superseded {
            guard let running = state.rotations[ended.id] else { continue }
            writes += [
                .replaceRotation(ended, revision: running.revision),
                .insertRotationEvent(
                    rotation: ended.id,
                    RotationEvent(
                        event: "superseded", at: now, actor: administrator.auditName, detail: "issuer \(issuer) was revoked")),
            ]
        }
        let meshes = revocation.outcomes.map(\.mesh)
        var rotation: Rotation?
        if !meshes.isEmpty {
            // A root may also be made only for meshes to come, while all that are here have another.
            let isForThem = revocation.outcomes.contains { $0.active == nil }
            let to = (isForThem ? made?.issuer.id : revocation.outcomes.first?.active) ?? issuer
            let started = Rotation(
                id: "rot-" + Hex.encode(SecureRandom.bytes(8)), kind: .revoke, meshes: meshes, certificateAuthority: name,
                previousAuthority: name, from: issuer, to: to, phase: .withdrawing, retireAfter: .reissued, startedAt: now)
            writes += [
                .insertRotation(started),
                .insertRotationEvent(rotation: started.id, started.began(by: administrator.auditName, detail: reason)),
            ]
            rotation = started
        }
        do {
            try await commit(
                writes, administrator, action: "issuer-revoked", mesh: entry.authority.owner, object: issuer.text,
                details: [
                    "certificate-authority": name, "reason": reason,
                    "revoked": revocation.issuers.map(\.text).joined(separator: " "), "new-issuer": made?.issuer.id.text ?? "",
                    "rotation": rotation?.id ?? "", "superseded": revocation.superseded.map(\.id).joined(separator: " "),
                    "meshes": AuthorityState.sample(meshes.map(\.name)),
                ])
        } catch {
            await discard([made?.tokenKey], because: error)
            throw error
        }
        if made?.record != nil { ServiceMetrics.issued(.root, mesh: entry.authority.owner) }
        try await takeUp()
        return RevocationOutcome(
            revoked: revocation.issuers, rotation: rotation, newIssuer: made?.issuer.id, warnings: warnings)
    }

    /// The roots under which a chain of the issuer's could still be built by cross certificates that have not ended: one of its own,
    /// and then one of each root that signed the last.
    private func crossSigners(
        of issuer: IssuerID, in certificateAuthority: String, at now: Timestamp
    ) async throws(AuthorityError) -> Set<IssuerID> {
        var pairs: [(of: IssuerID, by: IssuerID)] = []
        var query = RotationQuery(certificateAuthority: certificateAuthority, size: 1000)
        while true {
            let page: Page<AuthorityState.RotationEntry>
            do { page = try await ledger.rotations(query) } catch { throw .ledger(error) }
            for rotation in page.items.map(\.rotation) {
                if let cross = rotation.crossCertificate, now < cross.notAfter { pairs.append((rotation.to, rotation.from)) }
            }
            guard let next = page.next else { break }
            query.cursor = next
        }
        var signers: Set<IssuerID> = []
        var last: Set<IssuerID> = [issuer]
        while !last.isEmpty {
            last = Set(pairs.filter { last.contains($0.of) }.map(\.by)).subtracting(signers)
            signers.formUnion(last)
        }
        return signers
    }
}
