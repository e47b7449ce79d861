internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension RotationMessage {
    init(_ rotation: Rotation, gate: Gate? = nil) {
        self.init(
            id: rotation.id, kind: rotation.kind.rawValue, meshes: rotation.meshes.map(\.name),
            certificateAuthority: rotation.certificateAuthority, previousAuthority: rotation.previousAuthority,
            from: rotation.from.text, to: rotation.to.text, phase: rotation.phase.rawValue,
            phaseSince: rotation.phaseSince.iso8601, retireAfter: rotation.retireAfter.rawValue,
            startedAt: rotation.startedAt.iso8601, endedAt: rotation.endedAt?.iso8601, gate: gate)
    }

    /// With what its gate waits for; `reach` leaves out proxies of meshes that are not the asker's to know; nil: none.
    init(_ overview: RotationOverview, reach: Set<MeshName>?) {
        self.init(overview.rotation, gate: overview.gate.map { Gate($0, reach: reach) })
    }
}

extension RotationMessage.Gate {
    fileprivate init(_ gate: RotationGate, reach: Set<MeshName>?) {
        let shown = gate.blockers.filter { blocker in
            guard let reach, let mesh = blocker.mesh else { return true }
            return reach.contains(mesh)
        }
        self.init(
            open: gate.isOpen, settled: gate.settled, pending: gate.pendingCount,
            blockers: shown.map { RotationMessage.Blocker($0) })
    }
}

extension RotationMessage.Blocker {
    fileprivate init(_ blocker: RotationBlocker) {
        self.init(
            mesh: blocker.mesh?.name, identity: blocker.identity?.uri, proxy: blocker.proxy, node: blocker.node,
            resource: blocker.resource, reason: blocker.reason.rawValue, detail: blocker.detail,
            until: blocker.until?.iso8601)
    }
}
