/// The body of `POST /tokens/user`.
package struct UserTokenMessage: Codable, Sendable, Hashable {
    package var name: String
    /// `admin`, `operator` or `viewer`; at least one.
    package var roles: [String]
    /// The meshes that the roles are limited to, at least one; absent: all.
    package var meshes: [String]?
    /// A duration such as `24h`; absent: the server's default.
    package var validFor: String?

    package init(name: String, roles: [String], meshes: [String]? = nil, validFor: String? = nil) {
        self.name = name
        self.roles = roles
        self.meshes = meshes
        self.validFor = validFor
    }

    /// Reads a request strictly, naming every fault.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: ["meshes", "name", "roles", "validFor"]) else {
            throw DocumentError(issues: reader.issues)
        }
        name = reader.text(fields, "name", isRequired: true) ?? ""
        validFor = reader.duration(fields, "validFor")?.text
        roles = []
        for (node, path) in reader.list(fields, "roles") {
            if let role = reader.text(node, path: path) { roles.append(role) }
        }
        if !fields.contains("roles") { reader.fault(fields.line, "roles", "is missing") }
        meshes = reader.meshNames(fields, "meshes", orNone: "leave 'meshes' out for all")?.map(\.name)
        try reader.finish()
    }
}
