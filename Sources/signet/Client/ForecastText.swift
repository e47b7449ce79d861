import AdminWire

/// What a rotation would meet, in words.
enum ForecastText {
    static func page(_ preview: RotationPreviewMessage) -> String {
        let (rotation, forecast) = (preview.rotation, preview.forecast)
        let meshes = rotation.meshes.joined(separator: ", ")
        var lines = [
            "certificate authority '\(rotation.certificateAuthority)' would get a new root in place of \(rotation.from)"
                + (meshes.isEmpty ? "; no mesh uses it" : ", for \(meshes)")
        ]
        let proxies =
            switch forecast.connected {
            case 0: "no proxy is connected that"
            case 1: "1 connected proxy"
            default: "\(forecast.connected) connected proxies"
            }
        lines.append(
            "  distributing: \(proxies) would be sent a bundle with both roots; "
                + holders(forecast.distributing, none: "nobody would hold it"))
        lines += forecast.distributing.map(line)
        let reissue = WireTime.duration(forecast.reissue).map { $0 < .seconds(1) ? "under 1 s" : "about \(WireTime.words($0))" }
        lines.append(
            "  issuing: certificates would be replaced, which takes \(reissue ?? forecast.reissue); "
                + holders(forecast.issuing, none: "nobody would hold it longer"))
        lines += forecast.issuing.map(line)
        let end = forecast.lastExpiry
        lines.append(
            rotation.retireAfter == "reissued"
                ? "  withdrawing: the old root would go when each certificate under it has been replaced"
                    + (end.map { ", at the latest when the last one ends, \($0)" } ?? "")
                : "  withdrawing: the old root would go when the last certificate under it has ended"
                    + (end.map { ", \($0)" } ?? "; none is out"))
        lines.append(
            forecast.crossCertified
                ? "  chains would carry a cross certificate: proxies that are away would hold nothing up before that"
                : "  chains would carry no cross certificate: proxies that are away would be waited for")
        if rotation.manual { lines.append("  each open gate would wait for 'signet rotation advance'") }
        return lines.map { "\($0.prefix { $0 == " " })" + Console.oneLine($0) }.joined(separator: "\n") + "\n"
    }

    private static func holders(_ blockers: [RotationMessage.Blocker], none: String) -> String {
        blockers.isEmpty ? none : "held by \(blockers.count):"
    }

    private static func line(_ blocker: RotationMessage.Blocker) -> String {
        "    \(RotationText.name(blocker)): \(RotationText.why(blocker))"
    }
}
