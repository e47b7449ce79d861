internal import PKI

extension MeshServiceDocument {
    /// Reads one document, in either form; every fault is found before it throws.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        let document = reader.meshService(node)
        try reader.finish()
        guard let document else { throw DocumentError(line: node.line, reason: "is not a MeshService document") }
        self = document
    }

    /// Reads one document that is JSON, as the ledger keeps it.
    package init(json: String) throws(DocumentError) {
        try self.init(try JSONReader.parse(Array(json.utf8)))
    }
}

extension FieldReader {
    fileprivate mutating func meshService(_ node: DocumentNode) -> MeshServiceDocument? {
        guard kind(of: node, among: [.meshService]) != nil,
            let envelope = nestedEnvelope(
                of: node, spec: ["selector", "ports"] + MeshServiceDocument.unusedSpecFields,
                outer: MeshServiceDocument.unusedOuterFields)
        else { return nil }
        let name = label(envelope.metadata, "name")
        var labels = texts(envelope.metadata, "labels")
        let annotations = texts(envelope.metadata, "annotations")
        let mesh = mesh(envelope.metadata, &labels)
        takeNamespace(envelope.metadata, &labels)
        let selector = selector(envelope.spec)
        let ports = ports(envelope.spec)
        var others: [JSONValue.Member] = []
        for key in MeshServiceDocument.unusedSpecFields {
            if let node = envelope.spec.node(key) { others.append(JSONValue.Member(key, JSONValue(node))) }
        }
        for key in MeshServiceDocument.unusedOuterFields {
            if let node = envelope.outer.node(key) { others.append(JSONValue.Member(key, JSONValue(node))) }
        }
        guard let name, let mesh else { return nil }
        return MeshServiceDocument(
            mesh: mesh, name: name, selector: selector, ports: ports, labels: labels, annotations: annotations,
            otherFields: others)
    }

    /// By the field `mesh` or the label, which leaves `labels`; Kuma's default where there is neither.
    private mutating func mesh(_ metadata: Fields, _ labels: inout [String: String]) -> MeshName? {
        let path = "\(metadata.path(of: "labels"))['\(MeshServiceDocument.meshLabel)']"
        let label = labels.removeValue(forKey: MeshServiceDocument.meshLabel)
        guard metadata.contains("mesh") else {
            return meshName(label ?? "default", line: metadata.line(of: "labels"), path: path)
        }
        let mesh = meshName(metadata, "mesh")
        if let label, let mesh, label != mesh.name {
            fault(
                metadata.line(of: "labels"), path,
                "'\(DocumentNode.excerpt(of: label))' is not the mesh that 'mesh' names, '\(mesh)': leave one out")
        }
        return mesh
    }

    private mutating func takeNamespace(_ metadata: Fields, _ labels: inout [String: String]) {
        guard let namespace = text(metadata, "namespace") else { return }
        if let label = labels[MeshServiceDocument.namespaceLabel], label != namespace {
            fault(
                metadata.line(of: "namespace"), metadata.path(of: "namespace"),
                "'\(DocumentNode.excerpt(of: namespace))' is not what the label '\(MeshServiceDocument.namespaceLabel)' says: "
                    + "leave one out")
        }
        labels[MeshServiceDocument.namespaceLabel] = namespace
    }

    private mutating func selector(_ spec: Fields) -> [String: String] {
        let advice = "name at least one tag, such as 'dataplaneTags: {kuma.io/service: api}'"
        guard spec.contains("selector") else {
            fault(spec.line, spec.path(of: "selector"), "is missing: \(advice)")
            return [:]
        }
        guard let selector = fields(spec, "selector", known: ["dataplane", "dataplaneRef", "dataplaneTags"]) else { return [:] }
        for key in ["dataplane", "dataplaneRef"] where selector.contains(key) || selector.lineOfNull(key) != nil {
            fault(
                selector.lineOfNull(key) ?? selector.line(of: key), selector.path(of: key),
                "selects Dataplane resources, and there are none here: a proxy is known by its token's tags, use dataplaneTags")
        }
        let faultsBefore = issues.count
        let tags = texts(selector, "dataplaneTags")
        let field = selector.path(of: "dataplaneTags")
        let line = selector.line(of: "dataplaneTags")
        for (tag, value) in tags.sorted(by: { $0.key < $1.key }) {
            let path = "\(field)['\(DocumentNode.excerpt(of: tag))']"
            if tag.isEmpty || value.isEmpty { fault(line, path, "must not be empty") }
            if value == "*" { fault(line, path, "'*' is not supported: name the value") }
        }
        // No tag at all would select every proxy of the mesh.
        if tags.isEmpty, issues.count == faultsBefore, !selector.contains("dataplane"), !selector.contains("dataplaneRef") {
            fault(line, field, "selects nothing: \(advice)")
        }
        return tags
    }

    private mutating func ports(_ spec: Fields) -> [MeshServiceDocument.Port] {
        let nodes = list(spec, "ports")
        if nodes.count > FieldReader.mostPorts {
            fault(
                spec.line(of: "ports"), spec.path(of: "ports"),
                "there are \(nodes.count), more than the \(FieldReader.mostPorts) accepted")
        }
        var ports: [MeshServiceDocument.Port] = []
        var names: Set<String> = []
        for (node, path) in nodes.prefix(FieldReader.mostPorts) {
            let known = ["appProtocol", "name", "port", "targetPort"]
            guard let fields = fields(of: node, path: path, known: known) else { continue }
            let name = text(fields, "name")
            if let name, !names.insert(name).inserted {
                fault(
                    fields.line(of: "name"), fields.path(of: "name"),
                    "'\(DocumentNode.excerpt(of: name))' is the name of another port: keep one")
            }
            let appProtocol = text(fields, "appProtocol")
            let target = targetPort(fields)
            guard fields.contains("port") else {
                fault(fields.line, fields.path(of: "port"), "is missing")
                continue
            }
            guard let port = integer(fields, "port"), isPort(port, fields, "port") else { continue }
            ports.append(MeshServiceDocument.Port(port: port, name: name, targetPort: target, appProtocol: appProtocol))
        }
        return ports
    }

    private mutating func targetPort(_ fields: Fields) -> MeshServiceDocument.Port.Target? {
        guard let node = fields.node("targetPort") else { return nil }
        if case .text(let name) = node.content {
            if name.isEmpty { fault(node.line, fields.path(of: "targetPort"), "must not be empty") }
            return .name(name)
        }
        guard case .number = node.content else {
            fault(node.line, fields.path(of: "targetPort"), "must be a port's number or name, not \(node.kindName)")
            return nil
        }
        guard let number = integer(fields, "targetPort"), isPort(number, fields, "targetPort") else { return nil }
        return .number(number)
    }

    private mutating func isPort(_ number: Int, _ fields: Fields, _ key: String) -> Bool {
        guard !(1...65_535).contains(number) else { return true }
        fault(fields.line(of: key), fields.path(of: key), "\(number) must be between 1 and 65535")
        return false
    }

    /// Beyond what any service listens on; bounds the work of one document.
    private static let mostPorts = 1000
}
