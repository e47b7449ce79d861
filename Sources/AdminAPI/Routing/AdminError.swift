package import AdminWire
package import AuthorityService

/// Why a request of the admin API was not done. `Problem` says how each looks from outside.
package enum AdminError: Error, Sendable {
    case authority(AuthorityError)
    /// The request as a whole is malformed.
    case badRequest(detail: String)
    /// Fields of the request that cannot be what they are.
    case invalid([Problem.Parameter])
    /// The path exists, for other methods.
    case methodNotAllowed(allowed: String)
    /// No route has the path.
    case pathUnknown
    case payloadTooLarge(limit: Int)
    /// The detail says what to send.
    case unsupportedMediaType(detail: String)

    /// Each fault of a document becomes a parameter with its line; a text that is no document at all is a bad request.
    init(_ error: DocumentError) {
        if error.issues.contains(where: \.field.isEmpty) {
            self = .badRequest(detail: error.description)
        } else {
            self = .invalid(
                error.issues.map { issue in
                    Problem.Parameter(field: issue.field, reason: (issue.line.map { "line \($0): " } ?? "") + issue.reason)
                })
        }
    }
}

extension AdminError {
    /// Throws where a document says another name than its path.
    static func confirm(_ field: String, path: String, body: String) throws(AdminError) {
        guard path != body else { return }
        throw .invalid([
            .init(
                field: field,
                reason: "\(field) from the URL ('\(DocumentNode.excerpt(of: path))') has to be the same as in body ('\(body)')")
        ])
    }
}
