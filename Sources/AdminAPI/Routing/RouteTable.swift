package import AuthorityService
internal import Hummingbird

/// All routes, and which of them a path and method mean.
package struct RouteTable: Sendable {
    package let routes: [AdminRoute]

    package init(authority: MeshAuthority, version: String) {
        routes =
            ServiceRoutes(authority: authority, version: version).table + MeshRoutes(authority: authority).table
            + ProxyRoutes(authority: authority).table + CertificateRoutes(authority: authority).table
            + MeshServiceRoutes(authority: authority).table + TokenRoutes(authority: authority).table
            + CertificateAuthorityRoutes(authority: authority).table + SharingRoutes(authority: authority).table
            + RotationRoutes(authority: authority).table + CrossMeshAccessRoutes(authority: authority).table
            + TrustRoutes(authority: authority).table + AuditRoutes(authority: authority).table
            + LedgerRoutes(authority: authority).table
    }

    /// What the routes of one path are, with the values of its parameters.
    struct Match {
        var routes: [AdminRoute]
        var parameters: [String: String]

        func route(for method: HTTPRequest.Method) -> AdminRoute? {
            // A HEAD is a GET whose body stays here (RFC 9110 §9.3.2).
            routes.first { $0.method == (method == .head ? .get : method) }
        }

        /// The value of `Allow`.
        var allowed: String {
            let methods = routes.map(\.method.rawValue)
            return (methods + (methods.contains("GET") ? ["HEAD"] : [])).sorted().joined(separator: ", ")
        }
    }

    /// Nil when no route has this path.
    func match(_ segments: [String]) -> Match? {
        let matching = routes.filter { $0.path.match(segments) != nil }
        guard let best = matching.max(by: { $0.path.literalCount < $1.path.literalCount }),
            let parameters = best.path.match(segments)
        else { return nil }
        return Match(routes: matching.filter { $0.path == best.path }, parameters: parameters)
    }
}
