internal import PKI

extension FieldReader {
    /// `mtls` of a Mesh.
    mutating func mtls(_ spec: Fields) -> MeshDocument.MTLS? {
        guard let fields = fields(spec, "mtls", known: ["backends", "enabledBackend", "skipValidation"]) else { return nil }
        // Kuma's off switch is the empty name.
        let enabled = text(fields, "enabledBackend").flatMap { $0.isEmpty ? nil : $0 }
        let skipValidation = flag(fields, "skipValidation")
        let nodes = list(fields, "backends")
        var backends: [MeshDocument.Backend] = []
        var names: [String] = []
        if nodes.count > FieldReader.mostBackends {
            fault(
                fields.line(of: "backends"), fields.path(of: "backends"),
                "there are \(nodes.count), more than the \(FieldReader.mostBackends) accepted: remove those that no longer issue")
        }
        for (node, path) in nodes.prefix(FieldReader.mostBackends) {
            let issuesBefore = issues.count
            guard let backend = backend(node, path: path, names: &names), issues.count == issuesBefore else { continue }
            backends.append(backend)
        }
        if let enabled, !names.contains(enabled) {
            let field = fields.path(of: "enabledBackend")
            let shown = DocumentNode.excerpt(of: enabled)
            let choices = names.isEmpty ? "there are none: add one" : "they are: \(names.joined(separator: ", "))"
            fault(fields.line(of: "enabledBackend"), field, "'\(shown)' has to be one of the backends in the mesh; \(choices)")
        }
        return MeshDocument.MTLS(enabledBackend: enabled, backends: backends, skipValidation: skipValidation)
    }

    private mutating func backend(_ node: DocumentNode, path: String, names: inout [String]) -> MeshDocument.Backend? {
        let known = ["conf", "dpCert", "mode", "name", "rootChain", "type"]
        guard let fields = fields(of: node, path: path, known: known) else { return nil }
        let name = text(fields, "name", isRequired: true)
        if let name {
            let field = fields.path(of: "name")
            // The name becomes part of the certificate authority's, `<mesh>.<backend>`.
            if !DNSLabel.isValid(name) {
                fault(
                    fields.line(of: "name"), field,
                    "'\(DocumentNode.excerpt(of: name))' must be 1 to 63 lower-case letters, digits or hyphens, "
                        + "not beginning or ending with a hyphen")
            }
            if names.contains(name) {
                fault(fields.line(of: "name"), field, "'\(name)' name is already used for another backend")
            }
            names.append(name)
        }
        let isBuiltin = checkType(fields)
        let mode = mode(fields)
        let leafLifetime = leafLifetime(fields)
        if let rootChain = self.fields(fields, "rootChain", known: ["requestTimeout"]) {
            _ = duration(rootChain, "requestTimeout")
        }
        guard isBuiltin else { return nil }
        let (keyAlgorithm, expiration) = authority(fields)
        if let leafLifetime {
            if leafLifetime.duration > expiration.duration {
                fault(
                    fields.line(of: "dpCert"), "\(path).dpCert.rotation.expiration",
                    "'\(leafLifetime.text)' is longer than the CA's own life, \(expiration.text): shorten it")
            }
        } else if expiration.duration < FieldReader.usualLeaf {
            fault(
                fields.line(of: "conf"), "\(path).conf.caCert.expiration",
                "'\(expiration.text)' is shorter than a leaf's life, 1d where dpCert.rotation.expiration says nothing: "
                    + "lengthen it, or set dpCert.rotation.expiration")
        }
        guard let name else { return nil }
        return MeshDocument.Backend(
            name: name, mode: mode, keyAlgorithm: keyAlgorithm, caExpiration: expiration, leafLifetime: leafLifetime,
            source: JSONValue(node))
    }

    private mutating func checkType(_ fields: Fields) -> Bool {
        guard let type = text(fields, "type", isRequired: true) else { return false }
        let line = fields.line(of: "type")
        switch type {
        case "builtin": return true
        case "provided", "shared":
            fault(line, fields.path(of: "type"), "'\(type)' is not supported by this version: use 'builtin'")
        case "acmpca", "certmanager", "vault":
            fault(line, fields.path(of: "type"), "'\(type)' is Kong Mesh's and not supported: use 'builtin'")
        default:
            let near = Spelling.suggestion(for: type, among: ["builtin"])
            fault(
                line, fields.path(of: "type"),
                "'\(DocumentNode.excerpt(of: type))' is not a type of backend" + (near.isEmpty ? ": use 'builtin'" : near))
        }
        return false
    }

