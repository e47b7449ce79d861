import Authority
import AuthorityService
import Logging
import PKI
import PKICrypto
import Synchronization
import TestSupport

/// A clock that a test sets.
final class TestClock: Sendable {
    private let time: Mutex<Timestamp>

    init(_ time: Timestamp = Timestamp(seconds: 1_800_000_000)) {
        self.time = Mutex(time)
    }

    var now: Timestamp { time.withLock { $0 } }

    func advance(by duration: Duration) {
        time.withLock { $0 = $0 + duration }
    }

    var clock: ServiceClock { ServiceClock { self.now } }
}

/// A mesh authority over a ledger in memory, with what a test needs around it.
struct Service {
    let ledger: MemoryLedger
    let clock: TestClock
    let authority: MeshAuthority
    let keyEncryptionKey: KeyEncryptionKey

    static let administrator = Administrator(name: "alice", roles: [.admin], source: "test", requestID: "r-1")

    init(
        ledger: MemoryLedger = MemoryLedger(), clock: TestClock = TestClock(), keyEncryptionKey: KeyEncryptionKey? = nil,
        settings: AuthoritySettings = AuthoritySettings(), journal: IssueJournal? = nil, serviceClock: ServiceClock? = nil
    ) throws {
        self.ledger = ledger
        self.clock = clock
        self.keyEncryptionKey = try keyEncryptionKey ?? KeyEncryptionKey(bytes: SecretBytes.random(32))
        authority = try MeshAuthority(
            ledger: ledger, keyEncryptionKey: self.keyEncryptionKey, settings: settings, journal: journal,
            clock: serviceClock ?? clock.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    static func started(settings: AuthoritySettings = AuthoritySettings()) async throws -> Service {
        let service = try Service(settings: settings)
        try await service.authority.start()
        return service
    }

    /// Makes a mesh with a builtin CA.
    @discardableResult
    func makeMesh(_ name: String, leafLifetime: Duration? = nil, keyAlgorithm: KeyAlgorithm = .ecP256) async throws
        -> MeshOutcome
    {
        try await authority.put(
            Service.mesh(name, leafLifetime: leafLifetime, keyAlgorithm: keyAlgorithm), ifMatch: nil, by: Service.administrator)
    }

    static func mesh(_ name: String, leafLifetime: Duration? = nil, keyAlgorithm: KeyAlgorithm = .ecP256) throws -> Mesh {
        Mesh(
            name: try MeshName(name), trustDomain: try TrustDomain(name),
            mtls: Mesh.MTLS(
                enabledBackend: "ca-1",
                backends: [
                    Mesh.Backend(
                        name: "ca-1", kind: .builtin(keyAlgorithm: keyAlgorithm, expiration: .seconds(3650 * 86_400)),
                        mode: .strict, leafLifetime: leafLifetime, document: "{}")
                ]))
    }

    func token(mesh: String = "default", service: String = "api", name: String = "proxy-1", validFor: Duration? = nil)
        async throws -> String
    {
        try await authority.issueDataplaneToken(
            DataplaneTokenRequest(
                mesh: try MeshName(mesh), name: name, tags: ["kuma.io/service": [service]], validFor: validFor),
            by: Service.administrator)
    }

    func caller(mesh: String = "default", service: String = "api") async throws -> Caller {
        try await authority.authenticate(Service.credentials(token: token(mesh: mesh, service: service)))
    }

    static func credentials(
        token: String? = nil, chain: [[UInt8]]? = nil, requiresCertificate: Bool = false, nodeID: String = "node-1"
    ) -> ProxyCredentials {
        ProxyCredentials(
            token: token, peerChain: chain, requiresCertificate: requiresCertificate, nodeID: nodeID, source: "127.0.0.1:1",
            requestID: "r-2")
    }

    static func chain(of leaf: DeliveredLeaf) throws -> [[UInt8]] {
        try PEM.decode(String(decoding: leaf.chainPEM, as: UTF8.self), label: "CERTIFICATE")
    }
}

extension AuthorityError {
    /// The reason, if it is a refusal.
    var reason: String? {
        if case .refused(let refusal) = self { refusal.reason } else { nil }
    }
}

/// The refusal that `body` throws; nil if it throws none.
func failure<Value>(of body: () async throws -> Value) async throws -> AuthorityError? {
    do {
        _ = try await body()
        return nil
    } catch let error as AuthorityError {
        return error
    }
}
