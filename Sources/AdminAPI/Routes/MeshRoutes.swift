internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird
internal import PKI

/// Mesh documents, their trust bundles, and whom a mesh would accept.
struct MeshRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/meshes", .administrator(.viewer), scope: .filtered, isPaged: true, handle: list),
            AdminRoute(.get, "/meshes/{mesh}", .administrator(.viewer), scope: .meshInPath, handle: read),
            AdminRoute(
                .put, "/meshes/{mesh}", .administrator(.admin), scope: .meshInPath, body: .document,
                query: ["dryRun", "leave"], handle: write),
            AdminRoute(.delete, "/meshes/{mesh}", .administrator(.admin), scope: .meshInPath, handle: delete),
            AdminRoute(.get, "/meshes/{mesh}/bundle", .administrator(.viewer), scope: .meshInPath, handle: bundle),
            AdminRoute(
                .post, "/meshes/{mesh}/verify", .administrator(.viewer), scope: .meshInPath, body: .pem, query: ["service"],
                handle: verify),
        ]
    }

    private func list(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        let entries = state.meshes.values.filter { request.reaches($0.mesh.name) }.sorted { $0.mesh.name < $1.mesh.name }
        return .json(try Paging(request).documents(of: entries, key: \.mesh.name.name, request) { try $0.json(in: state) })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let state = authority.state
        let entry = try state.entry(named: request.parameter("mesh"))
        return .json(try entry.json(in: state), entityTag: Precondition.entityTag(entry.revision))
    }

    private func write(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let (isDryRun, leaves) = (try request.flag("dryRun"), try request.flag("leave"))
        let name: MeshName
        do {
            name = try MeshName(request.parameter("mesh"))
        } catch {
            throw AdminError.invalid([
                .init(field: "name", reason: "'\(DocumentNode.excerpt(of: request.parameter("mesh")))' \(error)")
            ])
        }
        let document = try request.message { node throws(DocumentError) in try MeshDocument(node) }
        try AdminError.confirm("name", path: name.name, body: document.name.name)
        let mesh = try Mesh(document)
        let what = "mesh '\(name)'"
        let state = authority.state
        let revision = try Precondition.revision(request.headers, current: state.meshes[name]?.revision, what: what)
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.put(
                mesh, keys: document.providedKeys, leave: leaves, isDryRun: isDryRun, ifMatch: revision, by: administrator)
        }
        return try .changed(outcome, from: state, isDryRun: isDryRun, reach: request.reach, warnings: document.warnings)
    }

    private func delete(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let entry = try entry(request)
        let what = "mesh '\(entry.mesh.name)'"
        let revision = try Precondition.revision(request.headers, current: entry.revision, what: what)
        try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.delete(mesh: entry.mesh.name, ifMatch: revision, by: administrator)
        }
        return try .json(ChangeMessage())
    }

    /// SPIFFE's JWK set for whoever asks for JSON, PEM for everybody else.
    private func bundle(_ request: AdminRequest) async throws -> AdminResponse {
        let bundle = try authority.bundle(of: try entry(request).mesh.name)
        let accepted = request.headers[.accept]?.lowercased() ?? ""
        guard accepted.contains("json") else {
            let text = bundle.roots.map { PEM.encode(label: "CERTIFICATE", der: $0) }.joined()
            return .text(text, contentType: "application/x-pem-file")
        }
        guard let message = BundleMessage(roots: bundle.roots, sequence: bundle.sequence) else {
            throw AuthorityError.crypto(detail: "a root of mesh '\(bundle.mesh)' has a key of an unknown algorithm")
        }
        return try .json(message)
    }

    private func verify(_ request: AdminRequest) async throws -> AdminResponse {
        let entry = try entry(request)
        let chain: [[UInt8]]
        do {
            chain = try PEM.decode(try request.text(), label: "CERTIFICATE")
        } catch let error as PEMError {
            throw AdminError.badRequest(detail: "the body must be a certificate chain as PEM, leaf first: \(error)")
        }
        let outcome = try authority.verify(chain: chain, mesh: entry.mesh.name, service: request.query["service"])
        return try .json(
            VerificationMessage(
                accepted: outcome.isAccepted, reason: outcome.reason, detail: outcome.detail, identity: outcome.identity?.uri))
    }

    private func entry(_ request: AdminRequest) throws(AuthorityError) -> AuthorityState.MeshEntry {
        try authority.state.entry(named: request.parameter("mesh"))
    }
}

extension AuthorityState.MeshEntry {
    /// The document as it is given back; the keys that were brought, by their fingerprints, are in `state`.
    func json(in state: AuthorityState) throws(AuthorityError) -> JSONValue {
        try mesh.json(createdAt: createdAt, modifiedAt: modifiedAt, in: state)
    }
}

extension AuthorityState {
    /// The mesh that a path names; a text that cannot be a name is not found either.
    func entry(named text: String) throws(AuthorityError) -> MeshEntry {
        guard let name = try? MeshName(text), let entry = meshes[name] else {
            throw .notFound(kind: "mesh", name: DocumentNode.excerpt(of: text))
        }
        return entry
    }
}
