internal import AdminWire
internal import Authority
package import AuthorityService
package import Hummingbird
package import Logging

/// The admin REST API: every request goes through here, and every answer, errors too, comes from here.
///
/// The order is what keeps strangers ignorant: who asks, then the role and the meshes that it holds for, whether the path is
/// there, the method, the size, the type, and only then the body. Without a valid token every path looks the same.
package struct AdminResponder: HTTPResponder {
    package typealias Context = AdminRequestContext

    private let authority: MeshAuthority
    private let table: RouteTable
    private let scheme: String
    private let makeRequestID: @Sendable () -> String
    private let running: RunningRequests
    private let logger: Logger

    /// `version` is the product's. `scheme` stands in the absolute URLs of lists: the door speaks TLS alone.
    ///
    /// `mostRunning` requests are handled at a time.
    package init(
        authority: MeshAuthority, version: String, scheme: String = "https", mostRunning: Int = RunningRequests.most,
        makeRequestID: @escaping @Sendable () -> String = { AdminResponder.requestID(.random(in: .min ... .max)) }, logger: Logger
    ) {
        self.authority = authority
        self.table = RouteTable(authority: authority, version: version)
        self.scheme = scheme
        self.makeRequestID = makeRequestID
        running = RunningRequests(limit: mostRunning)
        self.logger = logger
    }

    package func respond(to request: Request, context: AdminRequestContext) async -> Response {
        let id = requestID(of: request)
        var response: Response
        do {
            response = render(try await answer(request, id: id, source: context.remoteAddress), isRead: request.isRead)
        } catch {
            response = render(error, request, id: id, source: context.remoteAddress)
        }
        if request.method == .head { response = response.createHeadResponse() }
        response.headers[.init("x-request-id")!] = id
        return response
    }

    private func answer(_ request: Request, id: String, source: String) async throws -> AdminResponse {
        let segments = Result { () throws(AdminError) in try TargetText.segments(of: request.uri.path) }
        let match = (try? segments.get()).flatMap { table.match($0) }
        let route = match?.route(for: request.method)
        let asker = try await authenticate(request, match: match, route: route, id: id, source: source)
        _ = try segments.get()
        guard let match else { throw AdminError.pathUnknown }
        guard let route else { throw AdminError.methodNotAllowed(allowed: match.allowed) }
        let query = try TargetText.parameters(of: request.uri.query, repeatable: route.repeatable)
        for name in query.keys.sorted() where !route.query.contains(name) {
            let known = route.query.isEmpty ? "it takes none" : "it takes \(route.query.sorted().joined(separator: ", "))"
            throw AdminError.invalid([
                .init(field: LogText.escaped(name), reason: "is not a query parameter of this path: \(known)")
            ])
        }
        if route.isWrite, case .administrator(let administrator) = asker {
            do {
                try authority.admission.admitWrite(by: administrator)
            } catch {
                throw AdminError.authority(.limited(error))
            }
        }
        let (body, contentType) = try await body(of: request, route)
        // From here on it does not depend on the client how long it takes.
        do {
            try running.begin()
        } catch {
            authority.admission.refused(source, by: error.limit)
            throw AdminError.authority(.limited(error))
        }
        defer { running.end() }
        do {
            return try await route.handle(
                AdminRequest(
                    id: id, source: source, baseURL: "\(scheme)://\(host(of: request))", path: request.uri.path,
                    parameters: match.parameters, query: query, headers: request.headers, body: body, contentType: contentType,
                    asker: asker))
        } catch let error as AdminError {
            // What a handler refuses by itself; the authority sees to its own.
            if case .authority(.refused(let refusal)) = error, case .administrator(let administrator) = asker {
                authority.note(refusal, actor: administrator.auditName, source: source, requestID: id)
            }
            throw error
        }
    }

    /// Whatever is no route needs an admin token too.
    private func authenticate(
        _ request: Request, match: RouteTable.Match?, route: AdminRoute?, id: String, source: String
    ) async throws -> AdminRequest.Asker {
        if let match, route?.credential == .dataplaneToken {
            return try await proxy(request, mesh: match.parameters["mesh"] ?? "", id: id, source: source)
        }
        let token = AdminRequest.token(in: request.headers, bearerRequired: true)
        let administrator: Administrator
        do {
            administrator = try await authority.administrator(token: token, source: source, requestID: id)
        } catch {
            throw AdminError.authority(error)
        }
        if case .administrator(let role) = route?.credential, !role.isCovered(by: administrator.roles) {
            let refusal = Refusal.role(needed: role.rawValue)
            authority.note(refusal, actor: administrator.auditName, source: source, requestID: id)
            throw AdminError.authority(.refused(refusal))
        }
        if let route, let refusal = administrator.refusal(of: route, parameters: match?.parameters ?? [:]) {
            authority.note(refusal, actor: administrator.auditName, source: source, requestID: id)
            throw AdminError.authority(.refused(refusal))
        }
        return .administrator(administrator)
    }

    /// The token says who; the path must say the same mesh, and a mesh that is not the token's is never said to exist or not.
    private func proxy(_ request: Request, mesh: String, id: String, source: String) async throws -> AdminRequest.Asker {
        let credentials = ProxyCredentials(
            token: AdminRequest.token(in: request.headers, bearerRequired: false), peerChain: nil, requiresCertificate: false,
            nodeID: "", source: source, requestID: id)
        let caller = try await authority.authenticate(credentials)
        guard caller.mesh.name == mesh else {
            authority.note(.tokenOfAnotherMesh, source: source, requestID: id)
            throw AuthorityError.refused(.tokenOfAnotherMesh)
        }
        return .proxy(credentials, mesh: caller.mesh)
    }

    private func body(of request: Request, _ route: AdminRoute) async throws -> ([UInt8], String) {
        guard let rule = route.body else {
            // Whoever sends one to a PUT means something by it, and would be answered as if it had been done.
            if route.method == .put { try await refuseBody(of: request) }
            return ([], "")
        }
        if let stated = request.headers[.contentLength].flatMap({ Int($0) }), stated > rule.limit {
            throw AdminError.payloadTooLarge(limit: rule.limit)
        }
        let contentType = try MediaType.accepted(request.headers, among: rule.contentTypes)
        var bytes: [UInt8] = []
        try await read(request.body) { buffer throws(AdminError) in
            guard bytes.count + buffer.readableBytes <= rule.limit else { throw .payloadTooLarge(limit: rule.limit) }
            bytes.append(contentsOf: buffer.readableBytesView)
        }
        return (bytes, contentType)
    }

    private func refuseBody(of request: Request) async throws {
        let refusal = AdminError.badRequest(detail: "this path takes no body: send the request without one")
        if let stated = request.headers[.contentLength].flatMap({ Int($0) }), stated > 0 { throw refusal }
        try await read(request.body) { buffer throws(AdminError) in
            guard buffer.readableBytes == 0 else { throw refusal }
        }
    }

    private func read(_ body: RequestBody, _ take: (ByteBuffer) throws(AdminError) -> Void) async throws {
        do {
            for try await buffer in body { try take(buffer) }
        } catch let error as AdminError {
            throw error
        } catch {
            // Whatever breaks off a body is the client's doing: a framing that is none, or a connection that is gone.
            throw AdminError.badRequest(detail: "the body broke off or is not framed as HTTP asks: \(error)")
        }
    }

    private func render(_ answer: AdminResponse, isRead: Bool) -> Response {
        var headers: HTTPFields = [.contentType: answer.contentType, .cacheControl: "no-store"]
        headers[.eTag] = answer.entityTag ?? (isRead ? answer.digestTag : nil)
        headers[.location] = answer.location
        return Response(status: answer.status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }

    private func render(_ error: any Error, _ request: Request, id: String, source: String) -> Response {
        let problem: Problem
        var headers: HTTPFields = [:]
        var cause: String?
        switch error {
        case let error as AdminError:
            if case .payloadTooLarge = error { authority.admission.refused(source, by: .bodyBytes) }
            problem = error.problem(requestID: id)
            headers = error.headers
            cause = error.internalDetail
        case AuthorityError.refused(.meshOutOfScope):
            // Which other mesh it is about stands in the audit trail, and is not for this administrator to know.
            return render(AdminRequest.outOfScope("others too"), request, id: id, source: source)
        case let error as AuthorityError:
            return render(AdminError.authority(error), request, id: id, source: source)
        default:
            problem = AdminError.internalProblem(requestID: id)
            cause = "\(error)"
        }
        logger.log(
            level: problem.status >= 500 ? .error : .debug, "request failed",
            metadata: [
                "request-id": "\(id)", "method": "\(request.method.rawValue)", "path": "\(LogText.escaped(request.uri.path))",
                "status": "\(problem.status)", "source": "\(source)", "detail": "\(LogText.escaped(cause ?? problem.detail))",
            ])
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        let body = (try? WireJSON.encode(problem)) ?? []
        return Response(
            status: .init(code: problem.status), headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// The client's id if it is short and plain, so that it can stand in logs and headers; else one of ours.
    private func requestID(of request: Request) -> String {
        guard let given = request.headers[.init("x-request-id")!], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ TargetText.isPlain($0) })
        else { return makeRequestID() }
        return given
    }

    /// One of ours: always sixteen digits, so that logs line up and a search for one finds no other.
    static func requestID(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The authority that the client used, if it is one.
    private func host(of request: Request) -> String {
        let host = request.head.authority ?? ""
        let isHost =
            (1...255).contains(host.utf8.count)
            && host.utf8.allSatisfy { TargetText.isPlain($0) || $0 == 0x3A || $0 == 0x5B || $0 == 0x5D }
        return isHost ? host : "localhost"
    }
}

extension Request {
    fileprivate var isRead: Bool { method == .get || method == .head }
}
