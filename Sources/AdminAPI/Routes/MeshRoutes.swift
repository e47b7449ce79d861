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
            AdminRoute(.get, "/meshes", .administrator(.viewer), isPaged: true, handle: list),
            AdminRoute(.get, "/meshes/{mesh}", .administrator(.viewer), handle: read),
            AdminRoute(.put, "/meshes/{mesh}", .administrator(.admin), body: .document, handle: write),
            AdminRoute(.delete, "/meshes/{mesh}", .administrator(.admin), handle: delete),
            AdminRoute(.get, "/meshes/{mesh}/bundle", .administrator(.viewer), handle: bundle),
            AdminRoute(.post, "/meshes/{mesh}/verify", .administrator(.viewer), body: .pem, query: ["service"], handle: verify),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let entries = authority.state.meshes.values.sorted { $0.mesh.name < $1.mesh.name }
        return .json(try Paging(request).documents(of: entries, key: \.mesh.name.name, request, json))
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let entry = try entry(request)
        return .json(try json(entry), entityTag: Precondition.entityTag(entry.revision))
    }

    private func write(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let name: MeshName
        do {
            name = try MeshName(request.parameter("mesh"))
        } catch {
            throw AdminError.invalid([
                .init(field: "name", reason: "'\(DocumentNode.excerpt(of: request.parameter("mesh")))' \(error)")
            ])
        }
        let document = try request.message { node throws(DocumentError) in try MeshDocument(node) }
        guard document.name == name else {
            throw AdminError.invalid([
                .init(field: "name", reason: "name from the URL ('\(name)') has to be the same as in body ('\(document.name)')")
            ])
        }
        let mesh = try Mesh(document)
        let what = "mesh '\(name)'"
        let revision = try Precondition.revision(request.headers, current: authority.state.meshes[name]?.revision, what: what)
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.put(mesh, ifMatch: revision, by: administrator)
        }
        let message = ChangeMessage(warnings: document.warnings)
        switch outcome {
        case .created(let revision): return try .json(message, status: .created, entityTag: Precondition.entityTag(revision))
        case .replaced(let revision): return try .json(message, entityTag: Precondition.entityTag(revision))
        }
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

    private func json(_ entry: AuthorityState.MeshEntry) throws -> JSONValue {
        do {
            return try entry.mesh.document(createdAt: entry.createdAt, modifiedAt: entry.modifiedAt).json()
        } catch {
            throw AuthorityError.ledger(
                .rejected(detail: "the stored document of mesh '\(entry.mesh.name)' cannot be read: \(error)"))
        }
    }

    private func entry(_ request: AdminRequest) throws(AuthorityError) -> AuthorityState.MeshEntry {
        try authority.state.entry(named: request.parameter("mesh"))
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
