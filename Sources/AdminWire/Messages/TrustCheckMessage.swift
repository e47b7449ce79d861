package import PKI

/// The body of `POST /trust/check`: would `to` accept a connection from `from`?
package struct TrustCheckMessage: Codable, Sendable, Hashable {
    package var from: SPIFFEID
    package var to: SPIFFEID

    package init(from: SPIFFEID, to: SPIFFEID) {
        self.from = from
        self.to = to
    }

    /// Reads a request strictly, naming every fault.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: ["from", "to"]) else {
            throw DocumentError(issues: reader.issues)
        }
        let from = reader.identity(fields, "from")
        let to = reader.identity(fields, "to")
        try reader.finish()
        guard let from, let to else { throw DocumentError(line: node.line, reason: "is not a question about two identities") }
        self.init(from: from, to: to)
    }
}

extension FieldReader {
    fileprivate mutating func identity(_ fields: Fields, _ key: String) -> SPIFFEID? {
        guard let text = text(fields, key, isRequired: true) else { return nil }
        do {
            return try SPIFFEID(text)
        } catch {
            fault(fields.line(of: key), fields.path(of: key), "is not a SPIFFE ID: \(error)")
            return nil
        }
    }
}
