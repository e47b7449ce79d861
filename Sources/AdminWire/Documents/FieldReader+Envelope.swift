extension FieldReader {
    /// The two parts of a document, whichever of Kuma's forms it has.
    struct Envelope {
        /// Holds the name.
        let metadata: Fields
        /// What the document says.
        let spec: Fields
        /// Holds what stands beside `spec`.
        let outer: Fields
    }

    /// Kuma's export writes these; they are the server's own.
    private static let serverFields = ["creationTime", "kri", "modificationTime"]
    /// What `kubectl get -o yaml` writes besides is the cluster's own and means nothing here.
    private static let clusterFields = [
        "creationTimestamp", "finalizers", "generation", "managedFields", "ownerReferences", "resourceVersion", "uid",
    ]

    /// Which of `expected` the document is. Nil, with one clear fault instead of one for each field, where it is none of them.
    mutating func kind(of node: DocumentNode, among expected: [DocumentKind]) -> DocumentKind? {
        let key = isKubernetes(node) ? "kind" : "type"
        let opening = DocumentKind.list(of: expected) { "'\(key): \($0.rawValue)'" }
        guard case .mapping(let entries) = node.content else {
            fault(node.line, "", "a document must be a mapping that begins with \(opening), not \(node.kindName)")
            return nil
        }
        guard let entry = entries.first(where: { $0.key == key }) else {
            fault(node.line, key, "is missing: a document begins with \(opening)")
            return nil
        }
        guard let text = text(entry.value, path: key) else { return nil }
        if let kind = DocumentKind(rawValue: text) {
            if expected.contains(kind) { return kind }
            let wanted = DocumentKind.list(of: expected, \.rawValue)
            fault(entry.line, key, "a document of the type '\(text)' does not belong here: send one of the type \(wanted)")
            return nil
        }
        let near = Spelling.suggestion(for: text, among: expected.map(\.rawValue))
        let choices = DocumentKind.list(of: expected) { "'\($0.rawValue)'" }
        fault(
            entry.line, key,
            "'\(DocumentNode.excerpt(of: text))' is not a type of document" + (near.isEmpty ? ": use \(choices)" : near))
        return nil
    }

    /// The parts of a document whose kind is settled; `spec` and `metadata` are the names of the fields that each may have.
    mutating func envelope(of node: DocumentNode, spec: [String], metadata: [String]) -> Envelope? {
        guard isKubernetes(node) else {
            return fields(of: node, path: "", known: ["type", "name"] + spec + metadata + FieldReader.serverFields).map {
                Envelope(metadata: $0, spec: $0, outer: $0)
            }
        }
        return kubernetesEnvelope(of: node, spec: spec, metadata: ["name"] + metadata, outer: [])
    }

    /// As `envelope`, for the resources of a mesh, which have `spec` and `labels` in the Universal form too; `outer` are the
    /// fields beside `spec`.
    mutating func nestedEnvelope(of node: DocumentNode, spec: [String], outer: [String]) -> Envelope? {
        guard !isKubernetes(node) else {
            let metadata = ["name", "namespace", "annotations", "labels"]
            return kubernetesEnvelope(of: node, spec: spec, metadata: metadata, outer: outer)
        }
        let known = ["type", "mesh", "name", "annotations", "labels", "spec"] + outer + FieldReader.serverFields
        guard let fields = fields(of: node, path: "", known: known), let specFields = specFields(fields, node, known: spec) else {
            return nil
        }
        return Envelope(metadata: fields, spec: specFields, outer: fields)
    }

    private mutating func kubernetesEnvelope(
        of node: DocumentNode, spec: [String], metadata: [String], outer: [String]
    ) -> Envelope? {
        guard let fields = fields(of: node, path: "", known: ["apiVersion", "kind", "metadata", "spec"] + outer) else {
            return nil
        }
        if let version = text(fields, "apiVersion", isRequired: true), version != "kuma.io/v1alpha1" {
            fault(
                fields.line(of: "apiVersion"), "apiVersion",
                "must be 'kuma.io/v1alpha1', not '\(DocumentNode.excerpt(of: version))'")
        }
        guard fields.contains("metadata") else {
            fault(fields.line, "metadata.name", "is missing")
            return nil
        }
        guard let metadataFields = self.fields(fields, "metadata", known: metadata + FieldReader.clusterFields),
            let specFields = specFields(fields, node, known: spec)
        else { return nil }
        return Envelope(metadata: metadataFields, spec: specFields, outer: fields)
    }

    private mutating func specFields(_ fields: Fields, _ node: DocumentNode, known: [String]) -> Fields? {
        let empty = DocumentNode(line: node.line, content: .mapping([]))
        return self.fields(of: fields.node("spec") ?? empty, path: "spec", known: known)
    }

    private func isKubernetes(_ node: DocumentNode) -> Bool {
        guard case .mapping(let entries) = node.content else { return false }
        return entries.contains { $0.key == "apiVersion" || $0.key == "kind" }
    }
}
