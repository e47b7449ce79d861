package import PKI

/// Where the private key of a provided root comes from.
package enum KeySource: Sendable, Hashable {
    /// SHA-256 of its SubjectPublicKeyInfo, as it is read back: the key that is there already, unchanged.
    case fingerprint(Fingerprint)
    /// The key itself.
    case pem(PrivateKeyText)

    /// `{fingerprint: …}`; nil for the key itself, which is never given back.
    var json: JSONValue? {
        switch self {
        case .fingerprint(let fingerprint): .object([.init("fingerprint", .string(fingerprint.description))])
        case .pem: nil
        }
    }

    /// As a request to the server carries it: with the key itself, where there is one.
    var requestJSON: JSONValue {
        switch self {
        case .fingerprint(let fingerprint): .object([.init("fingerprint", .string(fingerprint.description))])
        case .pem(let key): .object([.init("inlineString", .string(key.text))])
        }
    }
}
