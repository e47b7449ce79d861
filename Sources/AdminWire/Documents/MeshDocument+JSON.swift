extension MeshDocument {
    /// The document as JSON in one of Kuma's forms, without the private keys that it may bring; reading it again gives this
    /// value, server times apart.
    package func json(_ form: DocumentForm = .universal) -> JSONValue {
        switch form {
        case .kubernetes: kubernetes
        case .universal: universal { $0.json }
        }
    }

    /// The document as a request to the server carries it: with the private keys, if it brings any. For nothing else.
    package var requestJSON: JSONValue { universal { $0.requestJSON } }

    private func universal(_ key: (KeySource) -> JSONValue?) -> JSONValue {
        var members: [JSONValue.Member] = [.init("type", .string("Mesh")), .init("name", .string(name.name))]
        if let creationTime { members.append(.init("creationTime", .string(creationTime))) }
        if let modificationTime { members.append(.init("modificationTime", .string(modificationTime))) }
        members += otherFields.filter { MeshDocument.metadataFields.contains($0.key) }
        return .object(members + spec(key))
    }

    private var kubernetes: JSONValue {
        var metadata: [JSONValue.Member] = [.init("name", .string(name.name))]
        if let creationTime { metadata.append(.init("creationTimestamp", .string(creationTime))) }
        metadata += otherFields.filter { MeshDocument.metadataFields.contains($0.key) }
        return .object([
            .init("apiVersion", .string("kuma.io/v1alpha1")), .init("kind", .string("Mesh")),
            .init("metadata", .object(metadata)), .init("spec", .object(spec { $0.json })),
        ])
    }

    private func spec(_ key: (KeySource) -> JSONValue?) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [.init("trustDomain", .string(trustDomain.name))]
        if let mtls { members.append(.init("mtls", mtls.json(key))) }
        if let identityPath { members.append(.init("identity", .object([.init("path", .string(identityPath))]))) }
        if isolated { members.append(.init("isolated", .bool(true))) }
        if !nameConstraints { members.append(.init("nameConstraints", .bool(false))) }
        if !constraints.requirements.isEmpty || !constraints.restrictions.isEmpty {
            members.append(.init("constraints", .object([.init("dataplaneProxy", constraints.json)])))
        }
        return members + otherFields.filter { !MeshDocument.metadataFields.contains($0.key) }
    }
}

extension MeshDocument.MTLS {
    fileprivate func json(_ key: (KeySource) -> JSONValue?) -> JSONValue {
        var members: [JSONValue.Member] = []
        if let enabledBackend { members.append(.init("enabledBackend", .string(enabledBackend))) }
        if let skipValidation { members.append(.init("skipValidation", .bool(skipValidation))) }
        members.append(.init("backends", .array(backends.map { $0.json(key) })))
        return .object(members)
    }
}

extension MeshDocument.Backend {
    /// `source`, with the key as `kind` has it.
    fileprivate func json(_ key: (KeySource) -> JSONValue?) -> JSONValue {
        guard case .provided(_, let source) = kind, let key = key(source), case .object(let members) = self.source else {
            return self.source
        }
        return .object(
            members.map { member in
                guard member.key == "conf", case .object(let conf) = member.value else { return member }
                return .init("conf", .object(conf + [.init("key", key)]))
            })
    }
}

extension MeshDocument.Constraints {
    fileprivate var json: JSONValue {
        func rules(_ key: String, _ rules: [[String: String]]) -> [JSONValue.Member] {
            guard !rules.isEmpty else { return [] }
            return [
                .init(
                    key,
                    .array(
                        rules.map { tags in
                            let members = tags.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) }
                            return .object([.init("tags", .object(members))])
                        }))
            ]
        }
        return .object(rules("requirements", requirements) + rules("restrictions", restrictions))
    }
}
