import AdminWire
import PKI

/// How long the current phase of a rotation may still take, from what was seen of it.
struct RotationEstimate: Sendable, Hashable {
    /// A rotation as it was at some time of this machine's clock.
    struct Sighting: Sendable {
        var rotation: RotationMessage
        var at: Timestamp
    }

    /// Nil: nobody can say.
    var remaining: Duration?
    /// Where the remaining time is the wait for an end that stands in a certificate.
    var until: String?

    /// `first` is what was first seen of this phase, `now` what is seen now.
    ///
    /// Whoever rejects or is silent ends that at no known time. Whoever counts until its certificate ends bounds the phase from
    /// below; the others settle at the rate at which those before them did.
    init(first: Sighting, now: Sighting) {
        guard let gate = now.rotation.gate, !gate.open, gate.pending > 0 else { return }
        let stuck: Set<String> = ["rejected", "silent"]
        guard !gate.blockers.contains(where: { stuck.contains($0.reason) && $0.until == nil }) else { return }
        let ends = gate.blockers.compactMap(\.until).compactMap { text in WireTime.time(text).map { (text, $0) } }
        if let latest = ends.max(by: { $0.1 < $1.1 }), latest.1 > now.at {
            remaining = latest.1 - now.at
            until = latest.0
            return
        }
        guard let rate = RotationEstimate.rate(first, now), rate > 0 else { return }
        remaining = .milliseconds(Int64((Double(gate.pending) / rate * 1000).rounded(.up)))
    }

    /// Subscribers settled a second; nil where nothing tells.
    private static func rate(_ first: Sighting, _ now: Sighting) -> Double? {
        guard let settled = now.rotation.gate?.settled else { return nil }
        if first.rotation.phase == now.rotation.phase, let before = first.rotation.gate?.settled, settled > before {
            let elapsed = now.at - first.at
            if elapsed >= .seconds(1) { return Double(settled - before) * 1000 / Double(elapsed.wholeMilliseconds) }
        }
        // All of it, if the phase began before anybody looked.
        guard settled > 0, let since = WireTime.time(now.rotation.phaseSince), now.at - since >= .seconds(1) else { return nil }
        return Double(settled) * 1000 / Double((now.at - since).wholeMilliseconds)
    }

    /// For a person; nil where there is nothing to say.
    var text: String? {
        guard let remaining else { return nil }
        return "about \(WireTime.words(remaining))" + (until.map { ", until \($0)" } ?? "")
    }
}
