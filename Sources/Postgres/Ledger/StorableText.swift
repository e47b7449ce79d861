package import AuthorityService

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
        return entry
    }
}
