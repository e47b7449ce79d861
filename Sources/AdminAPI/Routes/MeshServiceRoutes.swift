internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird
internal import PKI

/// Services of a mesh by their selectors, on Kuma's path.
struct MeshServiceRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        let (all, one) = ("/meshes/{mesh}/meshservices", "/meshes/{mesh}/meshservices/{name}")
        return [
            AdminRoute(.get, all, .administrator(.viewer), scope: .meshInPath, isPaged: true, handle: list),
            AdminRoute(.get, one, .administrator(.viewer), scope: .meshInPath, handle: read),
            AdminRoute(
                .put, one, .administrator(.admin), scope: .meshInPath, body: .document, query: ["dryRun"], handle: write),
            AdminRoute(.delete, one, .administrator(.admin), scope: .meshInPath, handle: delete),
        ]
    }

    private func list(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        let mesh = try state.entry(named: request.parameter("mesh")).mesh.name
        let entries = (state.meshServices[mesh] ?? [:]).values.sorted { $0.service.name < $1.service.name }
        return .json(try Paging(request).documents(of: entries, key: \.service.name, request) { try $0.json() })
    }

    private func read(_ request: AdminRequest) throws -> AdminResponse {
        let entry = try entry(request)
        return .json(try entry.json(), entityTag: Precondition.entityTag(entry.revision))
    }

    private func write(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let isDryRun = try request.flag("dryRun")
        let name = request.parameter("name")
        let document = try request.message { node throws(DocumentError) in try MeshServiceDocument(node) }
        try AdminError.confirm("name", path: name, body: document.name)
        try AdminError.confirm("mesh", path: request.parameter("mesh"), body: document.mesh.name)
        let state = authority.state
        let mesh = try state.entry(named: request.parameter("mesh")).mesh.name
        let current = state.meshServices[mesh]?[name]
        let what = "MeshService '\(name)'"
        let revision = try Precondition.revision(request.headers, current: current?.revision, what: what)
        let service = MeshService(document)
        if isDryRun {
            return try .json(
                MeshChangeMessage(
                    warnings: document.warnings, created: current == nil,
                    differences: JSONValue.differences(from: try current?.service.json(), to: try service.json())))
        }
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.put(service, ifMatch: revision, by: administrator)
        }
        return try .changed(ChangeMessage(warnings: document.warnings), outcome)
    }

    private func delete(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let entry = try entry(request)
        let service = entry.service
        let what = "MeshService '\(service.name)'"
        let revision = try Precondition.revision(request.headers, current: entry.revision, what: what)
        try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.delete(meshService: service.name, in: service.mesh, ifMatch: revision, by: administrator)
        }
        return try .json(ChangeMessage())
    }

    private func entry(_ request: AdminRequest) throws(AuthorityError) -> AuthorityState.MeshServiceEntry {
        let state = authority.state
        let mesh = try state.entry(named: request.parameter("mesh")).mesh.name
        guard let entry = state.meshServices[mesh]?[request.parameter("name")] else {
            throw .notFound(kind: "MeshService", name: DocumentNode.excerpt(of: request.parameter("name")))
        }
        return entry
    }
}
