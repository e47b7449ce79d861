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
        var backends: [Backend] = []
        for (index, backend) in (document.mtls?.backends ?? []).enumerated() {
            backends.append(try Backend(backend, field: "mtls.backends[\(index)]"))
        }
        self.init(
            name: document.name, trustDomain: document.trustDomain,
            mtls: document.mtls.map { mtls in
                MTLS(enabledBackend: mtls.enabledBackend, backends: backends)
            },
            identityPath: identityPath, isolated: document.isolated, nameConstraints: document.nameConstraints,
            membership: MembershipConstraints(
                requirements: document.constraints.requirements, restrictions: document.constraints.restrictions),
            otherFields: others.isEmpty ? nil : JSONValue.object(others).json)
    }

    /// The document as it is given back; the fingerprints of keys that were brought are those of the roots in `state`.
    func json(
        createdAt: Timestamp? = nil, modifiedAt: Timestamp? = nil, in state: AuthorityState
    ) throws(AuthorityError) -> JSONValue {
        do {
            return try document(createdAt: createdAt, modifiedAt: modifiedAt, in: state).json()
        } catch {
            throw .ledger(.rejected(detail: "the stored document of mesh '\(name)' cannot be read: \(error)"))
        }
    }

    private func document(
        createdAt: Timestamp?, modifiedAt: Timestamp?, in state: AuthorityState
    ) throws(DocumentError) -> MeshDocument {
        var others: [JSONValue.Member] = []
        var skipValidation: Bool?
        if let otherFields, case .object(let members) = try JSONValue(parsing: otherFields) {
            others = members.filter { $0.key != Mesh.skipValidation }
            if case .bool(let value) = members.first(where: { $0.key == Mesh.skipValidation })?.value { skipValidation = value }
        }
        var documentMTLS: MeshDocument.MTLS?
        if let mtls {
            var backends: [MeshDocument.Backend] = []
            for backend in mtls.backends {
                let roots = state.issuers.values.filter { $0.certificateAuthority == certificateAuthorityName(of: backend) }
                backends.append(try backend.document(roots: roots))
            }
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
    fileprivate init(_ backend: MeshDocument.Backend, field: String) throws(AdminError) {
        let mode: Mode =
            switch backend.mode {
            case .permissive: .permissive
            case .strict: .strict
            }
        let kind: Kind =
            switch backend.kind {
            case .builtin(let keyAlgorithm, let expiration):
                .builtin(keyAlgorithm: keyAlgorithm, expiration: expiration.duration)
            case .provided(let certificatePEM, _):
                .provided(certificate: try ProvidedRoot.certificate(certificatePEM, field: field + ".conf.cert"))
            case .shared(let authority): .shared(authority: authority)
            }
        self.init(
            name: backend.name, kind: kind, mode: mode, leafLifetime: backend.leafLifetime?.duration,
            document: backend.source.json)
    }

    /// `roots` are those of the certificate authority behind it.
    fileprivate func document(roots: [Issuer]) throws(DocumentError) -> MeshDocument.Backend {
        let documentMode: MeshDocument.Backend.Mode =
            switch mode {
            case .permissive: .permissive
            case .strict: .strict
            }
        let documentKind: MeshDocument.Backend.Kind =
            switch kind {
            case .builtin(let keyAlgorithm, let expiration):
                .builtin(keyAlgorithm: keyAlgorithm, caExpiration: WireDuration(expiration))
            case .provided(let certificate):
                .provided(
                    certificatePEM: PEM.encode(label: "CERTIFICATE", der: certificate),
                    key: KeySource(of: roots.first { $0.certificate == certificate }))
            case .shared(let authority): .shared(authority: authority)
            }
        return MeshDocument.Backend(
            name: name, kind: documentKind, mode: documentMode, leafLifetime: leafLifetime.map { WireDuration($0) },
            source: try JSONValue(parsing: document))
    }
}
