import Glibc
import Logging
import Postgres
import Subprocess

/// A PostgreSQL of this run alone, in a folder that goes with it.
struct Server: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let directory: String
    private let cluster: PrivateCluster
    let logger: Logger

    /// Starts it as `signet dev` does: durable, and as root under another account.
    static func start(logger: Logger) async throws -> Server {
        let directory = "/tmp/signet-ledger-benchmark-\(getpid())"
        let server = Server(
            directory: directory, cluster: PrivateCluster(dataDirectory: directory, logger: logger), logger: logger)
        do {
            _ = try await server.cluster.start()
        } catch {
            await server.stop()
            throw error
        }
        return server
    }

    /// Stops it and removes everything.
    func stop() async {
        await cluster.stop()
        _ = try? await run(.name("rm"), input: "", arguments: ["-rf", directory])
    }

    /// A database with the schema of this program.
    func makeDatabase(_ name: String) async throws -> PostgresConfiguration {
        let configuration = try await cluster.createDatabase(name)
        _ = try await SchemaMigrator(configuration, logger: logger).migrate()
        return configuration
    }

    /// CPU seconds of all its processes.
    var processorTime: Double { cluster.serverPID.map { ProcessorTime.family(of: $0) } ?? 0 }

    /// The first column of the first row that `statements`, the last of them, give; empty if none.
    @discardableResult
    func query(_ statements: String, in configuration: PostgresConfiguration) async throws -> String {
        guard case .socketDirectory(let path, let port) = configuration.location else {
            throw Failure(description: "the private PostgreSQL has a unix socket")
        }
        let output = try await run(
            .name("psql"), input: statements,
            arguments: [
                "--host", path, "--port", "\(port)", "--username", configuration.user, "--dbname", configuration.database,
                "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
            ])
        return output.split(whereSeparator: \.isNewline).last.map(String.init) ?? ""
    }

    /// As `query`, of one whole number.
    func number(_ statements: String, in configuration: PostgresConfiguration) async throws -> Int {
        let text = try await query(statements, in: configuration)
        guard let number = Int(text) else { throw Failure(description: "'\(text)' is no number: \(statements)") }
        return number
    }

    private func run(_ program: Executable, input: String, arguments: [String]) async throws -> String {
        let result = try await Subprocess.run(
            program, arguments: Arguments(arguments), input: .string(input), output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failure(description: "\(program): \(result.standardError)")
        }
        return result.standardOutput
    }
}
