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
    /// Nil: the request carries nothing.
    package var body: Body?
    /// The query parameters that the route knows; any other is refused, since an option that is overlooked is an option that is ignored.
    package var query: [String]
    package var handle: Handler

    init(
        _ method: HTTPRequest.Method, _ path: String, _ credential: Credential, body: Body? = nil, query: [String] = [],
        isPaged: Bool = false, handle: @escaping Handler
    ) {
        self.method = method
        self.path = PathPattern(path)
        self.credential = credential
        self.body = body
        self.query = isPaged ? query + ["size", "offset"] : query
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
