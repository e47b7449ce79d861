internal import AdminWire
internal import Authority
internal import AuthorityService

/// Rotations, newest first, those that ended too; of one that runs, what its gate waits for.
struct RotationRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/rotations", .administrator(.viewer), scope: .filtered, query: ["mesh"], isPaged: true
            ) { request in
                try await list(request, of: nil)
            },
            AdminRoute(.get, "/rotations/{id}", .administrator(.viewer), scope: .filtered, handle: read),
            AdminRoute(
                .get, "/certificate-authorities/{ca}/rotations", .administrator(.viewer), scope: .filtered, query: ["mesh"],
                isPaged: true
            ) { request in
                let state = authority.state
                return try await list(request, of: try request.certificateAuthority(in: state).authority.name)
            },
        ]
    }

    private func list(_ request: AdminRequest, of certificateAuthority: String?) async throws -> AdminResponse {
        let paging = try Paging(request)
        let mesh = try request.meshFilter(in: authority.state)
        let page = try await authority.rotations(
            RotationQuery(
                mesh: mesh, certificateAuthority: certificateAuthority, cursor: try paging.cursor(), size: paging.size))
        return try .json(paging.listing(page, request) { RotationMessage($0.rotation) })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let id = request.parameter("id")
        let overview: RotationOverview
        do {
            overview = try await authority.rotation(id)
        } catch {
            // Whether there is one of other meshes is not for a limited administrator to know.
            if case .notFound = error { try request.requireReach(ofAny: []) }
            throw error
        }
        try request.requireReach(ofAny: overview.rotation.meshes)
        return try .json(RotationMessage(overview, reach: request.reach))
    }
}
