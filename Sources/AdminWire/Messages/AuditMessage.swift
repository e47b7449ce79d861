/// One row of the audit trail. Times are ISO 8601.
package struct AuditMessage: Codable, Sendable, Hashable {
    /// Its number: grows by one with each entry.
    package var seq: Int64
    package var at: String
    /// The same moment in milliseconds since the Unix epoch, as it is hashed.
    package var atMilliseconds: Int64
    /// `user:<name>`, `proxy:<SPIFFE ID>`, `local:<name>`, `system` or `unknown`.
    package var actor: String
    /// `192.0.2.7:45796`, `[2001:db8::7]:45796`, `unix`, `local` or `unknown`.
    package var source: String
    /// Kebab-case.
    package var action: String
    package var mesh: String?
    package var object: String
    package var details: [String: String]
    package var requestID: String
    /// What the act found and what it left: JSON as text, exactly as it is hashed. Not for whoever is limited to named meshes.
    package var before: String?
    package var after: String?
    /// SHA-256 of the row before and of this one, in hexadecimal. Not shown to whoever is limited to named meshes.
    package var previous: String?
    package var hash: String?

    package init(
        seq: Int64, at: String, atMilliseconds: Int64, actor: String, source: String, action: String, mesh: String?,
        object: String, details: [String: String], requestID: String, before: String?, after: String?, previous: String?,
        hash: String?
    ) {
        self.seq = seq
        self.at = at
        self.atMilliseconds = atMilliseconds
        self.actor = actor
        self.source = source
        self.action = action
        self.mesh = mesh
        self.object = object
        self.details = details
        self.requestID = requestID
        self.before = before
        self.after = after
        self.previous = previous
        self.hash = hash
    }

    private enum CodingKeys: String, CodingKey {
        case action, actor, after, at, atMilliseconds, before, details, hash, mesh, object, previous, seq, source
        case requestID = "requestId"
    }
}
