package import PKI

/// The claims of a dataplane token whose signature was verified with a key of `keyMesh`.
package struct TokenClaims: Sendable, Hashable {
    /// The mesh whose signing key verified the token.
    package var keyMesh: MeshName
    package var mesh: String
    /// Empty: the Envoy node id names the proxy.
    package var name: String
    package var tags: [String: [String]]
    /// `jti`.
    package var id: String
    package var notBefore: Timestamp
    package var expiresAt: Timestamp

    package init(
        keyMesh: MeshName, mesh: String, name: String, tags: [String: [String]], id: String, notBefore: Timestamp,
        expiresAt: Timestamp
    ) {
        self.keyMesh = keyMesh
        self.mesh = mesh
        self.name = name
        self.tags = tags
        self.id = id
        self.notBefore = notBefore
        self.expiresAt = expiresAt
    }
}
