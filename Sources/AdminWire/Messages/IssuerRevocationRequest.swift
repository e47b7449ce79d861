/// The body of `POST /certificate-authorities/{ca}/issuers/{id}/revoke`.
package struct IssuerRevocationRequest: Sendable, Hashable {
    /// For the audit trail.
    package var reason: String
    /// The next root of a certificate authority whose roots are brought.
    package var root: NewRootMessage?

    package init(reason: String, root: NewRootMessage? = nil) {
        self.reason = reason
        self.root = root
    }

    /// Reads a request strictly, naming every fault.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: ["reason", "cert", "key"]) else {
            throw DocumentError(issues: reader.issues)
        }
        reason = reader.reason(fields, isRequired: true) ?? ""
        root = reader.newRoot(fields)
        try reader.finish()
    }

    /// As a request to the server carries it: with the private key, if it brings one. For nothing else.
    package var requestJSON: JSONValue {
        .object([.init("reason", .string(reason))] + (root?.requestMembers ?? []))
    }
}
