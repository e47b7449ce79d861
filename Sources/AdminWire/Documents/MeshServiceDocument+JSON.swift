extension MeshServiceDocument {
    /// The document as JSON in one of Kuma's forms; reading it again gives this value, server times apart.
    package func json(_ form: DocumentForm = .universal) -> JSONValue {
        switch form {
        case .kubernetes: kubernetes
        case .universal: universal
        }
    }

    private var universal: JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", .string(DocumentKind.meshService.rawValue)), .init("mesh", .string(mesh.name)),
            .init("name", .string(name)),
        ]
        if let creationTime { members.append(.init("creationTime", .string(creationTime))) }
        if let modificationTime { members.append(.init("modificationTime", .string(modificationTime))) }
        if !labels.isEmpty { members.append(.init("labels", JSONValue(labels))) }
        if !annotations.isEmpty { members.append(.init("annotations", JSONValue(annotations))) }
        return .object(members + body)
    }

    private var kubernetes: JSONValue {
        var labels = labels
        var metadata: [JSONValue.Member] = [.init("name", .string(name))]
        if let namespace = labels.removeValue(forKey: MeshServiceDocument.namespaceLabel) {
            metadata.append(.init("namespace", .string(namespace)))
        }
        if let creationTime { metadata.append(.init("creationTimestamp", .string(creationTime))) }
        labels[MeshServiceDocument.meshLabel] = mesh.name
        metadata.append(.init("labels", JSONValue(labels)))
        if !annotations.isEmpty { metadata.append(.init("annotations", JSONValue(annotations))) }
        return .object(
            [
                .init("apiVersion", .string("kuma.io/v1alpha1")),
                .init("kind", .string(DocumentKind.meshService.rawValue)), .init("metadata", .object(metadata)),
            ] + body)
    }

    /// `spec`, and what stands beside it.
    private var body: [JSONValue.Member] {
        var spec: [JSONValue.Member] = [
            .init("selector", .object([.init("dataplaneTags", JSONValue(selector))])),
            .init("ports", .array(ports.map(\.json))),
        ]
        spec += otherFields.filter { MeshServiceDocument.unusedSpecFields.contains($0.key) }
        return [.init("spec", .object(spec))] + otherFields.filter { MeshServiceDocument.unusedOuterFields.contains($0.key) }
    }
}

extension MeshServiceDocument.Port {
    fileprivate var json: JSONValue {
        var members: [JSONValue.Member] = []
        if let name { members.append(.init("name", .string(name))) }
        members.append(.init("port", .number(String(port))))
        switch targetPort {
        case .name(let name): members.append(.init("targetPort", .string(name)))
        case .number(let number): members.append(.init("targetPort", .number(String(number))))
        case nil: break
        }
        if let appProtocol { members.append(.init("appProtocol", .string(appProtocol))) }
        return .object(members)
    }
}

extension JSONValue {
    /// An object of texts, sorted by their keys.
    fileprivate init(_ texts: [String: String]) {
        self = .object(texts.sorted { $0.key < $1.key }.map { Member($0.key, .string($0.value)) })
    }
}
