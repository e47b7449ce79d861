import AdminWire

/// The answer to a document, or to a change of who shares a certificate authority, that was made or in a dry run would be.
struct ChangeReport: Hashable, Sendable {
    var warnings: [String]
    /// The ids of the rotations that it started.
    var rotations: [String]
    /// Of the rotations that it started, or in a dry run would start.
    var moves: [MoveMessage]
    /// Of the root that a rotation replaces, or in a dry run would replace.
    var replacement: RootReplacementMessage?
    var differences: [JSONDifference]
    var trust: TrustChangeMessage

    init(_ message: MeshChangeMessage) {
        warnings = message.warnings
        rotations = message.rotation.map { [$0] } ?? []
        moves = message.move.map { [$0] } ?? []
        replacement = message.replacement
        differences = message.differences ?? []
        trust = message.trust ?? TrustChangeMessage(begins: [], ceases: [])
    }

    init(_ message: CertificateAuthorityChangeMessage) {
        warnings = message.warnings
        rotations = message.rotations
        moves = message.moves
        replacement = message.replacement
        differences = message.differences ?? []
        trust = message.trust ?? TrustChangeMessage(begins: [], ceases: [])
    }

    /// What a dry run shows below its headline: each field that differs, and what follows.
    var preview: [String] { differences.map(ChangeReport.line) + consequences }

    /// The rotations that would start, and who would begin or cease to accept whom.
    var consequences: [String] {
        moves.map {
            "a rotation would start: mesh '\($0.mesh)' from certificate authority '\($0.from)' to '\($0.to)'"
        } + replacementSentences + ChangeReport.sentences(trust.begins, "begin") + ChangeReport.sentences(trust.ceases, "cease")
    }

    private var replacementSentences: [String] {
        guard let replacement else { return [] }
        let meshes = replacement.meshes.isEmpty ? "" : " for " + replacement.meshes.joined(separator: ", ")
        return ["a rotation would start: a new root of certificate authority '\(replacement.certificateAuthority)'\(meshes)"]
    }

    /// `mtls.backends[ca-1].mode: STRICT → PERMISSIVE`
    private static func line(_ difference: JSONDifference) -> String {
        func shown(_ value: JSONValue) -> String {
            if value == .null { return "(none)" }
            let text = value.text ?? value.json
            // A certificate is known by its beginning; the document has the rest.
            return text.count > 120 ? text.prefix(120) + "…" : text
        }
        return Console.oneLine(
            "\(difference.field.isEmpty ? "the document" : difference.field): "
                + "\(shown(difference.before)) → \(shown(difference.after))")
    }

    /// One sentence for each pair of meshes; `from` is who asks, `to` who accepts.
    private static func sentences(_ pairs: [TrustChangeMessage.Pair], _ verb: String) -> [String] {
        let all = Set(pairs)
        return pairs.compactMap { pair in
            guard all.contains(.init(from: pair.to, to: pair.from)) else {
                return "\(pair.to) would \(verb) to accept \(pair.from)"
            }
            return pair.from < pair.to ? "\(pair.from) and \(pair.to) would \(verb) to accept each other" : nil
        }
    }
}
