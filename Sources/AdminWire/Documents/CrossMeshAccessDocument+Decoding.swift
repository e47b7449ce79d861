internal import PKI

extension CrossMeshAccessDocument {
    /// Reads one document, in either form; every fault is found before it throws.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        let document = reader.crossMeshAccess(node)
        try reader.finish()
        guard let document else { throw DocumentError(line: node.line, reason: "is not a CrossMeshAccess document") }
        self = document
    }
}

extension FieldReader {
    fileprivate mutating func crossMeshAccess(_ node: DocumentNode) -> CrossMeshAccessDocument? {
        guard kind(of: node, among: [.crossMeshAccess]) != nil,
            let envelope = envelope(of: node, spec: ["from", "to"], metadata: [])
        else { return nil }
        let name = label(envelope.metadata, "name")
        let from = side(envelope.spec, "from")
        let to = side(envelope.spec, "to")
        guard let from, let to else { return nil }
        if from.mesh == to.mesh {
            fault(to.line, "\(envelope.spec.path(of: "to")).mesh", "'\(to.mesh)' is the mesh of 'from' too: name another one")
        }
        guard let name else { return nil }
        return CrossMeshAccessDocument(
            name: name, from: CrossMeshAccessDocument.Side(mesh: from.mesh, services: from.services),
            to: CrossMeshAccessDocument.Side(mesh: to.mesh, services: to.services))
    }

    /// `line` is that of the mesh's name.
    private mutating func side(_ spec: Fields, _ key: String) -> (mesh: MeshName, services: [String]?, line: Int)? {
        guard spec.contains(key) else {
            fault(spec.line, spec.path(of: key), "is missing: say which mesh, such as '\(key): {mesh: payments}'")
            return nil
        }
        guard let side = fields(spec, key, known: ["mesh", "services"]) else { return nil }
        let services = services(side)
        guard let mesh = meshName(side, "mesh", isRequired: true) else { return nil }
        return (mesh, services, side.line(of: "mesh"))
    }

    /// Nil, every service, only where `services` is not written at all: a list that lost its last line must not open the door to all.
    private mutating func services(_ side: Fields) -> [String]? {
        let field = side.path(of: "services")
        if let line = side.lineOfNull("services") {
            fault(line, field, "names no service: name at least one, or leave 'services' out for all")
        }
        guard side.contains("services") else { return nil }
        let faultsBefore = issues.count
        let nodes = list(side, "services")
        if nodes.isEmpty, issues.count == faultsBefore {
            fault(side.line(of: "services"), field, "names no service: name at least one, or leave 'services' out for all")
        }
        if nodes.count > FieldReader.mostServices {
            fault(
                side.line(of: "services"), field,
                "there are \(nodes.count), more than the \(FieldReader.mostServices) accepted: leave 'services' out for all")
        }
        var services: [String] = []
        var seen: Set<String> = []
        for (node, path) in nodes.prefix(FieldReader.mostServices) {
            guard let service = text(node, path: path) else { continue }
            if service.isEmpty {
                fault(node.line, path, "must not be empty")
            } else if service == "*" {
                fault(node.line, path, "'*' is not the name of a service: leave 'services' out for all")
            } else if !seen.insert(service).inserted {
                fault(node.line, path, "'\(DocumentNode.excerpt(of: service))' occurs twice: keep one")
            }
            services.append(service)
        }
        return services
    }

    /// Each may become a matcher in the validation context of every proxy behind the door; a thousand of them still fit into
    /// one message to Envoy.
    private static let mostServices = 1000
}
