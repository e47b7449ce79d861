internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension RotationMessage {
    init(_ rotation: Rotation) {
        self.init(
            id: rotation.id, kind: rotation.kind.rawValue, trigger: rotation.trigger.rawValue,
            meshes: rotation.meshes.map(\.name), certificateAuthority: rotation.certificateAuthority,
            previousAuthority: rotation.previousAuthority, from: rotation.from.text, to: rotation.to.text,
            phase: rotation.phase.rawValue, phaseSince: rotation.phaseSince.iso8601,
            retireAfter: rotation.retireAfter.rawValue, manual: rotation.isManual, paused: rotation.isPaused,
            crossCertificate: rotation.crossCertificate.map {
                CrossCertificate(notBefore: $0.notBefore.iso8601, notAfter: $0.notAfter.iso8601)
            },
            startedAt: rotation.startedAt.iso8601, endedAt: rotation.endedAt?.iso8601,
            duration: rotation.endedAt.map { WireDuration($0 - rotation.startedAt).text })
    }

    /// As far as an asker who is limited to meshes may see it; nil: to none. What is of no mesh of its own is left out.
    init(_ rotation: Rotation, reach: Set<MeshName>?) {
        self.init(rotation)
        if let reach { meshes = rotation.meshes.filter(reach.contains).map(\.name) }
    }

    /// With what its gate waits for and what happened to it; `reach` leaves out proxies of meshes that are not the asker's to
    /// know; nil: none.
    init(_ overview: RotationOverview, reach: Set<MeshName>?) {
        self.init(overview.rotation, reach: reach)
        gate = overview.gate.map { Gate($0, reach: reach) }
        let isWhole = reach?.isSuperset(of: overview.rotation.meshes) ?? true
        events = overview.events.map { event in
            // Whom a force left behind may be of a mesh behind a door, which is not the asker's to know.
            let isShown = isWhole && (reach == nil || event.event != "forced")
            return Event(event: event.event, at: event.at.iso8601, actor: event.actor, detail: isShown ? event.detail : "")
        }
        if !overview.leftBehind.isEmpty { leftBehind = Blocker.all(overview.leftBehind, reach: reach) }
    }
}

extension RotationMessage.Gate {
    fileprivate init(_ gate: RotationGate, reach: Set<MeshName>?) {
        self.init(
            open: gate.isOpen, settled: gate.settled, pending: gate.pendingCount,
            blockers: RotationMessage.Blocker.all(gate.blockers, reach: reach))
    }
}

extension RotationMessage.Blocker {
    /// Those of meshes that are the asker's to know; `reach` nil: all.
    static func all(_ blockers: [RotationBlocker], reach: Set<MeshName>?) -> [RotationMessage.Blocker] {
        blockers.filter { blocker in
            guard let reach, let mesh = blocker.mesh else { return true }
            return reach.contains(mesh)
        }.map { RotationMessage.Blocker($0) }
    }

    private init(_ blocker: RotationBlocker) {
        self.init(
            mesh: blocker.mesh?.name, identity: blocker.identity?.uri, proxy: blocker.proxy, node: blocker.node,
            resource: blocker.resource, reason: blocker.reason.rawValue, detail: blocker.detail,
            until: blocker.until?.iso8601)
    }
}

extension RotationPreviewMessage {
    /// Of a dry run. `reach` as for `RotationMessage`.
    init(_ outcome: RotationOutcome, _ forecast: RotationForecast, reach: Set<MeshName>?) {
        self.init(
            rotation: RotationMessage(outcome.rotation, reach: reach),
            forecast: Forecast(
                connected: forecast.connected, reissue: WireDuration(forecast.reissue).text,
                distributing: RotationMessage.Blocker.all(forecast.distributing, reach: reach),
                issuing: RotationMessage.Blocker.all(forecast.issuing, reach: reach), lastExpiry: forecast.lastExpiry?.iso8601,
                crossCertified: forecast.isCrossCertified),
            warnings: outcome.warnings)
    }
}