    private mutating func mode(_ fields: Fields) -> MeshDocument.Backend.Mode {
        guard let text = text(fields, "mode") else { return .strict }
        if let mode = MeshDocument.Backend.Mode(rawValue: text) { return mode }
        fault(
            fields.line(of: "mode"), fields.path(of: "mode"), "'\(DocumentNode.excerpt(of: text))' must be STRICT or PERMISSIVE")
        return .strict
    }

    private mutating func leafLifetime(_ fields: Fields) -> WireDuration? {
        guard let dpCert = self.fields(fields, "dpCert", known: ["requestTimeout", "rotation"]) else { return nil }
        _ = duration(dpCert, "requestTimeout")
        guard let rotation = self.fields(dpCert, "rotation", known: ["expiration"]),
            let lifetime = duration(rotation, "expiration")
        else {
            return nil
        }
        let field = rotation.path(of: "expiration")
        if lifetime.duration < FieldReader.shortestLeaf {
            fault(
                rotation.line(of: "expiration"), field,
                "'\(lifetime.text)' is too short: 10s is the least, for a renewal to be in time")
        }
        if lifetime.duration > FieldReader.longestLeaf {
            fault(
                rotation.line(of: "expiration"), field,
                "'\(lifetime.text)' is too long for a certificate that is renewed by itself: 1y is the most")
        }
        return lifetime
    }

    private mutating func authority(_ fields: Fields) -> (KeyAlgorithm, WireDuration) {
        let standard = (KeyAlgorithm.ecP256, FieldReader.tenYears)
        guard let conf = self.fields(fields, "conf", known: ["caCert"]),
            let caCert = self.fields(conf, "caCert", known: ["RSAbits", "expiration", "keyType"])
        else { return standard }
        var algorithm = standard.0
        if let text = text(caCert, "keyType") {
            if let known = KeyAlgorithm(rawValue: text) {
                algorithm = known
            } else {
                let choices = KeyAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
                fault(
                    caCert.line(of: "keyType"), caCert.path(of: "keyType"),
                    "'\(DocumentNode.excerpt(of: text))' must be one of \(choices)")
            }
        }
        if let bits = integer(caCert, "RSAbits") {
            let field = caCert.path(of: "RSAbits")
            if caCert.contains("keyType") { fault(caCert.line(of: "RSAbits"), field, "and keyType say the same: keep one") }
            if let known = KeyAlgorithm(rawValue: "RSA-\(bits)") {
                algorithm = known
            } else {
                fault(caCert.line(of: "RSAbits"), field, "\(bits) must be 2048, 3072 or 4096")
            }
        }
        let expiration = duration(caCert, "expiration") ?? standard.1
        if expiration.duration > FieldReader.longestAuthority {
            fault(
                caCert.line(of: "expiration"), caCert.path(of: "expiration"),
                "'\(expiration.text)' is too long: 100y is the most")
        }
        return (algorithm, expiration)
    }

    /// Each backend is a certificate authority. Two are enough for any change from one to the next; 32 leave room for a history.
    private static let mostBackends = 32
    /// A leaf is backdated 10 s and renewed between half and four fifths of its life. With 10 s the renewal has 2 s for a
    /// round trip and a commit; anything shorter is expired in the hands of a peer whose clock is a little off.
    private static let shortestLeaf: Duration = .seconds(10)
    /// Beyond a year a leaf outlives every token that it can descend from, and issuing certificates (four leaves long) outlive roots.
    private static let longestLeaf: Duration = .seconds(365 * 86_400)
    /// The certificate's end must be a year of four digits, and no algorithm of today will be trusted longer.
    private static let longestAuthority: Duration = .seconds(100 * 365 * 86_400)
    /// What a leaf lives where the document does not say.
    private static let usualLeaf: Duration = .seconds(86_400)
    private static let tenYears = WireDuration(.seconds(10 * 365 * 86_400))
}
