package import PKI

/// What it takes to have compromised roots out of every context at once: the one exception to laws 2, 3 and 9.
package struct Revocation: Hashable, Sendable {
    /// One mesh's issuers afterwards: `active` alone is bound.
    package struct Outcome: Hashable, Sendable {
        package var mesh: MeshName
        /// Nil: the new root that is made for it.
        package var active: IssuerID?
    }

    /// The compromised one first, then those that signed a live cross certificate for it.
    package var issuers: [IssuerID]
    /// Of the meshes that trusted one of them, or whose proxies may still, sorted by name.
    package var outcomes: [Outcome]
    /// Rotations that this supersedes, as they end.
    package var superseded: [Rotation]
    /// Whether a new root has to be made.
    package var needsRoot: Bool
}

extension AuthorityState {
    /// Plans the revocation of `issuer` of `certificateAuthority`; `crossSigners` are the issuers that signed a cross certificate
    /// for it which has not ended: with the stolen key and that certificate one could still speak under them.
    package func revocation(
        of issuer: IssuerID, in certificateAuthority: String, crossSigners: Set<IssuerID>, at now: Timestamp
    ) throws(RotationRefusal) -> Revocation {
        guard let root = issuers[issuer], root.certificateAuthority == certificateAuthority else {
            throw RotationRefusal(detail: "the CA '\(certificateAuthority)' has no issuer \(issuer)")
        }
        guard root.revokedAt == nil else {
            throw RotationRefusal(detail: "the issuer \(issuer) of '\(certificateAuthority)' is revoked already")
        }
        let revoked = Set([issuer]).union(crossSigners.filter { issuers[$0].map { $0.revokedAt == nil } ?? false })
        let bound = Set(
            meshIssuers.filter { _, states in states.contains { revoked.contains($0.key) && $0.value.isBound } }.keys)
        let running = rotations.values.map(\.rotation).filter { rotation in
            !bound.isDisjoint(with: rotation.meshes) || revoked.contains(rotation.from) || revoked.contains(rotation.to)
        }.sorted { $0.id < $1.id }
        // A root that one of these was withdrawing is bound nowhere, and proxies may hold it still: they are followed on.
        let concerned = bound.union(running.flatMap(\.meshes)).filter { meshIssuers[$0] != nil }.sorted()
        let outcomes = concerned.map { mesh in
            Revocation.Outcome(mesh: mesh, active: successor(for: mesh, without: revoked))
        }
        let ended = running.map { rotation in
            var rotation = rotation
            let isThere = rotation.meshes.allSatisfy { mesh in
                outcomes.first { $0.mesh == mesh }?.active == rotation.to
            }
            rotation.phase = isThere && !rotation.meshes.isEmpty ? .completed : .aborted
            rotation.phaseSince = now
            rotation.endedAt = now
            return rotation
        }
        // Of one whose roots are brought nobody can make the next: it may stand without.
        let isMadeHere = certificateAuthorities[certificateAuthority]?.authority.origin == .generated
        let living = issuers.values.contains { other in
            other.certificateAuthority == certificateAuthority && !revoked.contains(other.id) && other.revokedAt == nil
                && now < other.notAfter
        }
        return Revocation(
            issuers: [issuer] + revoked.subtracting([issuer]).sorted(), outcomes: outcomes, superseded: ended,
            needsRoot: outcomes.contains { $0.active == nil } || (isMadeHere && !living))
    }

    /// The issuer that goes on signing for a mesh, or signs from now on; nil: one that is still to be made.
    private func successor(for mesh: MeshName, without revoked: Set<IssuerID>) -> IssuerID? {
        let enabled = meshes[mesh]?.mesh.enabledAuthority
        let bound = (meshIssuers[mesh] ?? [:]).filter { id, state in
            state.isBound && !revoked.contains(id) && issuers[id]?.certificateAuthority == enabled
        }
        if let active = bound.first(where: { $0.value == .active })?.key { return active }
        // A mesh on its way out of a compromised certificate authority is there at once. The next root of a compromised one is
        // never taken: whoever stole the one may have the other.
        guard let enabled, !revoked.contains(where: { issuers[$0]?.certificateAuthority == enabled }) else { return nil }
        return bound.keys.sorted().first
    }

    /// The changes of state that a revocation writes, in an order in which no mesh ever has two active issuers; `root` is the new
    /// one, if one was made.
    package func changes(of revocation: Revocation, root: IssuerID?) -> [RotationTransition.Change] {
        let revoked = Set(revocation.issuers)
        var changes: [RotationTransition.Change] = []
        for mesh in meshIssuers.keys.sorted() {
            let outcome = revocation.outcomes.first { $0.mesh == mesh }
            let active = outcome.flatMap { $0.active ?? root }
            let states = (meshIssuers[mesh] ?? [:]).sorted { $0.key < $1.key }
            for (id, state) in states {
                if revoked.contains(id) {
                    if state != .revoked { changes.append(.init(mesh: mesh, issuer: id, from: state, to: .revoked)) }
                } else if outcome != nil, id != active, state.isBound {
                    changes.append(.init(mesh: mesh, issuer: id, from: state, to: .retired))
                }
            }
            guard outcome != nil, let active else { continue }
            let before = meshIssuers[mesh]?[active]
            if before != .active { changes.append(.init(mesh: mesh, issuer: active, from: before, to: .active)) }
        }
        return changes
    }
}
