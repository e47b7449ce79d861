internal import PKI

extension FieldReader {
    /// The DNS label that a document has as its name.
    mutating func label(_ fields: Fields, _ key: String) -> String? {
        guard let text = text(fields, key, isRequired: true) else { return nil }
        guard DNSLabel.isValid(text) else {
            fault(
                fields.line(of: key), fields.path(of: key),
                "'\(DocumentNode.excerpt(of: text))' must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, "
                    + "not beginning or ending with a hyphen")
            return nil
        }
        return text
    }

    /// The name of a certificate authority that meshes may share.
    mutating func sharedAuthority(_ fields: Fields, _ key: String) -> String? {
        if let node = fields.node(key), case .text(let text) = node.content, text.contains(".") {
            fault(
                fields.line(of: key), fields.path(of: key),
                "'\(DocumentNode.excerpt(of: text))' has a dot and so is a mesh's own CA, '<mesh>.<backend>', which is never "
                    + "shared: use a name without a dot")
            return nil
        }
        return label(fields, key)
    }

    mutating func meshName(_ fields: Fields, _ key: String, isRequired: Bool = false) -> MeshName? {
        guard let text = text(fields, key, isRequired: isRequired) else { return nil }
        return meshName(text, line: fields.line(of: key), path: fields.path(of: key))
    }

    /// The names of meshes in the list `key`, none twice; nil if it is absent. `orNone` is what to do where it names none.
    mutating func meshNames(_ fields: Fields, _ key: String, orNone: String) -> [MeshName]? {
        let field = fields.path(of: key)
        let namesNone = "names no mesh: name at least one, or \(orNone)"
        // A list that lost its last line must not mean every mesh.
        if let line = fields.lineOfNull(key) { fault(line, field, namesNone) }
        guard fields.contains(key) else { return nil }
        let faultsBefore = issues.count
        let meshes = meshNames(fields, key)
        if meshes.isEmpty, issues.count == faultsBefore { fault(fields.line(of: key), field, namesNone) }
        return meshes
    }

    /// The names of meshes in the list `key`, none twice; none if it is absent or empty.
    mutating func meshNames(_ fields: Fields, _ key: String) -> [MeshName] {
        let nodes = list(fields, key)
        if nodes.count > FieldReader.mostMeshes {
            fault(
                fields.line(of: key), fields.path(of: key),
                "there are \(nodes.count), more than the \(FieldReader.mostMeshes) accepted: name the others in further requests")
        }
        var names: [MeshName] = []
        var seen: Set<MeshName> = []
        for (node, path) in nodes.prefix(FieldReader.mostMeshes) {
            guard let text = text(node, path: path), let name = meshName(text, line: node.line, path: path) else { continue }
            guard seen.insert(name).inserted else {
                fault(node.line, path, "'\(name)' occurs twice: keep one")
                continue
            }
            names.append(name)
        }
        return names
    }

    mutating func meshName(_ text: String, line: Int, path: String) -> MeshName? {
        do {
            return try MeshName(text)
        } catch {
            fault(line, path, "'\(DocumentNode.excerpt(of: text))' \(error)")
            return nil
        }
    }

    /// As many as a page of a list has: each may start a rotation, all of them in one transaction.
    private static let mostMeshes = 1000
}
