internal import PKI

extension MeshDocument {
    /// Reads one document, in either form; every fault is found before it throws.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        let document = reader.mesh(node)
        try reader.finish()
        guard let document else { throw DocumentError(line: node.line, reason: "is not a Mesh document") }
        self = document
    }
}

extension FieldReader {
    fileprivate mutating func mesh(_ node: DocumentNode) -> MeshDocument? {
        guard kind(of: node, among: [.mesh]) != nil,
            let envelope = envelope(of: node, spec: specFields, metadata: MeshDocument.metadataFields)
        else { return nil }
        return mesh(name: meshName(envelope.metadata, "name", isRequired: true), spec: envelope.spec, metadata: envelope.metadata)
    }

    private var specFields: [String] {
        ["constraints", "identity", "isolated", "mtls", "nameConstraints", "trustDomain"] + MeshDocument.unusedFields
    }

    private mutating func mesh(name: MeshName?, spec: Fields, metadata: Fields) -> MeshDocument? {
        let trustDomain = trustDomain(spec, name: name)
        let mtls = mtls(spec)
        var identityPath: String?
        if let identity = fields(spec, "identity", known: ["path"]) { identityPath = text(identity, "path") }
        let isolated = flag(spec, "isolated") ?? false
        let nameConstraints = flag(spec, "nameConstraints") ?? true
        let constraints = constraints(spec)
        var others: [JSONValue.Member] = []
        for key in MeshDocument.unusedFields {
            if let node = spec.node(key) { others.append(JSONValue.Member(key, JSONValue(node))) }
        }
        for key in MeshDocument.metadataFields {
            _ = texts(metadata, key)
            if let node = metadata.node(key) { others.append(JSONValue.Member(key, JSONValue(node))) }
        }
        guard let name, let trustDomain else { return nil }
        return MeshDocument(
            name: name, trustDomain: trustDomain, mtls: mtls, identityPath: identityPath, isolated: isolated,
            nameConstraints: nameConstraints, constraints: constraints, otherFields: others)
    }

    private mutating func trustDomain(_ spec: Fields, name: MeshName?) -> TrustDomain? {
        let field = spec.path(of: "trustDomain")
        guard spec.contains("trustDomain") else {
            guard let name else { return nil }
            do {
                return try TrustDomain(name.name)
            } catch {
                fault(
                    spec.line, field,
                    "the default, the mesh's name '\(name)', cannot be a trust domain: \(error): set trustDomain")
                return nil
            }
        }
        guard let text = text(spec, "trustDomain") else { return nil }
        do {
            return try TrustDomain(text)
        } catch {
            fault(spec.line(of: "trustDomain"), field, "'\(DocumentNode.excerpt(of: text))' is not a trust domain: \(error)")
            return nil
        }
    }

    private mutating func constraints(_ spec: Fields) -> MeshDocument.Constraints {
        guard let outer = fields(spec, "constraints", known: ["dataplaneProxy"]),
            let proxy = fields(outer, "dataplaneProxy", known: ["requirements", "restrictions"])
        else { return MeshDocument.Constraints() }
        return MeshDocument.Constraints(requirements: rules(proxy, "requirements"), restrictions: rules(proxy, "restrictions"))
    }

    private mutating func rules(_ fields: Fields, _ key: String) -> [[String: String]] {
        var rules: [[String: String]] = []
        for (node, path) in list(fields, key) {
            guard let rule = self.fields(of: node, path: path, known: ["tags"]) else { continue }
            let faults = issues.count
            let tags = texts(rule, "tags")
            // A rule without tags matches everybody: as a requirement it asks nothing, as a restriction it bars all.
            if tags.isEmpty, issues.count == faults { fault(node.line, "\(path).tags", "must name at least one tag") }
            rules.append(tags)
        }
        return rules
    }
}
