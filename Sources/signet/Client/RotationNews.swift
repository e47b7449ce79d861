import AdminWire

/// What changed of a rotation from one look at it to the next, a line for each thing: for logs and programs.
enum RotationNews {
    /// Nothing where nothing changed; `before` is nil at the first look.
    static func lines(from before: RotationMessage?, to now: RotationMessage) -> [String] {
        var lines: [String] = []
        // A phase may begin and end between two looks: what happened is told by the events, how it stands by the gate.
        let known = before?.events?.count ?? 0
        for event in (now.events ?? []).dropFirst(known) {
            let detail = event.detail.isEmpty ? "" : ": \(event.detail)"
            lines.append("\(event.at) \(event.event) by \(event.actor)\(detail)")
        }
        if before == nil, lines.isEmpty { lines.append("\(now.phaseSince) \(now.phase)") }
        if let state = state(now), before.flatMap({ self.state($0) }) != state { lines.append(state) }
        return lines.map { Console.oneLine("\(now.id): \($0)") }
    }

    /// How its gate stands; nil once it has ended.
    private static func state(_ rotation: RotationMessage) -> String? {
        guard let gate = rotation.gate else { return nil }
        let figures = "\(RotationText.phase(rotation)): \(gate.settled) settled, \(gate.pending) pending"
        if gate.open { return figures + (RotationText.instruction(rotation).map { "; \($0)" } ?? ", the gate is open") }
        let blockers = RotationText.list(gate.blockers, of: max(gate.pending, gate.blockers.count), most: 3)
        return figures + (blockers.isEmpty ? "" : "; \(blockers)")
    }
}
