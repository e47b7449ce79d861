import AdminAPI
import AdminWire
import Authority
import AuthorityService
import Hummingbird
import HummingbirdTesting
import Logging
import PKI
import PKICrypto
import Synchronization
import TestSupport

/// The admin API over a real authority with a ledger in memory, and the tokens to ask it with.
struct AdminBench: Sendable {
    let authority: MeshAuthority
    let ledger: MemoryLedger
    let clock: BenchClock
    let client: any TestClientProtocol
    let table: RouteTable
    let admin: String

    /// What came back.
    struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var text: String

        var json: JSONValue? { try? JSONValue(parsing: text) }
        var requestID: String? { headers[.init("x-request-id")!] }
        var problem: Problem? { try? WireJSON.decode(Problem.self, from: Array(text.utf8)) }
    }

    /// Runs `body` against a fresh service that has the mesh `default`; `setup` says whether a real connection is between.
    ///
    /// The clock begins at `time`, and stands.
    static func run(
        _ setup: TestingSetup = .router, at time: Timestamp = Timestamp(seconds: 1_800_000_000),
        settings: AuthoritySettings = AuthoritySettings(), mostRunning: Int = RunningRequests.most,
        _ body: @escaping @Sendable (AdminBench) async throws -> Void
    ) async throws {
        let clock = BenchClock(time)
        let ledger = MemoryLedger(now: { clock.now })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let authority = try MeshAuthority(
            ledger: ledger, keyEncryptionKey: try KeyEncryptionKey(bytes: SecretBytes.random(32)), settings: settings,
            clock: ServiceClock { clock.now }, logger: logger)
        try await authority.start()
        let responder = AdminResponder(authority: authority, version: "1.2.3", mostRunning: mostRunning, logger: logger)
        let admin = try await authority.issueUserToken(
            UserTokenRequest(name: "root", roles: [.admin], validFor: nil), by: .system)
        try await Application(
            responder: responder, configuration: .init(address: .hostname("127.0.0.1", port: 0)), logger: logger
        ).test(setup) { client in
            try await body(
                AdminBench(
                    authority: authority, ledger: ledger, clock: clock, client: client,
                    table: RouteTable(authority: authority, version: "1.2.3"), admin: admin))
        }
    }

    /// Sends one request; without `token` nobody asks. `bytes` is for a body that is no text.
    func send(
        _ method: HTTPRequest.Method, _ uri: String, token: String?, type: String? = nil, headers: HTTPFields = [:],
        body: String? = nil, bytes: [UInt8]? = nil
    ) async throws -> Answer {
        var headers = headers
        if let token { headers[.authorization] = "Bearer \(token)" }
        if let type { headers[.contentType] = type }
        let content = bytes ?? body.map { Array($0.utf8) }
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers, body: content.map { ByteBuffer(bytes: $0) })
        OpenAPIContract.file.expect(response.status.code, of: method, uri)
        return Answer(
            status: response.status.code, headers: response.head.headerFields,
            text: String(decoding: response.body.readableBytesView, as: UTF8.self))
    }

    /// As the administrator.
    func send(
        _ method: HTTPRequest.Method, _ uri: String, type: String? = nil, headers: HTTPFields = [:], body: String? = nil
    ) async throws -> Answer {
        try await send(method, uri, token: admin, type: type, headers: headers, body: body)
    }

    /// An admin token; `meshes` are those that it is limited to.
    func userToken(
        _ role: AdministratorRole, meshes: [String]? = nil, validFor: Duration? = nil
    ) async throws -> String {
        let reach = try meshes.map { Set(try $0.map { try MeshName($0) }) }
        return try await authority.issueUserToken(
            UserTokenRequest(name: role.rawValue, roles: [role], meshes: reach, validFor: validFor), by: .system)
    }

    /// Sends JSON as the administrator.
    func put(_ uri: String, _ body: String, headers: HTTPFields = [:]) async throws -> Answer {
        try await send(.put, uri, type: "application/json", headers: headers, body: body)
    }

    func dataplaneToken(mesh: String = "default", service: String = "web", validFor: Duration? = nil) async throws -> String {
        try await authority.issueDataplaneToken(
            DataplaneTokenRequest(
                mesh: try MeshName(mesh), name: "web-1", tags: ["kuma.io/service": [service]], validFor: validFor),
            by: .system)
    }

    /// The id (jti) of the newest token.
    func newestTokenID() async throws -> String {
        try await authority.tokens(TokenQuery(size: 1)).items.first?.id ?? ""
    }

    @discardableResult func putMesh(_ name: String) async throws -> Answer {
        try await send(.put, "/meshes/\(name)", type: "application/json", body: AdminBench.mesh(name))
    }

    static func mesh(_ name: String, more: String = "") -> String {
        #"{"type":"Mesh","name":"\#(name)","mtls":{"enabledBackend":"ca-1","backends":[{"name":"ca-1","type":"builtin"}]}\#(more)}"#
    }

    /// The header by which a client names its request.
    static func requestID(_ id: String) -> HTTPFields { [.init("x-request-id")!: id] }

    /// A request for a P-256 key that was thrown away, made with OpenSSL.
    static let csr = """
        -----BEGIN CERTIFICATE REQUEST-----
        MIG6MGICAQAwADBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGREWyy7rmXI5k79
        WzfvX+GRBMJ0Fj7jy+NPxMxnR6tYEJedClk/Wnco0J0Ok0yCUtS4givalLqgtTLW
        inJK2kygADAKBggqhkjOPQQDAgNIADBFAiAd08rqNA3uYyTaQabFR8guuR/Odhra
        BSbVx5RrHb757wIhAPqJzVzIS2fqUdjoejuIDhuVhTqvTervzvIgNYakR1JI
        -----END CERTIFICATE REQUEST-----

        """
}

/// A clock that a test sets.
final class BenchClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ start: Timestamp) { time = Mutex(start) }

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }
}
