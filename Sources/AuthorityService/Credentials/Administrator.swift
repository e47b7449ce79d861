package import PKI

/// A person or program with a verified admin token.
package struct Administrator: Sendable, Hashable {
    package var name: String
    package var roles: Set<AdministratorRole>
    /// The meshes that the roles hold for; nil: all, and what is of no mesh.
    package var meshes: Set<MeshName>?
    package var source: String
    package var requestID: String
    /// The id (jti) of the token; empty for the service itself.
    package var tokenID: String

    package init(
        name: String, roles: Set<AdministratorRole>, meshes: Set<MeshName>? = nil, source: String, requestID: String,
        tokenID: String = ""
    ) {
        self.name = name
        self.roles = roles
        self.meshes = meshes
        self.source = source
        self.requestID = requestID
        self.tokenID = tokenID
    }

    /// The service itself, in its own audit entries.
    package static let system = Administrator(name: "", roles: [.admin], source: "local", requestID: "")

    /// Whether the roles hold for `mesh`.
    package func reaches(_ mesh: MeshName) -> Bool { meshes?.contains(mesh) ?? true }

    /// As the audit trail names them.
    package var auditName: String { name.isEmpty ? "system" : "user:\(name)" }
}

/// What an admin token allows: a viewer reads, an operator also issues and revokes credentials, an admin does all.
package enum AdministratorRole: String, Sendable, Hashable, Codable, CaseIterable {
    case admin, `operator`, viewer
}

/// A dataplane token to be issued.
package struct DataplaneTokenRequest: Sendable, Hashable {
    package var mesh: MeshName
    /// The proxy's name; empty: the Envoy node id names it.
    package var name: String
    package var tags: [String: [String]]
    /// Nil: the configured default.
    package var validFor: Duration?

    package init(mesh: MeshName, name: String, tags: [String: [String]], validFor: Duration?) {
        self.mesh = mesh
        self.name = name
        self.tags = tags
        self.validFor = validFor
    }
}

/// An admin token to be issued.
package struct UserTokenRequest: Sendable, Hashable {
    package var name: String
    package var roles: Set<AdministratorRole>
    /// The meshes that the roles hold for; nil: all.
    package var meshes: Set<MeshName>?
    /// Nil: the configured default.
    package var validFor: Duration?

    package init(name: String, roles: Set<AdministratorRole>, meshes: Set<MeshName>? = nil, validFor: Duration?) {
        self.name = name
        self.roles = roles
        self.meshes = meshes
        self.validFor = validFor
    }
}
