internal import PKI

extension FieldReader {
    /// The root that `cert` and `key` of `conf` bring; nil, with its faults, if they do not bring one whole.
    mutating func providedRoot(_ conf: Fields) -> (certificatePEM: String, key: KeySource)? {
        let certificate = certificateSource(conf)
        let key = keySource(conf)
        guard let certificate, let key else { return nil }
        return (certificate, key)
    }

    private mutating func certificateSource(_ conf: Fields) -> String? {
        guard let text = dataSource(conf, "cert", also: [], what: "the certificate")?.pem else { return nil }
        let field = conf.path(of: "cert")
        let line = conf.line(of: "cert")
        // It is kept and given back: no private key may hide in it.
        guard !text.contains("PRIVATE KEY-----") else {
            fault(line, field, "holds a private key: put the certificate alone here, and the key into 'key'")
            return nil
        }
        guard text.contains("-----BEGIN CERTIFICATE-----") else {
            fault(line, field, "is not a certificate in PEM: it has no line '-----BEGIN CERTIFICATE-----'")
            return nil
        }
        return text
    }

    private mutating func keySource(_ conf: Fields) -> KeySource? {
        guard let source = dataSource(conf, "key", also: ["fingerprint"], what: "the private key") else { return nil }
        let field = conf.path(of: "key")
        let line = conf.line(of: "key")
        switch source {
        case .other(let text):
            guard let bytes = Hex.decode(text), bytes.count == 32 else {
                fault(
                    line, "\(field).fingerprint",
                    "must be the 64 hexadecimal digits that the server gives for a key that it has")
                return nil
            }
            return .fingerprint(Fingerprint(sha256: bytes))
        case .pem(let text):
            guard text.contains("PRIVATE KEY-----") else {
                fault(line, field, "is not a private key in PEM: it has no line '-----BEGIN PRIVATE KEY-----'")
                return nil
            }
            return .pem(PrivateKeyText(text))
        }
    }

    private enum DataSource {
        /// The value of the one further field.
        case other(String)
        case pem(String)

        var pem: String? { if case .pem(let text) = self { text } else { nil } }
    }

    /// Exactly one source of the text `key`. Nothing of what a source holds gets into a message: it may be a private key.
    private mutating func dataSource(_ conf: Fields, _ key: String, also further: [String], what: String) -> DataSource? {
        let field = conf.path(of: key)
        let line = conf.line(of: key)
        let example = "'\(key): {inlineString: …}', or {file: …} with 'signet apply'"
        guard let node = conf.node(key) else {
            fault(conf.line, field, "is missing: give \(what), as \(example)")
            return nil
        }
        guard case .mapping(let entries) = node.content else {
            fault(line, field, "must be a mapping that says where \(what) is: \(example)")
            return nil
        }
        let choices = ["inlineString", "inline"] + further
        var isRight = true
        for entry in entries where !choices.contains(entry.key) {
            isRight = false
            switch entry.key {
            case "file":
                fault(
                    entry.line, "\(field).file",
                    "is read by 'signet apply', never by the server: apply the document with it, or use inlineString")
            case "secret":
                fault(
                    entry.line, "\(field).secret",
                    "names a secret of Kuma's, and there are none here: use inlineString, or file with 'signet apply'")
            default: fault(entry.line, field, "has an unknown field: known are \((choices + ["file"]).joined(separator: ", "))")
            }
        }
        guard isRight else { return nil }
        guard let entry = entries.first, entries.count == 1 else {
            let fault =
                entries.isEmpty
                ? "says nothing: give \(what), as \(example)"
                : "has several sources, \(entries.map(\.key).joined(separator: " and ")): keep one"
            self.fault(line, field, fault)
            return nil
        }
        guard case .text(let text) = entry.value.content else {
            fault(entry.line, "\(field).\(entry.key)", "must be text")
            return nil
        }
        guard text.utf8.count <= FieldReader.mostData else {
            fault(
                entry.line, "\(field).\(entry.key)",
                "has \(text.utf8.count) bytes, more than the \(FieldReader.mostData) accepted")
            return nil
        }
        guard entry.key == "inline" else { return further.contains(entry.key) ? .other(text) : .pem(text) }
        // `base64` of a shell breaks its lines.
        let characters = text.utf8.filter { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        guard let bytes = Base64.decode(characters), let decoded = String(validating: bytes, as: UTF8.self) else {
            fault(entry.line, "\(field).inline", "must be the base64 of a PEM text: put the PEM text itself into inlineString")
            return nil
        }
        return .pem(decoded)
    }

    /// A certificate or a key of RSA-4096 has 4 KiB; 64 KiB leave room for the comments of any tool.
    static let mostData = 1 << 16
}
