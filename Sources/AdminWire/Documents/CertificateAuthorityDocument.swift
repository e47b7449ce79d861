package import PKI

/// A `CertificateAuthority` document: a CA that meshes may share, parsed and as valid as the document alone can show.
package struct CertificateAuthorityDocument: Sendable, Hashable {
    /// Where its roots come from.
    package enum Root: Sendable, Hashable {
        /// Made by the service.
        case generated(keyAlgorithm: KeyAlgorithm, expiration: WireDuration)
        /// A self-signed root that an operator brings, PEM, with its key.
        case provided(certificatePEM: String, key: KeySource)
    }

    /// What the old root waits for before it leaves the validation contexts.
    package enum RetireAfter: String, Sendable, Hashable, CaseIterable {
        case expired
        case reissued
    }

    package struct Rotation: Sendable, Hashable {
        /// Whether a rotation starts by the root's age.
        package var automatic: Bool
        package var retireAfter: RetireAfter

        package init(automatic: Bool = true, retireAfter: RetireAfter = .expired) {
            self.automatic = automatic
            self.retireAfter = retireAfter
        }
    }

    /// A DNS label: a name with a dot is that of a mesh's own CA.
    package var name: String
    package var root: Root
    /// The meshes that it adds to those that share the CA, none twice; it never takes one away.
    package var meshes: [MeshName]
    package var rotation: Rotation
    /// Where the keys of its roots are; nil: as it is, and the database for a new one.
    package var keyStore: KeyStore?

    package init(
        name: String, root: Root, meshes: [MeshName] = [], rotation: Rotation = Rotation(), keyStore: KeyStore? = nil
    ) {
        self.name = name
        self.root = root
        self.meshes = meshes
        self.rotation = rotation
        self.keyStore = keyStore
    }

    /// The document as JSON in one of Kuma's forms, without the private key that it may bring.
    package func json(_ form: DocumentForm = .universal) -> JSONValue { json(form) { $0.json } }

    /// The document as a request to the server carries it: with the private key, if it brings one. For nothing else.
    package var requestJSON: JSONValue { json(.universal) { $0.requestJSON } }

    private func json(_ form: DocumentForm, key: (KeySource) -> JSONValue?) -> JSONValue {
        var spec: [JSONValue.Member] = []
        switch root {
        case .generated(let keyAlgorithm, let expiration):
            spec.append(.init("keyType", .string(keyAlgorithm.rawValue)))
            spec.append(.init("expiration", .string(expiration.text)))
        case .provided(let certificatePEM, let source):
            spec.append(.init("cert", .object([.init("inlineString", .string(certificatePEM))])))
            if let key = key(source) { spec.append(.init("key", key)) }
        }
        spec.append(.init("meshes", .array(meshes.map { .string($0.name) })))
        spec.append(
            .init(
                "rotation",
                .object([
                    .init("automatic", .bool(rotation.automatic)),
                    .init("retireAfter", .string(rotation.retireAfter.rawValue)),
                ])))
        if let keyStore { spec.append(.init("keyStore", keyStore.json)) }
        let kind = DocumentKind.certificateAuthority.rawValue
        return switch form {
        case .kubernetes:
            .object([
                .init("apiVersion", .string("kuma.io/v1alpha1")), .init("kind", .string(kind)),
                .init("metadata", .object([.init("name", .string(name))])), .init("spec", .object(spec)),
            ])
        case .universal: .object([.init("type", .string(kind)), .init("name", .string(name))] + spec)
        }
    }
}
