/// The body of `POST /tokens/dataplane`, with Kuma's names.
package struct DataplaneTokenMessage: Codable, Sendable, Hashable {
    package var mesh: String
    /// The proxy's name; absent: Envoy's node id names it.
    package var name: String?
    package var tags: [String: [String]]
    /// A duration such as `720h` or `30d`; absent: the server's default.
    package var validFor: String?

    package init(mesh: String, name: String? = nil, tags: [String: [String]] = [:], validFor: String? = nil) {
        self.mesh = mesh
        self.name = name
        self.tags = tags
        self.validFor = validFor
    }

    /// Reads a request strictly, naming every fault.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: ["mesh", "name", "tags", "validFor"]) else {
            throw DocumentError(issues: reader.issues)
        }
        mesh = reader.text(fields, "mesh", isRequired: true) ?? ""
        name = reader.text(fields, "name")
        validFor = reader.duration(fields, "validFor")?.text
        tags = [:]
        if let node = fields.node("tags") {
            if case .mapping(let entries) = node.content {
                for entry in entries { tags[entry.key] = reader.values(of: entry) }
            } else {
                reader.fault(node.line, "tags", "must be a mapping of tags to lists of values, not \(node.kindName)")
            }
        }
        try reader.finish()
    }
}

extension FieldReader {
    /// A list of texts, or one text alone.
    fileprivate mutating func values(of entry: DocumentNode.Entry) -> [String] {
        let path = "tags['\(DocumentNode.excerpt(of: entry.key))']"
        guard case .sequence(let nodes) = entry.value.content else {
            return text(entry.value, path: path).map { [$0] } ?? []
        }
        var values: [String] = []
        for (index, node) in nodes.enumerated() {
            if let value = text(node, path: "\(path)[\(index)]") { values.append(value) }
        }
        return values
    }
}
