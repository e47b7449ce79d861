/// A token that was issued: never the token itself. Times are ISO 8601.
package struct TokenMessage: Codable, Sendable, Hashable {
    /// `jti`, what `token revoke` takes.
    package var id: String
    /// `dataplane` or `user`.
    package var kind: String
    package var mesh: String?
    package var name: String
    package var tags: [String: [String]]
    package var roles: [String]
    /// The meshes that the roles of a user token are limited to; absent: all.
    package var meshes: [String]?
    /// The SPIFFE ID that a dataplane token is worth.
    package var identity: String?
    package var issuedAt: String
    package var expiresAt: String
    package var revokedAt: String?

    package init(
        id: String, kind: String, mesh: String?, name: String, tags: [String: [String]], roles: [String],
        meshes: [String]? = nil, identity: String?, issuedAt: String, expiresAt: String, revokedAt: String?
    ) {
        self.id = id
        self.kind = kind
        self.mesh = mesh
        self.name = name
        self.tags = tags
        self.roles = roles
        self.meshes = meshes
        self.identity = identity
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }
}
