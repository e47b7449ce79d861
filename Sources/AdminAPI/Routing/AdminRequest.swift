internal import AdminWire
package import AuthorityService
package import Hummingbird
package import PKI

/// A request that was let in: its parts decoded, its size and type within the route's bounds.
package struct AdminRequest: Sendable {
    /// Who asks, judged before anything else of the request.
    package enum Asker: Sendable {
        case administrator(Administrator)
        /// On a route for dataplane tokens alone; `mesh` is the token's and the path's.
        case proxy(ProxyCredentials, mesh: MeshName)
    }

    /// The client's `x-request-id`, or one of ours.
    package var id: String
    /// The remote address.
    package var source: String
    /// `https://host:port`, as the client knows us.
    package var baseURL: String
    package var path: String
    package var parameters: [String: String]
    package var query: [String: String]
    package var headers: HTTPFields
    package var body: [UInt8]
    /// The body's media type, in lower case without its parameters.
    package var contentType: String
    package var asker: Asker

    /// The value of a parameter of the route's own pattern.
    func parameter(_ name: String) -> String { parameters[name] ?? "" }

    /// Throws where the route let in somebody else than an administrator, which its table excludes.
    func requireAdministrator() throws(AdminError) -> Administrator {
        guard case .administrator(let administrator) = asker else { throw .authority(.refused(.credentialMissing)) }
        return administrator
    }

    /// Throws where the route let in somebody else than a proxy, which its table excludes.
    func requireProxy() throws(AdminError) -> (credentials: ProxyCredentials, mesh: MeshName) {
        guard case .proxy(let credentials, let mesh) = asker else { throw .authority(.refused(.credentialMissing)) }
        return (credentials, mesh)
    }

    /// The token of `Authorization`, with or without `Bearer`.
    static func token(in headers: HTTPFields, bearerRequired: Bool) -> String? {
        guard let value = headers[.authorization] else { return nil }
        let parts = value.split(separator: " ", omittingEmptySubsequences: true)
        if parts.count == 2, parts[0].lowercased() == "bearer" { return String(parts[1]) }
        return parts.count == 1 && !bearerRequired ? String(parts[0]) : nil
    }

    /// The one document of the body.
    func document() throws(AdminError) -> DocumentNode {
        let format: DocumentText.Format = contentType.hasSuffix("yaml") ? .yaml : .json
        do {
            let nodes = try DocumentText.parse(body, format: format)
            guard nodes.count == 1, let node = nodes.first else {
                throw AdminError.badRequest(detail: "the body must be one document, and it has \(nodes.count)")
            }
            return node
        } catch let error as DocumentError {
            throw AdminError(error)
        } catch let error as AdminError {
            throw error
        } catch {
            throw .badRequest(detail: "the body cannot be parsed")
        }
    }

    /// The one document of the body, read strictly by `read`.
    func message<Message>(_ read: (DocumentNode) throws(DocumentError) -> Message) throws(AdminError) -> Message {
        let node = try document()
        do {
            return try read(node)
        } catch {
            throw AdminError(error)
        }
    }

    /// As `message`, and `absent` where the request has no body.
    func message<Message>(
        else absent: Message, _ read: (DocumentNode) throws(DocumentError) -> Message
    ) throws(AdminError) -> Message {
        body.isEmpty ? absent : try message(read)
    }

    /// The body as text.
    func text() throws(AdminError) -> String {
        guard let text = String(validating: body, as: UTF8.self) else { throw .badRequest(detail: "the body is not UTF-8 text") }
        return text
    }
}
