package import PKI

/// A `CrossMeshAccess` document: a door between two meshes, parsed and as valid as the document alone can show.
package struct CrossMeshAccessDocument: Sendable, Hashable {
    /// One side of the door.
    package struct Side: Sendable, Hashable {
        package var mesh: MeshName
        /// Values of `kuma.io/service`, at least one, none twice; nil: the whole mesh.
        package var services: [String]?

        package init(mesh: MeshName, services: [String]? = nil) {
            self.mesh = mesh
            self.services = services
        }
    }

    /// A DNS label.
    package var name: String
    package var from: Side
    /// Another mesh than `from`.
    package var to: Side
    /// ISO 8601; written by the server, ignored when it reads.
    package var creationTime: String?
    package var modificationTime: String?

    package init(name: String, from: Side, to: Side, creationTime: String? = nil, modificationTime: String? = nil) {
        self.name = name
        self.from = from
        self.to = to
        self.creationTime = creationTime
        self.modificationTime = modificationTime
    }

    /// The document as JSON in one of Kuma's forms; reading it again gives this value, server times apart.
    package func json(_ form: DocumentForm = .universal) -> JSONValue {
        let spec: [JSONValue.Member] = [.init("from", from.json), .init("to", to.json)]
        switch form {
        case .kubernetes:
            var metadata: [JSONValue.Member] = [.init("name", .string(name))]
            if let creationTime { metadata.append(.init("creationTimestamp", .string(creationTime))) }
            return .object([
                .init("apiVersion", .string("kuma.io/v1alpha1")), .init("kind", .string(DocumentKind.crossMeshAccess.rawValue)),
                .init("metadata", .object(metadata)), .init("spec", .object(spec)),
            ])
        case .universal:
            var members: [JSONValue.Member] = [
                .init("type", .string(DocumentKind.crossMeshAccess.rawValue)), .init("name", .string(name)),
            ]
            if let creationTime { members.append(.init("creationTime", .string(creationTime))) }
            if let modificationTime { members.append(.init("modificationTime", .string(modificationTime))) }
            return .object(members + spec)
        }
    }
}

extension CrossMeshAccessDocument.Side {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = [.init("mesh", .string(mesh.name))]
        if let services { members.append(.init("services", .array(services.map { .string($0) }))) }
        return .object(members)
    }
}
