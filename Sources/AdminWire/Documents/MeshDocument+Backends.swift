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
        var authorities: [String: String] = [:]
        if nodes.count > FieldReader.mostBackends {
            fault(
                fields.line(of: "backends"), fields.path(of: "backends"),
                "there are \(nodes.count), more than the \(FieldReader.mostBackends) accepted: remove those that no longer issue")
        }
        for (node, path) in nodes.prefix(FieldReader.mostBackends) {
            let issuesBefore = issues.count
            guard let backend = backend(node, path: path, names: &names), issues.count == issuesBefore else { continue }
            if case .shared(let authority) = backend.kind {
                if let other = authorities[authority] {
                    fault(
                        node.line, "\(path).conf.authority",
                        "'\(authority)' is the CA of the backend '\(other)' too: keep one of the two")
                    continue
                }
                authorities[authority] = backend.name
            }
            backends.append(backend)
        }
        if let enabled, !names.contains(enabled) {
            let field = fields.path(of: "enabledBackend")
            let shown = DocumentNode.excerpt(of: enabled)
            let known = names.prefix(20).map(DocumentNode.excerpt).joined(separator: ", ") + (names.count > 20 ? ", …" : "")
            let choices = names.isEmpty ? "there are none: add one" : "they are: \(known)"
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
        let mode = mode(fields)
        let leafLifetime = leafLifetime(fields)
        if let rootChain = self.fields(fields, "rootChain", known: ["requestTimeout"]) {
            _ = duration(rootChain, "requestTimeout")
        }
        guard let kind = backendKind(fields, leafLifetime: leafLifetime), let name else { return nil }
        return MeshDocument.Backend(
            name: name, kind: kind, mode: mode, leafLifetime: leafLifetime, source: JSONValue(node).withoutKey)
    }

    private mutating func backendKind(_ fields: Fields, leafLifetime: WireDuration?) -> MeshDocument.Backend.Kind? {
        guard let type = text(fields, "type", isRequired: true) else { return nil }
        let line = fields.line(of: "type")
        let use = ": use 'builtin', 'provided' or 'shared'"
        switch type {
        case "builtin": return builtin(fields, leafLifetime: leafLifetime)
        case "provided":
            let conf = conf(fields, known: ["cert", "key"], example: "{cert: {file: ca.pem}, key: {file: ca-key.pem}}")
            guard let conf, let root = providedRoot(conf) else { return nil }
            return .provided(certificatePEM: root.certificatePEM, key: root.key)
        case "shared":
            let conf = conf(fields, known: ["authority"], example: "{authority: corp}")
            guard let conf, let authority = sharedAuthority(conf, "authority") else { return nil }
            return .shared(authority: authority)
        case "acmpca", "certmanager", "vault":
            fault(line, fields.path(of: "type"), "'\(type)' is Kong Mesh's and not supported\(use)")
        default:
            let near = Spelling.suggestion(for: type, among: ["builtin", "provided", "shared"])
            fault(
                line, fields.path(of: "type"),
                "'\(DocumentNode.excerpt(of: type))' is not a type of backend" + (near.isEmpty ? use : near))
        }
        return nil
    }

    /// `conf` of a backend that cannot be without.
    private mutating func conf(_ fields: Fields, known: [String], example: String) -> Fields? {
        guard fields.contains("conf") else {
            fault(fields.line, fields.path(of: "conf"), "is missing: such as 'conf: \(example)'")
            return nil
        }
        return self.fields(fields, "conf", known: known)
    }

    private mutating func builtin(_ fields: Fields, leafLifetime: WireDuration?) -> MeshDocument.Backend.Kind {
        let (keyAlgorithm, expiration) = authority(fields)
        if let leafLifetime {
            if leafLifetime.duration > expiration.duration {
                fault(
                    fields.line(of: "dpCert"), "\(fields.path).dpCert.rotation.expiration",
                    "'\(leafLifetime.text)' is longer than the CA's own life, \(expiration.text): shorten it")
            }
        } else if expiration.duration < FieldReader.usualLeaf {
            fault(
                fields.line(of: "conf"), "\(fields.path).conf.caCert.expiration",
                "'\(expiration.text)' is shorter than a leaf's life, 1d where dpCert.rotation.expiration says nothing: "
                    + "lengthen it, or set dpCert.rotation.expiration")
        }
        return .builtin(keyAlgorithm: keyAlgorithm, caExpiration: expiration)
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
        var algorithm = keyAlgorithm(caCert) ?? standard.0
        if let bits = integer(caCert, "RSAbits") {
            let field = caCert.path(of: "RSAbits")
            if caCert.contains("keyType") { fault(caCert.line(of: "RSAbits"), field, "and keyType say the same: keep one") }
            if let known = KeyAlgorithm(rawValue: "RSA-\(bits)") {
                algorithm = known
            } else {
                fault(caCert.line(of: "RSAbits"), field, "\(bits) must be 2048, 3072 or 4096")
            }
        }
        return (algorithm, rootLifetime(caCert) ?? standard.1)
    }

    /// Each backend is a certificate authority. Two are enough for any change from one to the next; 32 leave room for a history.
    private static let mostBackends = 32
    /// Beyond a year a leaf outlives every token that it can descend from, and issuing certificates (four leaves long) outlive roots.
    private static let longestLeaf: Duration = .seconds(365 * 86_400)
    /// What a leaf lives where the document does not say.
    private static let usualLeaf: Duration = .seconds(86_400)
}

extension JSONValue {
    /// A backend without `conf.key`: a private key is not kept with the document.
    fileprivate var withoutKey: JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(
            members.map { member in
                guard member.key == "conf", case .object(let conf) = member.value else { return member }
                return Member("conf", .object(conf.filter { $0.key != "key" }))
            })
    }
}
