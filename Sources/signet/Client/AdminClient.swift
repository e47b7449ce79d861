import AdminWire
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOSSL

/// The admin API as the commands call it. Every failure is one line for a person.
struct AdminClient: Sendable {
    let location: ServerLocation
    private let http: HTTPClient

    /// Runs `body` with a client for the server that the options lead to.
    static func with<Value>(_ options: ServerOptions, _ body: (AdminClient) async throws -> Value) async throws -> Value {
        let location = try ServerLocation.find(options)
        var configuration = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = try location.trustRoots()
        configuration.tlsConfiguration = tls
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(5)
        // A person waits: a refused connection is said at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(AdminClient(location: location, http: http)))
        } catch {
            result = .failure(error)
        }
        try? await http.shutdown()
        return try result.get()
    }

    struct Answer: Sendable {
        let status: UInt
        let body: [UInt8]
        /// With its quotes; nil where the answer has none.
        var entityTag: String?
        /// In how many seconds it is worth asking again; nil where it does not say.
        var retryAfter: Int64?

        var text: String { String(decoding: body, as: UTF8.self) }
        var isDone: Bool { (200..<300).contains(status) }
    }

    /// Sends a request and returns its answer, whose status is 2xx.
    ///
    /// `path` is percent-encoded already and begins with a slash.
    func send(
        _ method: String, _ path: String, accept: String = "application/json", type: String = "application/json",
        body: [UInt8]? = nil
    ) async throws(CommandFailure) -> Answer {
        let answer = try await exchange(method, path, accept: accept, type: type, body: body)
        guard answer.isDone else { throw failure(answer) }
        return answer
    }

    /// As `send`, whatever the status.
    func attempt(
        _ method: String, _ path: String, body: [UInt8]? = nil, headers: [(String, String)] = []
    ) async throws(CommandFailure) -> Answer {
        try await exchange(method, path, accept: "application/json", type: "application/json", body: body, headers: headers)
    }

    /// PUTs a document where none is yet (`If-None-Match: *`); nil where there is one, which stays as it is.
    func create(_ path: String, _ document: JSONValue) async throws(CommandFailure) -> Answer? {
        let answer = try await exchange(
            "PUT", path, accept: "application/json", type: "application/json", body: Array(document.json.utf8),
            headers: [("if-none-match", "*")])
        if answer.status == 412 { return nil }
        guard answer.isDone else { throw failure(answer) }
        return answer
    }

    /// As `send`, and nil where the answer is 404.
    func find(_ path: String) async throws(CommandFailure) -> Answer? {
        let answer = try await exchange("GET", path, accept: "application/json", type: "application/json", body: nil)
        if answer.status == 404 { return nil }
        guard answer.isDone else { throw failure(answer) }
        return answer
    }

    /// All pages of a list as one, at most `limit` items, newest first.
    func list(_ path: String, query: [(String, String)] = [], limit: Int = .max) async throws(CommandFailure) -> JSONValue {
        var items: [JSONValue] = []
        var total = JSONValue.number("0")
        let first = [("size", "\(min(limit, 1000))")] + query
        var next: String? = path + "?" + first.map { "\($0)=\(PathText.query($1))" }.joined(separator: "&")
        while let page = next, items.count < limit {
            let value = try json(try await send("GET", page))
            total = value["total"] ?? total
            items += value["items"]?.elements ?? []
            next = value["next"]?.text.flatMap(PathText.pathAndQuery(of:))
        }
        return .object([
            .init("total", total), .init("items", .array(Array(items.prefix(limit)))),
            .init("next", .null),
        ])
    }

    func json(_ answer: Answer) throws(CommandFailure) -> JSONValue {
        do {
            return try JSONValue(parsing: answer.text)
        } catch {
            throw .failed("the server's answer is not JSON: is \(location) the admin API of signet?")
        }
    }

    func decode<Message: Decodable>(_ type: Message.Type, _ answer: Answer) throws(CommandFailure) -> Message {
        do {
            return try WireJSON.decode(type, from: answer.body)
        } catch {
            throw .failed("the server's answer is not understood: is this 'signet' older than the server?")
        }
    }

    /// Asks again where it was one request too many, which did nothing, when the server says and for a minute at most: a long
    /// listing or an apply of many documents goes on by itself.
    private func exchange(
        _ method: String, _ path: String, accept: String, type: String, body: [UInt8]?, headers: [(String, String)] = []
    ) async throws(CommandFailure) -> Answer {
        let deadline = ContinuousClock.now + AdminClient.longestWait
        while true {
            let answer = try await exchangeOnce(method, path, accept: accept, type: type, body: body, headers: headers)
            guard answer.status == 429, let seconds = answer.retryAfter, seconds <= AdminClient.longestWait.components.seconds
            else { return answer }
            let pause = Duration.seconds(max(seconds, 1))
            guard ContinuousClock.now + pause <= deadline, (try? await Task.sleep(for: pause)) != nil else { return answer }
        }
    }

    private static let longestWait = Duration.seconds(60)

    private func exchangeOnce(
        _ method: String, _ path: String, accept: String, type: String, body: [UInt8]?, headers: [(String, String)]
    ) async throws(CommandFailure) -> Answer {
        var request = HTTPClientRequest(url: location.base.absoluteString + path)
        request.method = .init(rawValue: method)
        request.headers.add(name: "accept", value: accept)
        request.headers.add(name: "user-agent", value: "signet/\(Signet.version)")
        if let token = location.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body))
        }
        do {
            let response = try await http.execute(request, timeout: .seconds(60))
            let buffer = try await response.body.collect(upTo: AdminClient.largestAnswer)
            return Answer(
                status: response.status.code, body: Array(buffer.readableBytesView),
                entityTag: response.headers.first(name: "etag"),
                retryAfter: response.headers.first(name: "retry-after").flatMap { Int64($0) })
        } catch {
            throw unreachable(error)
        }
    }

    /// Pages have at most 1000 items, each well under 64 KB.
    private static let largestAnswer = 64 << 20

    private func unreachable(_ error: any Error) -> CommandFailure {
        if error is NIOTooManyBytesError {
            return .failed(
                "the answer of \(location) has more than \(AdminClient.largestAnswer >> 20) MiB: ask for less, or look what answers there"
            )
        }
        let detail = "\(error)"
        if error is NIOSSLError || error is NIOSSLExtraError || detail.contains("CERTIFICATE_VERIFY_FAILED")
            || detail.contains("handshakeFailed")
        {
            let reason =
                detail.contains("CERTIFICATE_VERIFY_FAILED") ? "its certificate does not verify" : "the TLS handshake failed"
            return .failed(
                "the server at \(location) is not trusted (\(reason)): name the CA that signs its certificate with --ca-file")
        }
        if let error = error as? HTTPClientError, error == .deadlineExceeded || error == .readTimeout {
            return CommandFailure(
                exitCode: 1, line: "the server at \(location) did not answer in time: look at its log and repeat",
                isUnreachable: true)
        }
        let reason =
            detail.contains("ECONNREFUSED") || detail.contains("Connection refused") ? "connection refused" : "no connection"
        return CommandFailure(
            exitCode: 1, line: "cannot reach the server at \(location) (\(reason)): start it, or name another with --address",
            isUnreachable: true)
    }

    /// What an answer that is no 2xx says, for a person.
    func failure(_ answer: Answer) -> CommandFailure {
        guard let problem = try? WireJSON.decode(Problem.self, from: answer.body) else {
            return .failed("the server answered \(answer.status): is \(location) the admin API of signet?")
        }
        if answer.status == 401 {
            return .failed("the server does not accept the admin token (\(problem.detail)): name a valid one with --token-file")
        }
        let fields = (problem.invalidParameters ?? []).map { "\($0.field): \($0.reason)" }
        guard fields.isEmpty else { return .failed(fields.joined(separator: "; ")) }
        return .failed(AdminClient.line(of: problem))
    }

    /// The server says what is wrong; where its sentence leaves open what to do, this program's own means are named.
    static func line(of problem: Problem) -> String {
        switch problem.status {
        case 403 where problem.reason == "mesh-out-of-scope" && problem.detail.contains("?mesh="):
            return problem.detail.replacing("?mesh=", with: "--mesh")
        case 403 where problem.reason == "mesh-out-of-scope":
            return "\(problem.detail): name a token without that limit with --token-file"
        case 403 where problem.reason == "role": return "\(problem.detail): name a token of that role with --token-file"
        case 404:
            guard let list = AdminClient.lists.first(where: { problem.detail.hasPrefix("there is no \($0.what)") })?.command
            else {
                return problem.detail
            }
            return "\(problem.detail): 'signet get \(list)' lists what there is"
        default: return problem.detail
        }
    }

    /// Where to see what there is, by the words with which the server says what there is not.
    private static let lists = [
        (what: "certificate authority '", command: "cas"), (what: "issuer '", command: "cas"),
        (what: "member of the CA '", command: "cas"), (what: "mesh '", command: "meshes"),
        (what: "rotation '", command: "rotations"), (what: "token '", command: "tokens"),
        (what: "trust domain '", command: "meshes"),
    ]
}
