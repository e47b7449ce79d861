/// A self-signed root that a request brings, with its key: the members `cert` and `key`.
package struct NewRootMessage: Sendable, Hashable {
    package var certificatePEM: String
    package var key: PrivateKeyText

    package init(certificatePEM: String, key: PrivateKeyText) {
        self.certificatePEM = certificatePEM
        self.key = key
    }

    /// As a request carries them.
    var requestMembers: [JSONValue.Member] {
        func source(_ text: String) -> JSONValue { .object([.init("inlineString", .string(text))]) }
        return [.init("cert", source(certificatePEM)), .init("key", source(key.text))]
    }
}

extension FieldReader {
    /// The root that `cert` and `key` bring; nil where neither is there, or with its faults where it is not whole.
    mutating func newRoot(_ fields: Fields) -> NewRootMessage? {
        guard fields.contains("cert") || fields.contains("key"), let root = providedRoot(fields) else { return nil }
        switch root.key {
        case .fingerprint:
            fault(
                fields.line(of: "key"), fields.path(of: "key") + ".fingerprint",
                "names a key that is there already, and a new root has a new key: send the key itself")
            return nil
        case .pem(let key): return NewRootMessage(certificatePEM: root.certificatePEM, key: key)
        }
    }
}
