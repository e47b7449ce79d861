/// A text of one or more documents, as `apply` reads it from a file and the server from a request.
package enum DocumentFile {
    /// The documents of `bytes`, in their order. Throws for the first document that is not right, naming all its faults.
    package static func documents(
        in bytes: [UInt8], format: DocumentText.Format
    ) throws(DocumentError) -> [PolicyDocument] {
        let nodes = try DocumentText.parse(bytes, format: format)
        guard !nodes.isEmpty else {
            throw DocumentError(
                line: nil, reason: "there is no document: begin with 'type: Mesh' or 'type: CrossMeshAccess'")
        }
        var documents: [PolicyDocument] = []
        for (index, node) in nodes.enumerated() {
            do {
                documents.append(try PolicyDocument(node))
            } catch {
                throw DocumentError(document: nodes.count > 1 ? index + 1 : nil, issues: error.issues)
            }
        }
        return documents
    }

    /// Which format a file is in: JSON by its ending, or when its first character is a brace; YAML else.
    package static func format(of bytes: [UInt8], fileName: String) -> DocumentText.Format {
        if fileName.hasSuffix(".json") { return .json }
        if fileName.hasSuffix(".yaml") || fileName.hasSuffix(".yml") { return .yaml }
        let first = DocumentText.withoutMark(bytes).first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        return first == 0x7B ? .json : .yaml
    }
}
