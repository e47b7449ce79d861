import AdminWire

/// What a rotation is and how it stands, in words.
enum RotationText {
    /// What it does, without its id.
    static func subject(_ rotation: RotationMessage) -> String {
        let meshes = rotation.meshes.joined(separator: ", ")
        let roots = "\(rotation.from) → \(rotation.to)"
        switch rotation.kind {
        case "move":
            return "\(meshes) from \(rotation.previousAuthority) (\(rotation.from)) to \(rotation.certificateAuthority) "
                + "(\(rotation.to))"
        case "revoke":
            return "revoked root of \(rotation.certificateAuthority)" + (meshes.isEmpty ? "" : " for \(meshes)") + " (\(roots))"
        default:
            return "new root of \(rotation.certificateAuthority)"
                + (meshes.isEmpty ? ", which no mesh uses" : " for \(meshes)") + " (\(roots))"
        }
    }

    /// Its phase, and whether it is held in it: `issuing (paused, manual)`.
    static func phase(_ rotation: RotationMessage) -> String {
        let isRunning = hasEnded(rotation) == false
        let holds = [rotation.paused ? "paused" : nil, rotation.manual ? "manual" : nil].compactMap { $0 }
        return rotation.phase + (holds.isEmpty || !isRunning ? "" : " (\(holds.joined(separator: ", ")))")
    }

    static func hasEnded(_ rotation: RotationMessage) -> Bool { rotation.endedAt != nil }

    /// How a revocation ended it, in whatever phase that left it: `superseded: issuer a1 was revoked`; nil where none did.
    static func supersession(_ rotation: RotationMessage) -> String? {
        guard let event = rotation.events?.last(where: { $0.event == "superseded" }) else { return nil }
        return "superseded" + (event.detail.isEmpty ? " by a revocation" : ": \(event.detail)")
    }

    /// What it takes to go on where it waits for a person; nil where it does not.
    static func instruction(_ rotation: RotationMessage) -> String? {
        guard !hasEnded(rotation) else { return nil }
        if rotation.paused { return "paused: 'signet rotation resume \(rotation.id)' lets it go on" }
        guard rotation.manual else { return nil }
        return rotation.gate?.open == true
            ? "the gate is open: 'signet rotation advance \(rotation.id)' takes it through"
            : "manual: an open gate waits for 'signet rotation advance \(rotation.id)'"
    }

    /// The phases that it goes through, in their order.
    static func phases(_ rotation: RotationMessage) -> [String] {
        guard supersession(rotation) == nil else { return ["superseded"] }
        return switch (rotation.kind, rotation.phase) {
        case ("revoke", _): ["withdrawing", "completed"]
        case (_, "aborted"), (_, "reverting"): ["reverting", "aborted"]
        default: ["distributing", "issuing", "withdrawing", "completed"]
        }
    }

    /// A blocker's name, with its mesh: `web-1 (payments)`.
    static func name(_ blocker: RotationMessage.Blocker) -> String {
        let name = blocker.proxy.isEmpty ? blocker.node : blocker.proxy
        if blocker.reason == "replica" || blocker.reason == "absent" { return name.isEmpty ? "the replicas" : "replica \(name)" }
        return blocker.mesh.map { "\(name) (\($0))" } ?? name
    }

    /// Why it blocks, with Envoy's own words where there are some, and until when.
    static func why(_ blocker: RotationMessage.Blocker) -> String {
        let reason = ground(blocker)
        // Most details say the time themselves.
        guard let until = blocker.until, !blocker.detail.contains(until) else { return reason }
        return "\(reason), until \(until)"
    }

    /// Why it blocks; a replica's name says already that it is one.
    private static func ground(_ blocker: RotationMessage.Blocker) -> String {
        let reason = blocker.reason == "replica" && !blocker.detail.isEmpty ? "" : blocker.reason
        return [reason, blocker.detail].filter { !$0.isEmpty }.joined(separator: ": ")
    }

    /// The first of several by name and reason, and how many more there are; `count` is of all.
    static func list(_ blockers: [RotationMessage.Blocker], of count: Int, most: Int) -> String {
        let shown = blockers.prefix(most).map { "\(name($0)): \(why($0))" }
        let rest = max(0, count - shown.count)
        return (shown + (rest > 0 && !shown.isEmpty ? ["and \(rest) more"] : [])).joined(separator: "; ")
    }

    /// Everybody whom a gate waits for, or whom an order left behind.
    static func table(_ blockers: [RotationMessage.Blocker]) -> String {
        var table = TextTable("MESH", "IDENTITY", "PROXY", "NODE", "RESOURCE", "WHY", "UNTIL")
        for blocker in blockers {
            table.add(
                blocker.mesh ?? "", blocker.identity ?? "", blocker.proxy, blocker.node, blocker.resource,
                [blocker.reason, blocker.detail].filter { !$0.isEmpty }.joined(separator: ": "), blocker.until ?? "")
        }
        return table.text
    }

    /// How it ended, for whoever followed it; `heldBy` is the rotation whose abort holds those by the root's age, nil where
    /// none does.
    static func end(_ rotation: RotationMessage, heldBy: String? = nil) -> String {
        let time = rotation.duration.flatMap { WireTime.duration($0) }.map { " after \(WireTime.words($0))" } ?? ""
        if let supersession = supersession(rotation) { return "rotation \(rotation.id) was \(supersession)" }
        guard rotation.phase == "aborted" else { return "rotation \(rotation.id) completed\(time)" }
        let held = heldBy.map { "; rotations by the root's age stay off until 'signet rotation resume \($0)'" } ?? ""
        return "rotation \(rotation.id) was aborted\(time): its old root stays" + held
    }
}
