/// A text of one or more documents, as `apply` reads it from a file and the server from a request.
package enum DocumentFile {
    /// The documents of `bytes`, in their order. Throws for the first document that is not right, naming all its faults, and
    /// for one of the same kind and name as another.
    ///
    /// With `files`, the files that `cert` and `key` name are read in; without, as for the server, naming one is a fault.
    package static func documents(
        in bytes: [UInt8], format: DocumentText.Format, files: DataFiles? = nil
    ) throws(DocumentError) -> [PolicyDocument] {
        let nodes = try DocumentText.parse(bytes, format: format)
        guard !nodes.isEmpty else {
            let openings = DocumentKind.list(of: DocumentKind.allCases) { "'type: \($0.rawValue)'" }
            throw DocumentError(line: nil, reason: "there is no document: begin with \(openings)")
        }
        var documents: [PolicyDocument] = []
        var lines: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            do throws(DocumentError) {
                let document = try PolicyDocument(try files?.inlined(node) ?? node)
                if let line = lines.updateValue(node.line, forKey: document.label) {
                    throw DocumentError(
                        line: node.line, reason: "\(document.label) is there twice, first at line \(line): keep one of the two")
                }
                documents.append(document)
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
