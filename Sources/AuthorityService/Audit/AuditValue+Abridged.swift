internal import PKI
internal import PKICrypto

/// What is too large for the audit trail is in it by its size and its SHA-256, in place of itself.
///
/// A mesh with its other fields may have nearly a megabyte, before and after: whoever may change it could fill the database with
/// rows that are never removed. What changed still shows, field by field: what is alike has the same digest.
extension AuditValue {
    /// What one thing takes in an entry, at most: documents that people write have one or two KiB, and stay whole; a thousand acts
    /// on the largest take 16 MiB.
    static let mostOctets = 8 << 10
    /// What an act found or left takes in all, but for the names: an act on a thousand large services is not a row of eight MiB.
    static let mostOctetsOfAll = 64 << 10
    /// Texts in it that are longer go first where a thing is too large: they are the documents, and the rest is what is looked for.
    private static let mostOctetsOfText = 1 << 10
    /// What each thing keeps where all of them together are too large.
    private static let mostOctetsOfMany = 256

    /// The things that an act found or left, by kind and name.
    static func abridged(_ things: [String: AuditValue]) -> AuditValue {
        let whole = AuditValue.object(things.mapValues { $0.abridged(to: mostOctets) })
        guard whole.json.utf8.count > mostOctetsOfAll else { return whole }
        return .object(things.mapValues { $0.abridged(to: mostOctetsOfMany) })
    }

    /// At most so many octets: without its long texts, else without its largest fields, else its digest alone.
    func abridged(to most: Int) -> AuditValue {
        guard json.utf8.count > most else { return self }
        let short = withoutTexts(over: min(most, AuditValue.mostOctetsOfText))
        var octets = short.json.utf8.count
        guard octets > most else { return short }
        guard case .object(let fields) = self, case .object(var left) = short else { return digest }
        let largest = left.map { (name: $0.key, octets: $0.value.json.utf8.count) }
            .sorted { ($1.octets, $0.name) < ($0.octets, $1.name) }
        for field in largest where octets > most {
            guard let digest = fields[field.name]?.digest else { continue }
            left[field.name] = digest
            octets += digest.json.utf8.count - field.octets
        }
        return octets > most ? digest : .object(left)
    }

    private func withoutTexts(over most: Int) -> AuditValue {
        switch self {
        case .flag: self
        case .list(let values): .list(values.map { $0.withoutTexts(over: most) })
        case .object(let members): .object(members.mapValues { $0.withoutTexts(over: most) })
        case .text(let text): text.utf8.count > most ? digest : self
        }
    }

    /// Of a text its own octets are counted and digested, of anything else those of its JSON.
    private var digest: AuditValue {
        let octets = if case .text(let text) = self { Array(text.utf8) } else { Array(json.utf8) }
        return .members(["octets": .text("\(octets.count)"), "sha256": .text(Hex.encode(Digest.sha256(octets)))])
    }
}
