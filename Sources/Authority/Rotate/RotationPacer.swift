package import PKI

/// Decides, round after round, whether a rotation goes on: a gate must have been open for the dwell without a break, so that a
/// handshake begun with the older certificate can end. One that is paused, or waits for an operator's word, stays.
package struct RotationPacer: Sendable {
    private struct Opening: Sendable {
        var revision: Int64
        var since: Timestamp
    }

    private let dwell: Duration
    private var openings: [String: Opening] = [:]

    package init(dwell: Duration) {
        self.dwell = dwell
    }

    /// Whether the rotation goes on now, its gate being what it is.
    package mutating func goesOn(_ entry: AuthorityState.RotationEntry, gate: RotationGate, at now: Timestamp) -> Bool {
        guard gate.isOpen, !entry.rotation.isPaused, !entry.rotation.isManual else {
            openings[entry.rotation.id] = nil
            return false
        }
        // Seen later than now, it was seen by a clock that was set back since.
        if let opening = openings[entry.rotation.id], opening.revision == entry.revision, opening.since <= now {
            return now >= opening.since + dwell
        }
        openings[entry.rotation.id] = Opening(revision: entry.revision, since: now)
        return dwell == .zero
    }

    /// The gate is shut, as is known without judging it to the end.
    package mutating func holds(_ rotation: String) { openings[rotation] = nil }

    /// Whether the gate was found open, and the dwell has not passed: until then nothing but a gate that shuts is of interest.
    package func isDwelling(_ entry: AuthorityState.RotationEntry, at now: Timestamp) -> Bool {
        guard let opening = openings[entry.rotation.id], opening.revision == entry.revision, opening.since <= now else {
            return false
        }
        return now < opening.since + dwell
    }

    /// When the first of the dwells that are under way ends; nil: none is.
    package func nextEnd(after now: Timestamp) -> Timestamp? {
        openings.values.map { $0.since + dwell }.filter { now < $0 }.min()
    }

    /// Forgets rotations that run no longer.
    package mutating func keep(only running: some Collection<String>) {
        openings = openings.filter { running.contains($0.key) }
    }
}
