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
            AdminRoute(.get, "/cross-mesh-accesses", .administrator(.viewer), scope: .filtered, isPaged: true, handle: list),
            AdminRoute(.get, "/cross-mesh-accesses/{name}", .administrator(.viewer), scope: .filtered, handle: read),
            AdminRoute(
                .put, "/cross-mesh-accesses/{name}", .administrator(.admin), scope: .filtered, body: .document,
                query: ["dryRun"], handle: write),
            AdminRoute(.delete, "/cross-mesh-accesses/{name}", .administrator(.admin), scope: .filtered, handle: delete),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let entries = authority.state.crossMeshAccesses.values
            .filter { request.reach == nil || $0.access.meshes.contains(where: request.reaches) }
            .sorted { $0.access.name < $1.access.name }
        return .json(try Paging(request).documents(of: entries, key: \.access.name, request) { $0.document.json() })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let entry = try entry(request)
        return .json(entry.document.json(), entityTag: Precondition.entityTag(entry.revision))
    }

    private func write(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let isDryRun = try request.flag("dryRun")
        let document = try request.message { node throws(DocumentError) in try CrossMeshAccessDocument(node) }
        let name = request.parameter("name")
        try AdminError.confirm("name", path: name, body: document.name)
        let access = CrossMeshAccess(document)
        let state = authority.state
        let current = state.crossMeshAccesses[name]
        // Both sides must be the asker's, as the authority holds too; here, before anybody says whether they are there.
        for mesh in access.meshes + (current?.access.meshes ?? []) { try request.requireReach(mesh.name) }
        let what = "CrossMeshAccess '\(name)'"
        let revision = try Precondition.revision(request.headers, current: current?.revision, what: what)
        if isDryRun { return try preview(access, over: current, in: state) }
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.put(access, ifMatch: revision, by: administrator)
        }
        return try .changed(ChangeMessage(), outcome)
    }

    /// What the door would change: in its document, and between the two meshes.
    private func preview(
        _ access: CrossMeshAccess, over current: AuthorityState.CrossMeshAccessEntry?, in state: AuthorityState
    ) throws -> AdminResponse {
        let missing = [("from.mesh", access.from.mesh), ("to.mesh", access.to.mesh)].filter { state.meshes[$0.1] == nil }
        guard missing.isEmpty else {
            throw AdminError.invalid(missing.map { .init(field: $0.0, reason: "there is no mesh '\($0.1)': apply it first") })
        }
        var next = state
        next.crossMeshAccesses[access.name] = AuthorityState.CrossMeshAccessEntry(
            access: access, revision: 0, createdAt: authority.clock.now, modifiedAt: authority.clock.now)
        let about = Set(access.meshes + (current?.access.meshes ?? [])).sorted()
        return try .json(
            MeshChangeMessage(
                created: current == nil, trust: TrustChangeMessage(state.trustChange(to: next, about: about)),
                differences: JSONValue.differences(
                    from: current?.access.document().json(), to: access.document().json())))
    }

    private func delete(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let entry = try entry(request)
        for mesh in entry.access.meshes { try request.requireReach(mesh.name) }
        let what = "CrossMeshAccess '\(entry.access.name)'"
        let revision = try Precondition.revision(request.headers, current: entry.revision, what: what)
        try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.delete(crossMeshAccess: entry.access.name, ifMatch: revision, by: administrator)
        }
        return try .json(ChangeMessage())
    }

    private func entry(_ request: AdminRequest) throws -> AuthorityState.CrossMeshAccessEntry {
        let name = request.parameter("name")
        guard let entry = authority.state.crossMeshAccesses[name] else {
            // Whether there is one between other meshes is not for a limited administrator to know.
            try request.requireReach(ofAny: [])
            throw AuthorityError.notFound(kind: "CrossMeshAccess", name: DocumentNode.excerpt(of: name))
        }
        try request.requireReach(ofAny: entry.access.meshes)
        return entry
    }
}

extension CrossMeshAccess {
    /// Those on its two sides.
    fileprivate var meshes: [MeshName] { [from.mesh, to.mesh] }
}
