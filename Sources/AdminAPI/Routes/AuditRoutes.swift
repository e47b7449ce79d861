internal import AdminWire
internal import AuthorityService

/// The audit trail, newest first.
struct AuditRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/audit", .administrator(.viewer), scope: .filtered, query: ["mesh"], isPaged: true) { request in
                let paging = try Paging(request)
                let mesh = try request.meshFilter(in: authority.state)
                let page = try await authority.audit(AuditQuery(mesh: mesh, cursor: try paging.cursor(), size: paging.size))
                return try .json(paging.listing(page, request) { AuditMessage($0) })
            }
        ]
    }
}
