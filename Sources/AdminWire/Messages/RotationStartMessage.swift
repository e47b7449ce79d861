package import PKI

/// The body of `POST /certificate-authorities/{ca}/rotations`, all of which may be left out.
package struct RotationStartMessage: Sendable, Hashable {
    /// Each open gate waits for `advance`.
    package var manual: Bool
    /// Nil: as the certificate authority says.
    package var retireAfter: CertificateAuthorityDocument.RetireAfter?
    /// Of the new root; nil: as before.
    package var keyAlgorithm: KeyAlgorithm?
    /// The next root of a certificate authority whose roots are brought; nil: one is made.
    package var root: NewRootMessage?

    package init(
        manual: Bool = false, retireAfter: CertificateAuthorityDocument.RetireAfter? = nil,
        keyAlgorithm: KeyAlgorithm? = nil, root: NewRootMessage? = nil
    ) {
        self.manual = manual
        self.retireAfter = retireAfter
        self.keyAlgorithm = keyAlgorithm
        self.root = root
    }

    /// Reads a request strictly, naming every fault.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        guard let fields = reader.fields(of: node, path: "", known: ["manual", "retireAfter", "keyType", "cert", "key"]) else {
            throw DocumentError(issues: reader.issues)
        }
        manual = reader.flag(fields, "manual") ?? false
        retireAfter = reader.retireAfter(fields)
        keyAlgorithm = reader.keyAlgorithm(fields)
        root = reader.newRoot(fields)
        if fields.contains("keyType"), fields.contains("cert") || fields.contains("key") {
            reader.fault(
                fields.line(of: "keyType"), "keyType", "is what the certificate in 'cert' says itself: leave it out")
        }
        try reader.finish()
    }

    /// As a request to the server carries it: with the private key, if it brings one. For nothing else.
    package var requestJSON: JSONValue {
        var members: [JSONValue.Member] = []
        if manual { members.append(.init("manual", .bool(true))) }
        if let retireAfter { members.append(.init("retireAfter", .string(retireAfter.rawValue))) }
        if let keyAlgorithm { members.append(.init("keyType", .string(keyAlgorithm.rawValue))) }
        return .object(members + (root?.requestMembers ?? []))
    }
}
