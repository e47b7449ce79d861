package import Authority
internal import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Tells a running rotation what to do; `reason` is needed to force, and stands in the audit trail.
    ///
    /// `seen` is the phase that it is said of, if that was read before: to advance another one is refused.
    /// `resume` of an aborted one lets rotations by age begin again.
    package func steer(
        _ id: String, _ order: RotationOrder, reason: String?, expecting seen: Rotation.Phase? = nil,
        by administrator: Administrator
    ) async throws(AuthorityError) -> RotationOverview {
        let reason = (reason ?? "").trimmingWhitespace
        if order == .advance(force: true), reason.isEmpty {
            throw .invalid([InvalidParameter(field: "reason", reason: "has to be given: it stands in the audit trail")])
        }
        guard reason.utf8.count <= 2000 else {
            throw .invalid([InvalidParameter(field: "reason", reason: "is longer than 2000 octets")])
        }
        // Once more where somebody else, such as the driver, was faster: the order is judged anew by what is there then.
        var (phase, since) = (seen, Timestamp?.none)
        for _ in 0..<4 {
            let entry = try await entry(ofRotation: id)
            let rotation = entry.rotation
            // To advance is said of the phase that was seen: nobody forces one that began meanwhile.
            if case .advance = order,
                (phase ?? rotation.phase, since ?? rotation.phaseSince) != (rotation.phase, rotation.phaseSince)
            {
                throw .conflict(detail: "the rotation \(rotation.id) went on meanwhile: it is \(rotation.phase.rawValue)")
            }
            (phase, since) = (rotation.phase, rotation.phaseSince)
            try confirm(administrator, reachesAll: rotation.meshes, of: "the rotation '\(rotation.id)'")
            if rotation.phase.isRunning, let defect = state.defect(of: entry) { throw .conflict(detail: defect.detail) }
            do {
                if order == .resume, rotation.phase == .aborted {
                    return try await resumeAutomatic(after: rotation, reason, administrator)
                }
                if order == .abort, rotation.kind == .move, rotation.phase.isRunning {
                    return try await turnBack(rotation, administrator)
                }
                return try await obey(order, entry, reason, administrator)
            } catch .ledger(.conflict), .preconditionFailed {
                try await takeUp()
            }
        }
        throw .conflict(detail: "the rotation '\(LogText.escaped(id))' changes all the time: look at it again, and repeat")
    }

    private func obey(
        _ order: RotationOrder, _ entry: AuthorityState.RotationEntry, _ reason: String, _ administrator: Administrator
    ) async throws(AuthorityError) -> RotationOverview {
        var gate: RotationGate?
        if case .advance(let force) = order, entry.rotation.phase.isRunning {
            gate = try await currentGate(of: entry)
            if !force, gate?.isOpen == true {
                // The dwell holds for a hand as for the driver: it must be open at both ends.
                do { try await Task.sleep(for: settings.rotationDwell) } catch {
                    throw .conflict(detail: "the request was cancelled: nothing was changed")
                }
                gate = try await currentGate(of: entry)
            }
        }
        let (state, now) = (state, clock.now)
        let judged = gate
        let transition = try MeshAuthority.conflicting { () throws(RotationRefusal) in
            try state.transition(of: entry.rotation, by: order, gate: judged, at: now)
        }
        let isForced = order == .advance(force: true) && judged?.isOpen == false
        let leftBehind = isForced ? judged?.blockers ?? [] : []
        var event = transition.rotation.began(by: administrator.auditName, detail: reason)
        var writes: [LedgerWrite] = []
        switch order {
        case .abort:
            if entry.rotation.kind == .replace, let hold = state.holdingAutomatic(of: entry.rotation, true, at: now) {
                writes.append(hold)
            }
        case .advance:
            if isForced {
                let told = "left behind: \(judged?.pendingCount ?? 0), \(MeshAuthority.told(leftBehind))"
                writes.append(
                    .insertRotationEvent(
                        rotation: entry.rotation.id,
                        RotationEvent(
                            event: "forced", at: now, actor: administrator.auditName, detail: "\(reason) (\(told))")))
                event.detail = ""
            }
        case .pause, .resume:
            event.event = order == .pause ? "paused" : "resumed"
            event.at = now
        }
        writes += transition.writes(from: entry.revision, in: state, by: administrator.auditName, event: event)
        var details = [
            "phase": entry.rotation.phase.rawValue, "reason": reason,
            "certificate-authority": entry.rotation.certificateAuthority,
        ]
        if isForced {
            details["left-behind"] = "\(judged?.pendingCount ?? 0)"
            details["left-behind-names"] = leftBehind.map(MeshAuthority.told).joined(separator: ", ")
        }
        try await commit(
            writes, administrator, action: order.auditAction(isForced: isForced, phase: transition.rotation.phase),
            mesh: entry.rotation.meshes.count == 1 ? entry.rotation.meshes[0] : nil, object: entry.rotation.id, details: details)
        try await takeUp()
        var overview = try await rotation(entry.rotation.id)
        overview.leftBehind = leftBehind
        return overview
    }

    private func entry(ofRotation id: String) async throws(AuthorityError) -> AuthorityState.RotationEntry {
        let found: AuthorityState.RotationEntry?
        do { found = try await ledger.rotation(id) } catch { throw .ledger(error) }
        guard let found else { throw .notFound(kind: "rotation", name: LogText.escaped(id)) }
        if state.revision < found.revision { try await refresh() }
        return found
    }

    private func currentGate(of entry: AuthorityState.RotationEntry) async throws(AuthorityError) -> RotationGate {
        do {
            return try await gate(of: entry, reports: try await replicaReports(), isThorough: true)
        } catch {
            throw .ledger(error)
        }
    }

    /// A mesh on its way elsewhere goes back as its document would: `enabledBackend` is switched back with it.
    private func turnBack(_ rotation: Rotation, _ administrator: Administrator) async throws(AuthorityError) -> RotationOverview {
        let state = state
        try MeshAuthority.conflicting { () throws(RotationRefusal) in
            _ = try state.transition(of: rotation, by: .abort, at: clock.now)
        }
        for name in rotation.meshes {
            guard let entry = state.meshes[name] else { continue }
            let before = rotation.previousAuthority
            // `ca unshare` took the shared backend out of the document: back is as `ca share` would write it.
            let isShared = state.certificateAuthorities[before].map { $0.authority.owner == nil } ?? false
            let returned = entry.mesh.returning(to: before, from: rotation.certificateAuthority)
            guard let back = returned ?? (isShared ? entry.mesh.sharing(before) : nil) else {
                throw .conflict(
                    detail:
                        "mesh '\(name)' has no backend of '\(rotation.previousAuthority)' any more: put it back, and enable it")
            }
            _ = try await put(
                back, keys: state.keys(of: back), leave: true, ifMatch: entry.revision, by: administrator)
        }
        return try await self.rotation(rotation.id)
    }

    /// Rotations by age begin again; refused where they were not held.
    private func resumeAutomatic(
        after rotation: Rotation, _ reason: String, _ administrator: Administrator
    ) async throws(AuthorityError) -> RotationOverview {
        guard rotation.kind == .replace, let release = state.holdingAutomatic(of: rotation, false, at: clock.now) else {
            throw .conflict(
                detail:
                    "the rotation \(rotation.id) has ended: it is aborted, and rotation of '\(rotation.certificateAuthority)' by age "
                    + "is not held")
        }
        try await commit(
            [
                release,
                .insertRotationEvent(
                    rotation: rotation.id,
                    RotationEvent(event: "resumed", at: clock.now, actor: administrator.auditName, detail: reason)),
            ], administrator, action: "automatic-rotation-resumed", mesh: nil, object: rotation.certificateAuthority,
            details: ["rotation": rotation.id, "reason": reason])
        try await takeUp()
        return try await self.rotation(rotation.id)
    }

    /// At most five, for a message.
    private static func told(_ blockers: [RotationBlocker]) -> String {
        AuthorityState.sample(blockers.map(told))
    }

    private static func told(_ blocker: RotationBlocker) -> String {
        "\(blocker.identity?.uri ?? "replica") (\(blocker.proxy), \(blocker.reason.rawValue))"
    }
}

