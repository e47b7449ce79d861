import Glibc
package import Logging
package import Postgres
import Synchronization

/// A database of one test's own, in a PostgreSQL that all tests of the process share.
///
/// The server starts with the first test that asks, and ends with the process, however that ends.
package struct TestDatabase: Sendable {
    package let configuration: PostgresConfiguration

    /// Makes a database with the schema of this program.
    package static func make() async throws -> TestDatabase {
        let name = "test_\(nextNumber())"
        let cluster = try await SharedCluster.shared.cluster()
        return TestDatabase(configuration: try await cluster.createDatabase(name, template: SharedCluster.template))
    }

    /// Makes a database without any table.
    package static func makeEmpty() async throws -> TestDatabase {
        let cluster = try await SharedCluster.shared.cluster()
        return TestDatabase(configuration: try await cluster.createDatabase("test_\(nextNumber())"))
    }

    /// Runs `body` with a ledger whose connections are kept open for as long.
    package func withLedger<Value: Sendable>(
        _ body: (PostgresLedger) async throws -> Value
    ) async throws -> Value {
        try await TestDatabase.withLedger(configuration, body)
    }

    /// As the method, for a database of another server.
    package static func withLedger<Value: Sendable>(
        _ configuration: PostgresConfiguration, logger: Logger = TestDatabase.logger,
        _ body: (PostgresLedger) async throws -> Value
    ) async throws -> Value {
        var configuration = configuration
        // A hundred tests share two cores: whoever waits for a connection is not what they are about, unless they say so.
        if configuration.timing.acquire == PostgresConfiguration.Timing().acquire { configuration.timing.acquire = .seconds(60) }
        let ledger = PostgresLedger(configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await ledger.run() }
            defer { group.cancelAll() }
            return try await body(ledger)
        }
    }

    /// Says nothing below errors: the tests provoke warnings by the dozen.
    package static let logger: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        return logger
    }()

    private static let number = Atomic<Int>(0)

    private static func nextNumber() -> Int {
        number.add(1, ordering: .relaxed).newValue
    }
}

/// The one PostgreSQL of the test process.
private actor SharedCluster {
    static let shared = SharedCluster()

    static let template = "test_template"

    private enum State {
        case failed(any Error)
        case idle
        case running(PrivateCluster)
        case starting([CheckedContinuation<PrivateCluster, any Error>])
    }

    private var state = State.idle

    /// The running cluster: the first caller starts it, the others wait for that.
    func cluster() async throws -> PrivateCluster {
        switch state {
        case .failed(let error): throw error
        case .running(let cluster): return cluster
        case .starting(let waiting):
            return try await withCheckedThrowingContinuation { state = .starting(waiting + [$0]) }
        case .idle:
            state = .starting([])
            let result: Result<PrivateCluster, any Error>
            do {
                result = .success(try await SharedCluster.start())
            } catch {
                result = .failure(error)
            }
            guard case .starting(let waiting) = state else { return try result.get() }
            switch result {
            case .success(let cluster): state = .running(cluster)
            case .failure(let error): state = .failed(error)
            }
            for continuation in waiting { continuation.resume(with: result) }
            return try result.get()
        }
    }

    private static func start() async throws -> PrivateCluster {
        let directory = "/tmp/signet-tests-\(getpid())"
        try ClusterWatchdog.watch(directory)
        let cluster = PrivateCluster(
            dataDirectory: directory, durability: .volatile, maximumConnections: 400, logger: TestDatabase.logger)
        _ = try await cluster.start()
        let configuration = try await cluster.createDatabase(template)
        _ = try await SchemaMigrator(configuration, logger: TestDatabase.logger).migrate()
        return cluster
    }
}
