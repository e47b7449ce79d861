package import PKI

/// What one transition of a rotation writes, all in one transaction.
package struct RotationTransition: Hashable, Sendable {
    /// One mesh's issuer goes from one state to another.
    package struct Change: Hashable, Sendable {
        package var mesh: MeshName
        package var issuer: IssuerID
        /// Nil: it was nothing to the mesh.
        package var from: IssuerState?
        package var to: IssuerState
    }

    /// As it is afterwards.
    package var rotation: Rotation
    /// In an order in which no mesh ever has two active issuers.
    package var changes: [Change]
    /// Certificate authorities of the meshes' own that no backend names any more: they go with the rotation's end.
    package var obsolete: [String]
}

extension AuthorityState {
    /// The transition through an open gate; nil for a rotation that has ended.
    package func advance(_ rotation: Rotation, at now: Timestamp) -> RotationTransition? {
        guard let step = step(of: rotation) else { return nil }
        var next = rotation
        var changes: [RotationTransition.Change] = []
        next.phaseSince = now
        switch step {
        case .distribute:
            next.phase = .issuing
            changes = exchange(rotation, active: rotation.from, for: rotation.to)
        case .issue(let from, _):
            if rotation.phase == .issuing { next.phase = .withdrawing }
            changes = rotation.meshes.map { .init(mesh: $0, issuer: from, from: .outgoing, to: .retired) }
        case .expel, .withdraw:
            next.phase = rotation.phase == .reverting ? .aborted : .completed
            next.endedAt = now
        }
        return RotationTransition(
            rotation: next, changes: changes, obsolete: next.phase.isRunning ? [] : obsoleteAuthorities(of: rotation.meshes))
    }

    /// The way back: nil from `withdrawing`, from where there is none, and from `reverting`, which is it already.
    package func revert(_ rotation: Rotation, at now: Timestamp) -> RotationTransition? {
        guard rotation.kind != .revoke else { return nil }
        var next = rotation
        next.phase = .reverting
        next.phaseSince = now
        // The way back asks for nobody's word.
        next.isManual = false
        next.isPaused = false
        switch rotation.phase {
        case .aborted, .completed, .reverting, .withdrawing: return nil
        case .distributing:
            // No leaf of the new issuer exists: its root goes at once.
            let changes = rotation.meshes.map {
                RotationTransition.Change(mesh: $0, issuer: rotation.to, from: .prepared, to: .retired)
            }
            return RotationTransition(rotation: next, changes: changes, obsolete: [])
        case .issuing:
            // A root that has ended signs nothing, and the way back would lead nowhere.
            guard let root = issuers[rotation.from], now < root.notAfter else { return nil }
            let changes = rotation.meshes.flatMap { mesh -> [RotationTransition.Change] in
                [
                    .init(mesh: mesh, issuer: rotation.to, from: .active, to: .outgoing),
                    .init(mesh: mesh, issuer: rotation.from, from: .outgoing, to: .active),
                ]
            }
            return RotationTransition(rotation: next, changes: changes, obsolete: [])
        }
    }

    private func exchange(_ rotation: Rotation, active old: IssuerID, for new: IssuerID) -> [RotationTransition.Change] {
        rotation.meshes.flatMap { mesh -> [RotationTransition.Change] in
            [
                .init(mesh: mesh, issuer: old, from: .active, to: .outgoing),
                .init(mesh: mesh, issuer: new, from: .prepared, to: .active),
            ]
        }
    }

    private func obsoleteAuthorities(of meshes: [MeshName]) -> [String] {
        meshes.flatMap { name -> [String] in
            let kept = self.meshes[name].map { $0.mesh.certificateAuthorityNames } ?? []
            return certificateAuthorities.values.map(\.authority).filter { $0.owner == name && !kept.contains($0.name) }
                .map(\.name)
        }.sorted()
    }

    /// The running rotation of a mesh; there is at most one.
    package func rotation(of mesh: MeshName) -> RotationEntry? {
        rotations.values.first { $0.rotation.meshes.contains(mesh) }
    }
}

extension Mesh {
    /// The certificate authorities behind its backends, enabled or not.
    package var certificateAuthorityNames: Set<String> {
        Set((mtls?.backends ?? []).map { certificateAuthorityName(of: $0) })
    }
}
