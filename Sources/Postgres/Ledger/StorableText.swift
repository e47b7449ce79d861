package import Authority
package import AuthorityService
package import PKI

/// What PostgreSQL's text can hold: everything but NUL.
package enum StorableText {
    /// `text` with U+FFFD for each NUL.
    package static func replacingNUL(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        var result = ""
        for scalar in text.unicodeScalars { result.unicodeScalars.append(scalar == "\0" ? "\u{FFFD}" : scalar) }
        return result
    }

    /// An audit entry speaks of what strangers sent: a NUL in a name must not cost the entry.
    package static func storable(_ entry: AuditEntry) -> AuditEntry {
        var entry = entry
        entry.actor = replacingNUL(entry.actor)
        entry.source = replacingNUL(entry.source)
        entry.action = replacingNUL(entry.action)
        entry.object = replacingNUL(entry.object)
        entry.requestID = replacingNUL(entry.requestID)
        entry.details = Dictionary(
            entry.details.map { (replacingNUL($0), replacingNUL($1)) }, uniquingKeysWith: { first, _ in first })
        entry.before = entry.before.map { replacingNUL($0) }
        entry.after = entry.after.map { replacingNUL($0) }
        return entry
    }

    /// A proxy names itself by its node id: a NUL in it must not cost the certificates of a whole batch.
    package static func storable(_ record: CertificateRecord) -> CertificateRecord {
        guard let origin = record.origin else { return record }
        var record = record
        record.origin = CertificateRecord.Origin(
            tokenID: replacingNUL(origin.tokenID), proxy: replacingNUL(origin.proxy), tags: storable(origin.tags),
            node: origin.node.map { replacingNUL($0) })
        return record
    }

    /// An operator gives the reason of an order.
    package static func storable(_ event: RotationEvent) -> RotationEvent {
        RotationEvent(
            event: replacingNUL(event.event), at: event.at, actor: replacingNUL(event.actor), detail: replacingNUL(event.detail))
    }

    /// An operator chooses the tags of a selector.
    package static func storable(_ service: MeshService) -> MeshService {
        var service = service
        service.selector = Dictionary(
            service.selector.map { (replacingNUL($0), replacingNUL($1)) }, uniquingKeysWith: { first, _ in first })
        service.document = replacingNUL(service.document)
        return service
    }

    /// Whoever asks for a token chooses its name, tags and roles; its id is the service's own.
    package static func storable(_ token: TokenRecord) -> TokenRecord {
        var token = token
        token.name = replacingNUL(token.name)
        token.tags = storable(token.tags)
        token.roles = token.roles.map { replacingNUL($0) }
        return token
    }

    /// Tags come from outside, and nearly always as they can be stored.
    package static func storable(_ tags: [String: [String]]) -> [String: [String]] {
        let isStorable = tags.allSatisfy { tag, values in
            !tag.utf8.contains(0) && values.allSatisfy { !$0.utf8.contains(0) }
        }
        if isStorable { return tags }
        return Dictionary(
            tags.map { (replacingNUL($0), $1.map { replacingNUL($0) }) }, uniquingKeysWith: { first, _ in first })
    }
}
