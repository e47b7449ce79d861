package import PKI

/// Where the keys of a certificate authority's roots are, in the form of its document.
package struct KeyStoreMessage: Codable, Sendable, Hashable {
    package var keyStore: KeyStore

    private enum Key: String, CodingKey {
        case pkcs11
    }

    package init(_ keyStore: KeyStore) { self.keyStore = keyStore }

    package init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Key.self) {
            keyStore = .pkcs11(try container.decode(TokenLocation.self, forKey: .pkcs11))
            return
        }
        let container = try decoder.singleValueContainer()
        guard try container.decode(String.self) == "database" else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a key store")
        }
        keyStore = .database
    }

    package func encode(to encoder: any Encoder) throws {
        switch keyStore {
        case .database:
            var container = encoder.singleValueContainer()
            try container.encode("database")
        case .pkcs11(let location):
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(location, forKey: .pkcs11)
        }
    }
}
