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
        let keyStore = keyStore(spec)
        checkWritten(spec)
        guard let name, let root else { return nil }
        return CertificateAuthorityDocument(
            name: name, root: root, meshes: meshes, rotation: rotation, keyStore: keyStore)
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

    private mutating func keyStore(_ spec: Fields) -> KeyStore? {
        guard let node = spec.node("keyStore") else { return nil }
        let field = spec.path(of: "keyStore")
        switch node.content {
        case .text("database"): return .database
        case .text(let text):
            fault(node.line, field, "'\(DocumentNode.excerpt(of: text))' must be 'database', or a mapping with 'pkcs11'")
        case .mapping:
            guard let store = fields(of: node, path: field, known: ["pkcs11"]) else { return nil }
            guard let token = fields(store, "pkcs11", known: ["module", "pinFile", "token"]) else {
                if !store.contains("pkcs11") { fault(node.line, "\(field).pkcs11", "is missing") }
                return nil
            }
            if spec.contains("cert") || spec.contains("key") {
                fault(node.line, field, "is for keys that are made in the token: one that you bring is kept in the database")
            }
            return tokenLocation(token).map { .pkcs11($0) }
        default: fault(node.line, field, "must be 'database', or a mapping with 'pkcs11', not \(node.kindName)")
        }
        return nil
    }

    private mutating func tokenLocation(_ fields: Fields) -> TokenLocation? {
        let module = absolutePath(fields, "module")
        let pinFile = absolutePath(fields, "pinFile")
        guard let token = text(fields, "token", isRequired: true) else { return nil }
        guard (1...32).contains(token.utf8.count), !token.hasSuffix(" "), token.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
            fault(
                fields.line(of: "token"), fields.path(of: "token"),
                "must be the token's label: 1 to 32 octets without control characters, no blank at the end")
            return nil
        }
        guard let module, let pinFile else { return nil }
        return TokenLocation(module: module, token: token, pinFile: pinFile)
    }

    /// On the server's host, so nothing about the file can be checked here.
    private mutating func absolutePath(_ fields: Fields, _ key: String) -> String? {
        guard let path = text(fields, key, isRequired: true) else { return nil }
        guard path.hasPrefix("/"), path.utf8.count <= 1024, path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            fault(
                fields.line(of: key), fields.path(of: key),
                "'\(DocumentNode.excerpt(of: path))' must be an absolute path on the server's host, of at most 1024 octets")
            return nil
        }
        return path
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
