internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension Mesh {
    /// The core's mesh of a document; throws for what only the core can judge.
    init(_ document: MeshDocument) throws(AdminError) {
        var identityPath = IdentityPath.service
        if let template = document.identityPath {
            do {
                identityPath = try IdentityPath(template)
            } catch {
                throw .invalid([.init(field: "identity.path", reason: "'\(LogText.escaped(template))' \(error)")])
            }
        }
        var others = document.otherFields
        if let skipValidation = document.mtls?.skipValidation { others.append(.init(Mesh.skipValidation, .bool(skipValidation))) }
        self.init(
            name: document.name, trustDomain: document.trustDomain,
            mtls: document.mtls.map { mtls in
                MTLS(enabledBackend: mtls.enabledBackend, backends: mtls.backends.map { Backend($0) })
            },
            identityPath: identityPath, isolated: document.isolated, nameConstraints: document.nameConstraints,
            membership: MembershipConstraints(
                requirements: document.constraints.requirements, restrictions: document.constraints.restrictions),
            otherFields: others.isEmpty ? nil : JSONValue.object(others).json)
    }

    /// The document of a mesh, as it is given back.
    func document(createdAt: Timestamp?, modifiedAt: Timestamp?) throws(DocumentError) -> MeshDocument {
        var others: [JSONValue.Member] = []
        var skipValidation: Bool?
        if let otherFields, case .object(let members) = try JSONValue(parsing: otherFields) {
            others = members.filter { $0.key != Mesh.skipValidation }
            if case .bool(let value) = members.first(where: { $0.key == Mesh.skipValidation })?.value { skipValidation = value }
        }
        var documentMTLS: MeshDocument.MTLS?
        if let mtls {
            var backends: [MeshDocument.Backend] = []
            for backend in mtls.backends { backends.append(try backend.document()) }
            documentMTLS = MeshDocument.MTLS(
                enabledBackend: mtls.enabledBackend, backends: backends, skipValidation: skipValidation)
        }
        return MeshDocument(
            name: name, trustDomain: trustDomain, mtls: documentMTLS,
            identityPath: identityPath == .service ? nil : identityPath.template, isolated: isolated,
            nameConstraints: nameConstraints,
            constraints: MeshDocument.Constraints(requirements: membership.requirements, restrictions: membership.restrictions),
            otherFields: others, creationTime: createdAt?.iso8601, modificationTime: modifiedAt?.iso8601)
    }

    /// Where `mtls.skipValidation` is kept among the other fields.
    private static let skipValidation = "mtls.skipValidation"
}

extension Mesh.Backend {
    fileprivate init(_ backend: MeshDocument.Backend) {
        let mode: Mode =
            switch backend.mode {
            case .permissive: .permissive
            case .strict: .strict
            }
        self.init(
            name: backend.name,
            kind: .builtin(keyAlgorithm: backend.keyAlgorithm, expiration: backend.caExpiration.duration), mode: mode,
            leafLifetime: backend.leafLifetime?.duration, document: backend.source.json)
    }

    fileprivate func document() throws(DocumentError) -> MeshDocument.Backend {
        let documentMode: MeshDocument.Backend.Mode =
            switch mode {
            case .permissive: .permissive
            case .strict: .strict
            }
        switch kind {
        case .builtin(let keyAlgorithm, let expiration):
            return MeshDocument.Backend(
                name: name, mode: documentMode, keyAlgorithm: keyAlgorithm, caExpiration: WireDuration(expiration),
                leafLifetime: leafLifetime.map { WireDuration($0) }, source: try JSONValue(parsing: document))
        }
    }
}
