import Authority
import AuthorityService
import Logging
import PKI
import PKICrypto
import Postgres
import Synchronization

/// A service over a database of its own, and the proxies that it issues for.
final class Site: Sendable {
    let database: PostgresConfiguration
    let authority: MeshAuthority
    /// Rows that stood in the ledger before this service was there.
    private let older: Int
    /// Round after round, each in its turn.
    private let requests: [LeafRequest]
    private let cursor = Atomic<Int>(0)
    private let failures = Mutex<[String: Int]>([:])
    private let count = Atomic<Int>(0)

    /// How SDS issues: what gathered, up to so many at once, and so many batches under way.
    static let width = 128
    static let flight = 4

    private init(database: PostgresConfiguration, authority: MeshAuthority, older: Int, requests: [LeafRequest]) {
        self.database = database
        self.authority = authority
        self.older = older
        self.requests = requests
    }

    /// Runs `body` with a service over `database`, in which the meshes are made first; `callers` proxies are spread over them.
    /// `older`: leaves that stand there already.
    static func with<Result: Sendable>(
        _ database: PostgresConfiguration, key: KeyEncryptionKey, meshes: Int, callers: Int, older: Int = 0, logger: Logger,
        _ body: (Site) async throws -> Result
    ) async throws -> Result {
        let ledger = PostgresLedger(database, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await ledger.run() }
            defer { group.cancelAll() }
            let authority = try MeshAuthority(ledger: ledger, keyEncryptionKey: key, logger: logger)
            try await authority.start()
            group.addTask { try? await authority.run() }
            for number in 0..<meshes where authority.state.meshes[try name(of: number)] == nil {
                _ = try await authority.put(mesh(number), ifMatch: nil, by: .system)
            }
            let requests = try (0..<callers).map { LeafRequest(caller: try caller($0, meshes: meshes), node: "node-\($0)") }
            return try await body(Site(database: database, authority: authority, older: older, requests: requests))
        }
    }

    /// Leaves that were delivered so far.
    var delivered: Int { count.load(ordering: .relaxed) }

    /// Leaves that stand in the ledger, at least.
    var recorded: Int { older + delivered }

    /// Why leaves were not, and how many.
    var refused: [String: Int] { failures.withLock { $0 } }

    /// Issues until `deadline`; gives the seconds that each batch took.
    func issue(until deadline: ContinuousClock.Instant) async -> [Double] {
        await withTaskGroup(of: [Double].self) { group in
            for _ in 0..<Site.flight {
                group.addTask {
                    var seconds: [Double] = []
                    while ContinuousClock.now < deadline {
                        let start = ContinuousClock.now
                        await self.issueBatch()
                        seconds.append((ContinuousClock.now - start) / .seconds(1))
                    }
                    return seconds
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
    }

    private func issueBatch() async {
        let start = cursor.add(Site.width, ordering: .relaxed).oldValue
        let batch = (start..<start + Site.width).map { requests[$0 % requests.count] }
        var whole = 0
        for result in await authority.issueLeaves(batch) {
            switch result {
            case .failure(let error): failures.withLock { $0["\(error)", default: 0] += 1 }
            case .success(let leaf): if leaf.chainPEM.count > 0 && leaf.privateKeyPEM.count > 0 { whole += 1 }
            }
        }
        count.add(whole, ordering: .relaxed)
    }

    static func name(of number: Int) throws -> MeshName { try MeshName("mesh-\(number)") }

    private static func mesh(_ number: Int) throws -> Mesh {
        Mesh(
            name: try name(of: number), trustDomain: try TrustDomain("mesh-\(number)"),
            mtls: Mesh.MTLS(
                enabledBackend: "ca-1",
                backends: [
                    Mesh.Backend(
                        name: "ca-1", kind: .builtin(keyAlgorithm: .ecP256, expiration: .seconds(3650 * 86_400)), mode: .strict,
                        leafLifetime: nil, document: "{}")
                ]))
    }

    /// Twenty proxies for each service, each with a token of its own.
    private static func caller(_ number: Int, meshes: Int) throws -> Caller {
        let mesh = number % meshes
        let service = "service-\(number / meshes / 20)"
        return Caller(
            mesh: try name(of: mesh), identity: try SPIFFEID("spiffe://mesh-\(mesh)/\(service)"), proxy: "proxy-\(number)",
            tags: ["kuma.io/service": [service], "kuma.io/zone": ["east"]],
            tokenID: Hex.encode(Digest.sha256("token \(number)".utf8).prefix(16)))
    }
}
