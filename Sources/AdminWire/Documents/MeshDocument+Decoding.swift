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
        guard case .mapping(let entries) = node.content else {
            fault(node.line, "", "a document must be a mapping that begins with 'type: Mesh', not \(node.kindName)")
            return nil
        }
        if entries.contains(where: { $0.key == "apiVersion" || $0.key == "kind" }) { return kubernetesMesh(node) }
        return universalMesh(node)
    }

    private mutating func universalMesh(_ node: DocumentNode) -> MeshDocument? {
        guard checkKind(node, key: "type") else { return nil }
        let known = ["type", "name"] + specFields + MeshDocument.metadataFields + MeshDocument.serverFields
        guard let fields = fields(of: node, path: "", known: known) else { return nil }
        return mesh(name: name(fields), spec: fields, metadata: fields, metadataFields: MeshDocument.metadataFields)
    }

    private mutating func kubernetesMesh(_ node: DocumentNode) -> MeshDocument? {
        guard checkKind(node, key: "kind") else { return nil }
        guard let fields = fields(of: node, path: "", known: ["apiVersion", "kind", "metadata", "spec"]) else { return nil }
        if let version = text(fields, "apiVersion", isRequired: true), version != "kuma.io/v1alpha1" {
            fault(
                fields.line(of: "apiVersion"), "apiVersion",
                "must be 'kuma.io/v1alpha1', not '\(DocumentNode.excerpt(of: version))'")
        }
        guard fields.contains("metadata") else {
            fault(fields.line, "metadata.name", "is missing")
            return nil
        }
        // What `kubectl get -o yaml` writes besides is the cluster's own and means nothing here.
        let clusterFields = ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"]
        guard let metadata = self.fields(fields, "metadata", known: ["name"] + MeshDocument.metadataFields + clusterFields) else {
            return nil
        }
        let empty = DocumentNode(line: node.line, content: .mapping([]))
        guard let spec = self.fields(of: fields.node("spec") ?? empty, path: "spec", known: specFields) else { return nil }
        return mesh(name: name(metadata), spec: spec, metadata: metadata, metadataFields: MeshDocument.metadataFields)
    }

    private var specFields: [String] {
        ["constraints", "identity", "isolated", "mtls", "nameConstraints", "trustDomain"] + MeshDocument.unusedFields
    }

    /// Whether the document is a Mesh; another type gets one clear fault instead of one for each of its fields.
    private mutating func checkKind(_ node: DocumentNode, key: String) -> Bool {
        guard case .mapping(let entries) = node.content, let entry = entries.first(where: { $0.key == key }) else {
            fault(node.line, key, "is missing: a document begins with '\(key): Mesh'")
            return false
        }
        guard let kind = text(entry.value, path: key) else { return false }
        switch kind {
        case "Mesh": return true
        case "CertificateAuthority", "CrossMeshAccess", "MeshService":
            fault(entry.line, key, "documents of the type '\(kind)' are not supported by this version")
        default:
            let shown = DocumentNode.excerpt(of: kind)
            let near = Spelling.suggestion(for: kind, among: ["Mesh"])
            fault(entry.line, key, "'\(shown)' is not a type of document" + (near.isEmpty ? ": use 'Mesh'" : near))
        }
        return false
    }

    private mutating func name(_ fields: Fields) -> MeshName? {
        guard let text = text(fields, "name", isRequired: true) else { return nil }
        do {
            return try MeshName(text)
        } catch {
            fault(fields.line(of: "name"), fields.path(of: "name"), "'\(DocumentNode.excerpt(of: text))' \(error)")
            return nil
        }
    }

    private mutating func mesh(
        name: MeshName?, spec: Fields, metadata: Fields, metadataFields: [String]
    ) -> MeshDocument? {
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
        for key in metadataFields {
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