extension AuthorityState {
    /// The write that holds rotation by age, or lets it begin again; nil where it is so already.
    fileprivate func holdingAutomatic(of rotation: Rotation, _ isHeld: Bool, at now: Timestamp) -> LedgerWrite? {
        guard var entry = certificateAuthorities[rotation.certificateAuthority], entry.authority.isAutomaticHeld != isHeld else {
            return nil
        }
        entry.authority.isAutomaticHeld = isHeld
        // The way back leads to the old root's kind of key too; the document that asked for another asks again when it is applied.
        if isHeld, entry.authority.origin == .generated, let root = issuers[rotation.from],
            let facts = try? CertificateFacts(der: root.certificate), let algorithm = KeyAlgorithm(rawValue: facts.keyAlgorithm)
        {
            entry.authority.keyAlgorithm = algorithm
        }
        return .replaceCertificateAuthority(entry.authority, revision: entry.revision, at: now)
    }
}

extension RotationOrder {
    fileprivate func auditAction(isForced: Bool, phase: Rotation.Phase) -> String {
        switch self {
        case .abort: "rotation-reverting"
        case .advance: isForced ? "rotation-forced" : "rotation-\(phase.rawValue)"
        case .pause: "rotation-paused"
        case .resume: "rotation-resumed"
        }
    }
}

extension String {
    fileprivate var trimmingWhitespace: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
