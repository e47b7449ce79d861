import Authority
import AuthorityService
import EnvoyAPI
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Listeners
import Logging
import PKI
import PKICrypto
import SDS
import ServiceLifecycle
import TestSupport

/// The services on a loopback port, over a mesh authority whose ledger is in memory, and a client of them.
struct SecretServer: Sendable {
    typealias Client = Envoy_Service_Secret_V3_SecretDiscoveryService.Client<HTTP2ClientTransport.Posix>
    typealias Request = Envoy_Service_Discovery_V3_DiscoveryRequest
    typealias Response = Envoy_Service_Discovery_V3_DiscoveryResponse

    let authority: MeshAuthority
    let ledger: MemoryLedger
    let client: Client
    let services: ServiceGroup

    static let administrator = Administrator(name: "alice", roles: [.admin], source: "test", requestID: "r-1")

    /// Serves while `body` runs, and fails if that or the shutdown after it takes longer than `limit`.
    static func run(
        door: Door = .token, limits: StreamLimits = patient, settings: AuthoritySettings = AuthoritySettings(),
        clock: ServiceClock = .system, within limit: Duration = .seconds(60),
        _ body: @escaping @Sendable (SecretServer) async throws -> Void
    ) async throws {
        let ledger = MemoryLedger()
        let authority = try await startedAuthority(over: ledger, settings: settings, clock: clock)
        let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: 0), key: "listen.test")
        let secrets = SecretServices(authority: authority, limits: limits, logger: quiet)
        let services = ServiceGroup(
            services: [
                secrets,
                try GRPCDoor(
                    "test", socket: socket, tls: nil, router: secrets.router(for: door), limits: DoorLimits(), logger: quiet),
            ], logger: quiet)
        try await within(limit, "serving and stopping") {
            try await withThrowingTaskGroup { group in
                group.addTask { try await services.run() }
                let client = GRPCClient(
                    transport: try .http2NIOPosix(
                        target: .ipv4(address: "127.0.0.1", port: socket.address.port), transportSecurity: .plaintext))
                group.addTask { try await client.runConnections() }
                let outcome: Result<Void, any Error>
                do {
                    outcome = .success(
                        try await body(
                            SecretServer(
                                authority: authority, ledger: ledger, client: Client(wrapping: client), services: services)))
                } catch {
                    outcome = .failure(error)
                }
                client.beginGracefulShutdown()
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
                try outcome.get()
            }
        }
    }

    /// As in service, but that a bundle waits for its leaf however slow the machine is just now.
    static let patient: StreamLimits = {
        var limits = StreamLimits()
        limits.leafPatience = .seconds(30)
        return limits
    }()

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A mesh authority with the mesh `default` and nothing else.
    static func startedAuthority(
        over ledger: MemoryLedger = MemoryLedger(), settings: AuthoritySettings = AuthoritySettings(),
        clock: ServiceClock = .system
    ) async throws -> MeshAuthority {
        let authority = try MeshAuthority(
            ledger: ledger, keyEncryptionKey: KeyEncryptionKey(bytes: SecretBytes.random(32)), settings: settings, clock: clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await authority.start()
        return authority
    }

    /// A dataplane token of the mesh `default`.
    static func token(of authority: MeshAuthority) async throws -> String {
        try await authority.issueDataplaneToken(
            DataplaneTokenRequest(
                mesh: try MeshName("default"), name: "proxy-1", tags: ["kuma.io/service": ["api"]], validFor: nil),
            by: administrator)
    }

    func token() async throws -> String { try await SecretServer.token(of: authority) }

    /// The chain of a leaf that `authority` issued, DER, leaf first.
    static func chain(by authority: MeshAuthority) async throws -> [[UInt8]] {
        let caller = try await authority.authenticate(
            ProxyCredentials(
                token: try await token(of: authority), peerChain: nil, requiresCertificate: false, nodeID: "", source: "test",
                requestID: "r-1"))
        let leaf = try await authority.issueLeaf(for: caller, node: nil)
        return try PEM.decode(String(decoding: leaf.chainPEM, as: UTF8.self), label: "CERTIFICATE")
    }

    static func request(_ names: [String], version: String = "", nonce: String = "", node: String = "node-1") -> Request {
        .with {
            $0.node.id = node
            $0.resourceNames = names
            $0.typeURL = SecretStream.typeURL
            $0.versionInfo = version
            $0.responseNonce = nonce
        }
    }

    /// Opens `StreamSecrets`; `converse` says requests and reads responses, and returning from it cancels the stream.
    ///
    /// The server says nothing before it is asked, not even its headers, so requests do not wait for a response.
    func stream<Result: Sendable>(
        token: String?, _ converse: @escaping @Sendable (Talk) async throws -> Result
    ) async throws -> Result {
        let (requests, post) = AsyncStream.makeStream(of: Request.self)
        let (responses, arrival) = AsyncThrowingStream.makeStream(of: Response.self)
        let metadata: Metadata = token.map { ["authorization": "Bearer \($0)"] } ?? [:]
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    try await client.streamSecrets(metadata: metadata) { writer in
                        for await request in requests { try await writer.write(request) }
                    } onResponse: { response in
                        for try await message in response.messages { arrival.yield(message) }
                    }
                    arrival.finish()
                } catch {
                    arrival.finish(throwing: error)
                }
            }
            defer {
                post.finish()
                group.cancelAll()
            }
            return try await converse(Talk(post: post, responses: responses))
        }
    }

    /// One side of an open stream.
    struct Talk: Sendable {
        let post: AsyncStream<Request>.Continuation
        let responses: AsyncThrowingStream<Response, any Error>

        func say(_ request: Request) { post.yield(request) }
        func halfClose() { post.finish() }
    }
}
