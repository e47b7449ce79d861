/// The files that documents may name as the source of a certificate or key. Only `apply` has any; the server reads none.
package struct DataFiles {
    private let directory: String
    private let read: (_ path: String, _ limit: Int) throws -> [UInt8]

    /// Relative paths are relative to `directory`, the document's own. `read` gives at most `limit` bytes and throws for more;
    /// its error's description is shown.
    package init(directory: String, read: @escaping (_ path: String, _ limit: Int) throws -> [UInt8]) {
        self.directory = directory
        self.read = read
    }

    /// The document with `inlineString` in the place of each `file` in the backends of a Mesh and in a CertificateAuthority.
    ///
    /// What is not of the right shape stays as it is, for the document's reader to name.
    package func inlined(_ document: DocumentNode) throws(DocumentError) -> DocumentNode {
        var issues: [DocumentError.Issue] = []
        var result = document
        switch document.text("kind") ?? document.text("type") {
        case DocumentKind.mesh.rawValue:
            let prefix = document.value("spec") == nil ? "" : "spec."
            result = document.replacing(prefix.isEmpty ? [] : ["spec"]) { spec in
                spec.replacing(["mtls", "backends"]) { list in
                    guard case .sequence(let backends) = list.content else { return list }
                    let inlined = backends.enumerated().map { index, backend in
                        backend.replacing(["conf"]) { conf in
                            sources(of: conf, path: "\(prefix)mtls.backends[\(index)].conf.", &issues)
                        }
                    }
                    return DocumentNode(line: list.line, content: .sequence(inlined))
                }
            }
        case DocumentKind.certificateAuthority.rawValue:
            let prefix = document.value("spec") == nil ? "" : "spec."
            result = document.replacing(prefix.isEmpty ? [] : ["spec"]) { sources(of: $0, path: prefix, &issues) }
        default: break
        }
        guard issues.isEmpty else { throw DocumentError(issues: issues) }
        return result
    }

    private func sources(of parent: DocumentNode, path: String, _ issues: inout [DocumentError.Issue]) -> DocumentNode {
        var parent = parent
        for key in ["cert", "key"] {
            parent = parent.replacing([key]) { source in
                guard case .mapping(let entries) = source.content, let entry = entries.first, entries.count == 1,
                    entry.key == "file", case .text(let file) = entry.value.content
                else { return source }
                do throws(DataFileError) {
                    let text = DocumentNode(line: entry.value.line, content: .text(try contents(of: file)))
                    return DocumentNode(
                        line: source.line, content: .mapping([.init(key: "inlineString", line: entry.line, value: text)]))
                } catch {
                    issues.append(
                        .init(
                            line: entry.line, field: "\(path)\(key).file",
                            reason: "'\(DocumentNode.excerpt(of: file))' \(error.reason)"))
                    return source
                }
            }
        }
        return parent
    }

    private func contents(of file: String) throws(DataFileError) -> String {
        guard !file.isEmpty else { throw DataFileError(reason: "is no path: name a file") }
        let bytes: [UInt8]
        do {
            bytes = try read(file.hasPrefix("/") || directory.isEmpty ? file : "\(directory)/\(file)", FieldReader.mostData)
        } catch {
            throw DataFileError(reason: "cannot be read: \(error)")
        }
        guard bytes.count <= FieldReader.mostData else {
            throw DataFileError(reason: "has more than the \(FieldReader.mostData) bytes accepted: name the right file")
        }
        guard let text = String(validating: DocumentText.withoutMark(bytes), as: UTF8.self), !text.utf8.contains(0) else {
            throw DataFileError(reason: "is not PEM text: convert it, such as with 'openssl x509 -inform DER' or 'openssl pkey'")
        }
        return text
    }

    private struct DataFileError: Error {
        let reason: String
    }
}

extension DocumentNode {
    fileprivate func value(_ key: String) -> DocumentNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    fileprivate func text(_ key: String) -> String? {
        if case .text(let text) = value(key)?.content { text } else { nil }
    }

    /// This node with what stands at `path` changed; unchanged where nothing stands there.
    fileprivate func replacing(_ path: [String], _ change: (DocumentNode) -> DocumentNode) -> DocumentNode {
        guard let key = path.first else { return change(self) }
        guard case .mapping(var entries) = content, let index = entries.firstIndex(where: { $0.key == key }) else { return self }
        entries[index].value = entries[index].value.replacing(Array(path.dropFirst()), change)
        return DocumentNode(line: line, content: .mapping(entries))
    }
}
