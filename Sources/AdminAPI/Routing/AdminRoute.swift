package import AuthorityService
package import Hummingbird

/// One route of the admin API: everything that the router, the 405 answers and the tests' authorization matrix are made from.
package struct AdminRoute: Sendable {
    /// Who gets in. There is no case for "anybody".
    package enum Credential: Sendable, Hashable {
        /// An admin token with this role or a higher one.
        case administrator(AdministratorRole)
        /// A dataplane token of the mesh that the path names as `{mesh}`.
        case dataplaneToken
    }

    /// Whose meshes the route concerns: what an administrator whose roles hold for named meshes alone may do with it.
    package enum Scope: Sendable, Hashable {
        /// What is of no mesh, or of any: refused to whoever is limited. A route that says nothing is this.
        case allMeshes
        /// The handler shows what concerns the administrator's meshes alone, and refuses whatever names another one.
        case filtered
        /// The mesh that the path names as `{mesh}`: refused unless it is one of the administrator's.
        case meshInPath
    }

    /// What a request may carry.
    package struct Body: Sendable, Hashable {
        /// Media types, the first of which stands for a request that names none.
        package var contentTypes: [String]
        /// In bytes; more is answered 413 before it is read.
        package var limit: Int

        /// A document or request: 1 MiB, the parser's own bound.
        package static let document = Body(
            contentTypes: ["application/json", "application/yaml", "application/x-yaml", "text/yaml"], limit: 1 << 20)
        /// A CSR or certificate chain: 64 KiB, ten times the longest that is ever right.
        package static let pem = Body(
            contentTypes: ["application/x-pem-file", "application/pem-certificate-chain", "text/plain"], limit: 64 << 10)
    }

    package typealias Handler = @Sendable (AdminRequest) async throws -> AdminResponse

    package var method: HTTPRequest.Method
    package var path: PathPattern
    package var credential: Credential
    package var scope: Scope
    /// Nil: the request carries nothing.
    package var body: Body?
    /// The query parameters that the route knows; any other is refused, since an option that is overlooked is an option that is ignored.
    package var query: [String]
    /// Those of them that may occur more than once: the values are joined by commas.
    package var repeatable: Set<String>
    package var handle: Handler

    /// Whether it may change something, whose rate is limited.
    var isWrite: Bool { method != .get }

    init(
        _ method: HTTPRequest.Method, _ path: String, _ credential: Credential, scope: Scope = .allMeshes, body: Body? = nil,
        query: [String] = [], repeatable: Set<String> = [], isPaged: Bool = false, handle: @escaping Handler
    ) {
        self.method = method
        self.path = PathPattern(path)
        self.credential = credential
        self.scope = scope
        self.body = body
        self.query = isPaged ? query + ["size", "offset"] : query
        self.repeatable = repeatable
        self.handle = handle
    }
}

extension AdministratorRole {
    /// Whether somebody with `roles` may do what asks for this role: admin contains operator contains viewer.
    package func isCovered(by roles: Set<AdministratorRole>) -> Bool {
        switch self {
        case .admin: roles.contains(.admin)
        case .operator: roles.contains(.admin) || roles.contains(.operator)
        case .viewer: !roles.isEmpty
        }
    }
}
