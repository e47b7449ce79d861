internal import AdminWire
internal import AuthorityService
internal import PKI

/// The proxies of a mesh, as this replica sees them.
struct ProxyRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/meshes/{mesh}/proxies", .administrator(.viewer), scope: .meshInPath, query: ["identity", "node"],
                isPaged: true, handle: list),
            AdminRoute(
                .get, "/meshes/{mesh}/proxies/{name}", .administrator(.viewer), scope: .meshInPath, query: ["identity", "node"],
                handle: read),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let proxies = try proxies(request)
        return try .json(try Paging(request).page(of: proxies, key: key, request) { ProxyMessage($0) })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let name = request.parameter("name")
        let proxies = try proxies(request).filter { $0.proxy == name }
        guard let proxy = proxies.first else {
            throw AuthorityError.notFound(kind: "proxy", name: DocumentNode.excerpt(of: name))
        }
        guard proxies.count == 1 else {
            // The first few tell which parameter parts them, and bound the answer.
            let choices = proxies.prefix(5).map { "identity \($0.identity) at node '\($0.node)'" }.joined(separator: ", ")
            throw AuthorityError.conflict(
                detail:
                    "\(proxies.count) proxies have the name '\(DocumentNode.excerpt(of: name))': say which with ?identity= and "
                    + "?node=, such as \(choices)")
        }
        return try .json(ProxyMessage(proxy))
    }

    private func proxies(_ request: AdminRequest) throws -> [ProxyStatus] {
        let mesh = try authority.state.entry(named: request.parameter("mesh")).mesh.name
        let identity = try request.identity("identity")
        let node = request.query["node"]
        return authority.proxies.list(mesh: mesh)
            .filter { (identity == nil || $0.identity == identity) && (node == nil || $0.node == node) }
            .sorted { key($0) < key($1) }
    }

    /// By identity, then name, then node: a line break occurs in none of the first two.
    private func key(_ proxy: ProxyStatus) -> String { "\(proxy.identity)\n\(proxy.proxy)\n\(proxy.node)" }
}

extension AdminRequest {
    /// A SPIFFE ID in the query; nil where there is none.
    func identity(_ name: String) throws(AdminError) -> SPIFFEID? {
        guard let text = query[name] else { return nil }
        do {
            return try SPIFFEID(text)
        } catch {
            throw .invalid([.init(field: name, reason: "is not a SPIFFE ID: \(error)")])
        }
    }
}
