extension RevocationMessage {
    /// Reads a request strictly: exactly one of `token` and `identity`.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: ["identity", "token"]) else {
            throw DocumentError(issues: reader.issues)
        }
        let token = reader.text(fields, "token")
        let identity = reader.text(fields, "identity")
        try reader.finish()
        switch (token, identity) {
        case (let token?, nil): self.init(token: token)
        case (nil, let identity?): self.init(identity: identity)
        case (.some, .some):
            throw DocumentError(line: fields.line, field: "identity", reason: "and token are both there: send one")
        case (nil, nil):
            throw DocumentError(line: fields.line, field: "token", reason: "is missing: send {\"token\": …} or {\"identity\": …}")
        }
    }
}
