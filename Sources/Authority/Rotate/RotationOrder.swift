package import PKI

/// What an operator tells a rotation to do.
package enum RotationOrder: Hashable, Sendable {
    case abort
    /// Through the gate; `force` leaves behind whoever holds it.
    case advance(force: Bool)
    case pause
    case resume
}

extension AuthorityState {
    /// What an order makes of a rotation that runs; refused where it has no meaning, and nothing is changed then.
    ///
    /// `gate` is the rotation's own, as it is now; an order other than to advance needs none.
    package func transition(
        of rotation: Rotation, by order: RotationOrder, gate: RotationGate? = nil, at now: Timestamp
    ) throws(RotationRefusal) -> RotationTransition {
        guard rotation.phase.isRunning else {
            throw RotationRefusal(detail: "the rotation \(rotation.id) has ended: it is \(rotation.phase.rawValue)")
        }
        var next = rotation
        switch order {
        case .abort:
            guard let transition = revert(rotation, at: now) else {
                throw RotationRefusal(detail: AuthorityState.noWayBack(from: rotation))
            }
            return transition
        case .advance(let force):
            guard !rotation.isPaused else {
                throw RotationRefusal(detail: "the rotation \(rotation.id) is paused: resume it first")
            }
            guard force || gate?.isOpen == true else {
                throw RotationRefusal(
                    detail: "the gate of \(rotation.phase.rawValue) holds for \(gate?.pendingCount ?? 0), which 'signet rotation "
                        + "status \(rotation.id)' names: wait, mend them, or force it and say why")
            }
            // A replica that cannot sign under the new root yet would refuse its proxies, and of one that has not confirmed the phase
            // nobody knows whom it would leave behind.
            if force, gate?.blockers.contains(where: { $0.reason == .replica }) != false {
                throw RotationRefusal(
                    detail:
                        "a replica of the service has not confirmed the rotation \(rotation.id) yet: nothing forces that; wait for it, or "
                        + "stop it")
            }
            guard let transition = advance(rotation, at: now) else {
                throw RotationRefusal(detail: "the rotation \(rotation.id) has ended")
            }
            return transition
        case .pause:
            guard !rotation.isPaused else { throw RotationRefusal(detail: "the rotation \(rotation.id) is paused already") }
            guard rotation.kind != .revoke else {
                throw RotationRefusal(detail: "the rotation \(rotation.id) takes a revoked root out and cannot be paused")
            }
            next.isPaused = true
        case .resume:
            guard rotation.isPaused else {
                throw RotationRefusal(detail: "the rotation \(rotation.id) is not paused: it is \(rotation.phase.rawValue)")
            }
            next.isPaused = false
        }
        return RotationTransition(rotation: next, changes: [], obsolete: [])
    }

    private static func noWayBack(from rotation: Rotation) -> String {
        switch rotation.phase {
        case .reverting: "the rotation \(rotation.id) is on its way back already"
        case .withdrawing where rotation.kind == .revoke:
            "the rotation \(rotation.id) takes a revoked root out: there is no way back"
        case .withdrawing:
            "the rotation \(rotation.id) withdraws the old root already: there is no way back; to return, start another rotation "
                + "when it has completed"
        case .issuing:
            "the old root of the rotation \(rotation.id) has ended, and can sign for nobody: there is no way back, go on"
        case .aborted, .completed, .distributing: "the rotation \(rotation.id) cannot go back"
        }
    }
}
