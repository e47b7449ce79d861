/// One row of the audit trail. Times are ISO 8601.
package struct AuditMessage: Codable, Sendable, Hashable {
    package var at: String
    /// `user:<name>`, `proxy:<SPIFFE ID>`, `system` or `unknown`.
    package var actor: String
    package var source: String
    /// Kebab-case.
    package var action: String
    package var mesh: String?
    package var object: String
    package var details: [String: String]
    package var requestID: String

    package init(
        at: String, actor: String, source: String, action: String, mesh: String?, object: String, details: [String: String],
        requestID: String
    ) {
        self.at = at
        self.actor = actor
        self.source = source
        self.action = action
        self.mesh = mesh
        self.object = object
        self.details = details
        self.requestID = requestID
    }

    private enum CodingKeys: String, CodingKey {
        case action, actor, at, details, mesh, object, source
        case requestID = "requestId"
    }
}
