import AdminWire

/// What a revocation did, in words.
enum RevocationText {
    static func head(_ revocation: IssuerRevocationMessage, authority: String) -> [String] {
        var lines: [String] = []
        if let first = revocation.revoked.first {
            lines.append("issuer \(first) of certificate authority '\(authority)' is revoked")
        }
        for other in revocation.revoked.dropFirst() {
            lines.append("issuer \(other) is revoked with it, for it had signed a cross certificate that still holds")
        }
        if let new = revocation.newIssuer { lines.append("issuer \(new) signs in its place") }
        return lines
    }

    /// Who has followed, and who has not: proxies, and replicas of the service that were not reached.
    static func outcome(_ rotation: RotationMessage) -> [String] {
        if RotationText.hasEnded(rotation) {
            let time = rotation.duration.flatMap { WireTime.duration($0) }.map { WireTime.words($0) } ?? "the time that it took"
            return rotation.phase == "completed" && RotationText.supersession(rotation) == nil
                ? ["every connected proxy had acknowledged after \(time)"]
                : ["the rotation \(rotation.id) was superseded by another revocation after \(time)"]
        }
        let blockers = rotation.gate?.blockers ?? []
        let replicas = blockers.filter { $0.reason == "replica" }
        let absent = blockers.filter { $0.reason == "absent" }
        let proxies = blockers.filter { $0.reason != "replica" && $0.reason != "absent" }
        var lines: [String] = []
        if !proxies.isEmpty { lines.append("not acknowledged by:\n\(RotationText.table(proxies))") }
        if !replicas.isEmpty { lines.append("replicas of the service not reached:\n\(RotationText.table(replicas))") }
        if !absent.isEmpty {
            lines.append("replicas that are cut off, and may sign under the revoked root until:\n\(RotationText.table(absent))")
        }
        let rest = (rotation.gate?.pending ?? 0) - blockers.count
        if rest > 0 { lines.append("and by \(rest) more, whom 'signet get proxies' shows") }
        return lines
    }

    /// What no push can end.
    static let openConnections = [
        "Connections that were open before live on in Envoy, although their certificates were signed under the revoked root.",
        "To end them, on each proxy:",
        "  curl -X POST 'http://ENVOY-ADMIN/drain_listeners?graceful'   asks HTTP clients to connect anew; start Envoy again after it",
        "  or restart Envoy, which also ends TCP connections, that draining leaves open",
    ]
}
