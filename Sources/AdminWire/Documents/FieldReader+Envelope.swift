extension FieldReader {
    /// The two parts of a document, whichever of Kuma's forms it has.
    struct Envelope {
        /// Holds the name.
        let metadata: Fields
        /// What the document says.
        let spec: Fields
    }

    /// Which of `expected` the document is. Nil, with one clear fault instead of one for each field, where it is none of them.
    mutating func kind(of node: DocumentNode, among expected: [DocumentKind]) -> DocumentKind? {
        let key = isKubernetes(node) ? "kind" : "type"
        let opening = expected.map { "'\(key): \($0.rawValue)'" }.joined(separator: " or ")
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
            let wanted = expected.map(\.rawValue).joined(separator: " or ")
            fault(entry.line, key, "a document of the type '\(text)' does not belong here: send one of the type \(wanted)")
            return nil
        }
        if ["CertificateAuthority", "MeshService"].contains(text) {
            fault(entry.line, key, "documents of the type '\(text)' are not supported by this version")
            return nil
        }
        let near = Spelling.suggestion(for: text, among: expected.map(\.rawValue))
        let choices = expected.map { "'\($0.rawValue)'" }.joined(separator: " or ")
        fault(
            entry.line, key,
            "'\(DocumentNode.excerpt(of: text))' is not a type of document" + (near.isEmpty ? ": use \(choices)" : near))
        return nil
    }

    /// The parts of a document whose kind is settled; `spec` and `metadata` are the names of the fields that each may have.
    mutating func envelope(of node: DocumentNode, spec: [String], metadata: [String]) -> Envelope? {
        guard isKubernetes(node) else {
            // Kuma's export writes these; they are the server's own.
            let serverFields = ["creationTime", "kri", "modificationTime"]
            return fields(of: node, path: "", known: ["type", "name"] + spec + metadata + serverFields).map {
                Envelope(metadata: $0, spec: $0)
            }
        }
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
        guard let metadataFields = self.fields(fields, "metadata", known: ["name"] + metadata + clusterFields) else { return nil }
        let empty = DocumentNode(line: node.line, content: .mapping([]))
        guard let specFields = self.fields(of: fields.node("spec") ?? empty, path: "spec", known: spec) else { return nil }
        return Envelope(metadata: metadataFields, spec: specFields)
    }

    private func isKubernetes(_ node: DocumentNode) -> Bool {
        guard case .mapping(let entries) = node.content else { return false }
        return entries.contains { $0.key == "apiVersion" || $0.key == "kind" }
    }
}
