internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird
internal import PKI

/// Doors between meshes of different certificate authorities.
struct CrossMeshAccessRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/cross-mesh-accesses", .administrator(.viewer), isPaged: true, handle: list),
            AdminRoute(.get, "/cross-mesh-accesses/{name}", .administrator(.viewer), handle: read),
            AdminRoute(.put, "/cross-mesh-accesses/{name}", .administrator(.admin), body: .document, handle: write),
            AdminRoute(.delete, "/cross-mesh-accesses/{name}", .administrator(.admin), handle: delete),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let entries = authority.state.crossMeshAccesses.values.sorted { $0.access.name < $1.access.name }
        return .json(try Paging(request).documents(of: entries, key: \.access.name, request) { $0.document.json() })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let entry = try entry(request)
        return .json(entry.document.json(), entityTag: Precondition.entityTag(entry.revision))
    }

    private func write(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let document = try request.message { node throws(DocumentError) in try CrossMeshAccessDocument(node) }
        let name = request.parameter("name")
        guard document.name == name else {
            let shown = DocumentNode.excerpt(of: name)
            throw AdminError.invalid([
                .init(field: "name", reason: "name from the URL ('\(shown)') has to be the same as in body ('\(document.name)')")
            ])
        }
        let access = CrossMeshAccess(document)
        let what = "CrossMeshAccess '\(name)'"
        let revision = try Precondition.revision(
            request.headers, current: authority.state.crossMeshAccesses[name]?.revision, what: what)
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.put(access, ifMatch: revision, by: administrator)
        }
        switch outcome {
        case .created(let revision):
            return try .json(ChangeMessage(), status: .created, entityTag: Precondition.entityTag(revision))
        case .replaced(let revision): return try .json(ChangeMessage(), entityTag: Precondition.entityTag(revision))
        }
    }

    private func delete(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let entry = try entry(request)
        let what = "CrossMeshAccess '\(entry.access.name)'"
        let revision = try Precondition.revision(request.headers, current: entry.revision, what: what)
        try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.delete(crossMeshAccess: entry.access.name, ifMatch: revision, by: administrator)
        }
        return try .json(ChangeMessage())
    }

    private func entry(_ request: AdminRequest) throws(AuthorityError) -> AuthorityState.CrossMeshAccessEntry {
        let name = request.parameter("name")
        guard let entry = authority.state.crossMeshAccesses[name] else {
            throw .notFound(kind: "CrossMeshAccess", name: DocumentNode.excerpt(of: name))
        }
        return entry
    }
}
