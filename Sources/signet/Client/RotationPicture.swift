import AdminWire
import PKI

/// The live picture of a rotation on a terminal: its phases in a row, how far the current one is, and who holds it.
struct RotationPicture: Sendable {
    /// In columns; no line is longer, so that what is drawn can be drawn over.
    var width: Int
    /// How many of those who hold the gate are named.
    var mostBlockers: Int
    var usesColour: Bool

    /// `first` is what was first seen of this phase, `now` what is seen now.
    func lines(first: RotationEstimate.Sighting, now: RotationEstimate.Sighting) -> [String] {
        let rotation = now.rotation
        var lines = [cut("\(rotation.id): \(RotationText.subject(rotation))"), phases(rotation)]
        if let gate = rotation.gate {
            let estimate = RotationEstimate(first: first, now: now).text
            let waits = !gate.open ? estimate : RotationText.instruction(rotation) == nil ? "the gate is open" : nil
            let spent = WireTime.time(rotation.phaseSince).map { since in
                "for \(WireTime.words(.seconds((now.at - since).components.seconds)))"
            }
            lines.append(
                cut(
                    "  \(RotationPicture.bar(settled: gate.settled, pending: gate.pending)) \(gate.settled) settled, "
                        + "\(gate.pending) pending, " + [spent, waits].compactMap { $0 }.joined(separator: ", ")))
            if !gate.open {
                for blocker in gate.blockers.prefix(mostBlockers) {
                    lines.append(cut("    \(RotationText.name(blocker)): \(RotationText.why(blocker))"))
                }
                let rest = max(gate.pending, gate.blockers.count) - min(gate.blockers.count, mostBlockers)
                if rest > 0, !gate.blockers.isEmpty { lines.append(cut("    and \(rest) more")) }
            }
        }
        if let instruction = RotationText.instruction(rotation) { lines.append(cut("  \(instruction)")) }
        return lines
    }

    /// The current phase stands in brackets, in reverse where there is colour.
    private func phases(_ rotation: RotationMessage) -> String {
        let names = RotationText.phases(rotation)
        let current = names.firstIndex(of: rotation.phase) ?? names.startIndex
        let plain = names.enumerated().map { index, name in
            index < current ? "\(name) ✓" : index == current ? "[\(name)]" : name
        }
        let row = "  " + plain.joined(separator: " → ")
        guard usesColour, row.count <= width else { return cut(row) }
        return row.replacing("[\(names[current])]", with: "\u{1B}[7m[\(names[current])]\u{1B}[0m")
    }

    /// Thirty columns, full only when nobody is waited for.
    static func bar(settled: Int, pending: Int) -> String {
        let columns = 30
        let all = settled + pending
        let full = all == 0 ? columns : pending > 0 ? min(columns - 1, settled * columns / all) : columns
        return "▕" + String(repeating: "█", count: full) + String(repeating: "·", count: columns - full) + "▏"
    }

    private func cut(_ line: String) -> String {
        let line = "\(line.prefix { $0 == " " })" + Console.oneLine(line)
        return line.count <= width ? line : line.prefix(max(0, width - 1)) + "…"
    }
}
