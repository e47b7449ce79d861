internal import AdminWire
internal import AuthorityService

/// The audit trail: newest first to read, oldest first to verify.
struct AuditRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/audit", .administrator(.viewer), scope: .filtered, query: ["mesh", "actor"], isPaged: true, handle: list),
            // Each row is of the one before it, whatever mesh that was of: nobody verifies a part.
            AdminRoute(.get, "/audit/chain", .administrator(.viewer), query: ["after", "size"], handle: chain),
            AdminRoute(.get, "/audit/head", .administrator(.viewer)) { _ in
                try .json(AuditHeadMessage(try await authority.auditHead()))
            },
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let paging = try Paging(request)
        // What became of a mesh that was deleted is asked when it is gone.
        let mesh = try request.meshFilter(in: nil)
        // What an act found and left may be other meshes' too.
        let isLimited = request.reach != nil
        let page = try await authority.audit(
            AuditQuery(
                mesh: mesh, actor: request.query["actor"], hasDocuments: !isLimited, cursor: try paging.cursor(),
                size: paging.size))
        return try .json(paging.listing(page, request) { AuditMessage($0, isLimited: isLimited) })
    }

    private func chain(_ request: AdminRequest) async throws -> AdminResponse {
        let after = try number("after", of: request, in: 0...Int64.max, otherwise: 0)
        let size = try number("size", of: request, in: 1...1000, otherwise: 100)
        let rows = try await authority.auditChain(after: after, size: Int(size))
        return try .json(AuditChainMessage(items: rows.map { AuditMessage($0, isLimited: false) }))
    }

    private func number(
        _ name: String, of request: AdminRequest, in range: ClosedRange<Int64>, otherwise: Int64
    ) throws(AdminError) -> Int64 {
        guard let text = request.query[name] else { return otherwise }
        guard let number = Int64(text), range.contains(number) else {
            throw .invalid([.init(field: name, reason: "must be a number from \(range.lowerBound) to \(range.upperBound)")])
        }
        return number
    }
}
