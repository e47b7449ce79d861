internal import AdminWire
internal import AuthorityService
internal import PKI

/// The proxies of a mesh, as this replica sees them.
struct ProxyRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/meshes/{mesh}/proxies", .administrator(.viewer), query: ["identity"], isPaged: true, handle: list),
            AdminRoute(.get, "/meshes/{mesh}/proxies/{name}", .administrator(.viewer), query: ["identity"], handle: read),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let proxies = try proxies(request)
        // A space occurs in no SPIFFE ID, so the keys sort as the list does: by identity, then name.
        return try .json(
            try Paging(request).page(of: proxies, key: { "\($0.identity) \($0.proxy)" }, request) { ProxyMessage($0) })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let name = request.parameter("name")
        let proxies = try proxies(request).filter { $0.proxy == name }
        guard let proxy = proxies.first else {
            throw AuthorityError.notFound(kind: "proxy", name: DocumentNode.excerpt(of: name))
        }
        guard proxies.count == 1 else {
            let identities = proxies.map(\.identity.uri).joined(separator: ", ")
            throw AuthorityError.conflict(
                detail:
                    "\(proxies.count) proxies have the name '\(DocumentNode.excerpt(of: name))': say which with ?identity=, one of \(identities)"
            )
        }
        return try .json(ProxyMessage(proxy))
    }

    private func proxies(_ request: AdminRequest) throws -> [ProxyStatus] {
        let mesh = try authority.state.entry(named: request.parameter("mesh")).mesh.name
        let identity = try request.identity("identity")
        return authority.proxies.list(mesh: mesh).filter { identity == nil || $0.identity == identity }
            .sorted { ("\($0.identity) \($0.proxy)") < ("\($1.identity) \($1.proxy)") }
    }
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
