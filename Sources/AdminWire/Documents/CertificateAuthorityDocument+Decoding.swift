internal import PKI

extension CertificateAuthorityDocument {
    /// Reads one document, in either form; every fault is found before it throws.
    package init(_ node: DocumentNode) throws(DocumentError) {
        var reader = FieldReader()
        let document = reader.certificateAuthority(node)
        try reader.finish()
        guard let document else { throw DocumentError(line: node.line, reason: "is not a CertificateAuthority document") }
        self = document
    }
}

extension FieldReader {
    fileprivate mutating func certificateAuthority(_ node: DocumentNode) -> CertificateAuthorityDocument? {
        let written = ["automaticHeld", "automaticHeldBy", "currentIssuers", "issuers", "origin", "owner"]
        let known = ["keyType", "expiration", "cert", "key", "meshes", "rotation", "keyStore"] + written
        guard kind(of: node, among: [.certificateAuthority]) != nil,
            let envelope = envelope(of: node, spec: known, metadata: [])
        else { return nil }
        let spec = envelope.spec
        let name = sharedAuthority(envelope.metadata, "name")
        let root = root(spec)
        let meshes = meshNames(spec, "meshes")
        let rotation = rotation(spec)
        checkKeyStore(spec)
        checkWritten(spec)
        guard let name, let root else { return nil }
        return CertificateAuthorityDocument(name: name, root: root, meshes: meshes, rotation: rotation)
    }

    private mutating func root(_ spec: Fields) -> CertificateAuthorityDocument.Root? {
        let keyAlgorithm = keyAlgorithm(spec)
        let expiration = rootLifetime(spec)
        guard spec.contains("cert") || spec.contains("key") else {
            let lifetime = expiration ?? FieldReader.tenYears
            if lifetime.duration < FieldReader.shortestLeaf {
                fault(
                    spec.line(of: "expiration"), spec.path(of: "expiration"),
                    "'\(lifetime.text)' is too short: 10s is the least, which is a leaf's least too")
            }
            return .generated(keyAlgorithm: keyAlgorithm ?? .ecP256, expiration: lifetime)
        }
        for key in ["keyType", "expiration"] where spec.contains(key) {
            fault(spec.line(of: key), spec.path(of: key), "is what the certificate in 'cert' says itself: leave it out")
        }
        return providedRoot(spec).map { .provided(certificatePEM: $0.certificatePEM, key: $0.key) }
    }

    private mutating func rotation(_ spec: Fields) -> CertificateAuthorityDocument.Rotation {
        var rotation = CertificateAuthorityDocument.Rotation()
        guard let fields = fields(spec, "rotation", known: ["automatic", "retireAfter"]) else { return rotation }
        if let automatic = flag(fields, "automatic") { rotation.automatic = automatic }
        if let retireAfter = retireAfter(fields) { rotation.retireAfter = retireAfter }
        return rotation
    }

    private mutating func checkKeyStore(_ spec: Fields) {
        guard let node = spec.node("keyStore") else { return }
        let field = spec.path(of: "keyStore")
        switch node.content {
        case .text("database"): break
        case .mapping(let entries) where entries.contains { $0.key == "pkcs11" }:
            fault(
                node.line, "\(field).pkcs11",
                "keys in a PKCS#11 module are not supported by this version: use 'keyStore: database'")
        case .text(let text): fault(node.line, field, "'\(DocumentNode.excerpt(of: text))' must be 'database'")
        default: fault(node.line, field, "must be 'database', not \(node.kindName)")
        }
    }

    /// What the server writes is taken back where it says nothing but what the rest of the document says.
    private mutating func checkWritten(_ spec: Fields) {
        for key in ["currentIssuers", "issuers"] {
            for (node, path) in list(spec, key) { _ = text(node, path: path) }
        }
        _ = flag(spec, "automaticHeld")
        _ = text(spec, "automaticHeldBy")
        if spec.contains("owner") {
            fault(
                spec.line(of: "owner"), spec.path(of: "owner"),
                "is only there for a mesh's own CA, which is changed by its Mesh document: leave it out")
        }
        guard let origin = text(spec, "origin") else { return }
        let expected = spec.contains("cert") || spec.contains("key") ? "provided" : "generated"
        guard origin != expected else { return }
        let line = spec.line(of: "origin")
        switch origin {
        case "generated": fault(line, spec.path(of: "origin"), "'generated' has no cert and no key: leave them or origin out")
        case "provided": fault(line, spec.path(of: "origin"), "'provided' needs cert and key: add them, or leave origin out")
        default:
            fault(
                line, spec.path(of: "origin"),
                "'\(DocumentNode.excerpt(of: origin))' is the server's to say, and it says '\(expected)': leave it out")
        }
    }
}
