import AsyncHTTPClient
import Foundation
import Synchronization

/// `signet dev` as a child process with a data folder of its own: it can be killed and started again on the same ports.
package final class SignetProcess: Sendable {
    package let dataDirectory: String
    package let sdsPort: Int
    package let mtlsPort: Int
    package let adminPort: Int
    package let healthPort: Int
    private let workspace: Workspace
    private let child: Mutex<ChildProcess?>
    private let settings: [String: String]
    private let environment: [String: String?]

    /// The binary that the test run has built.
    package static var executable: String { "\(Repository.products)/signet" }

    /// `settings` are keys of the service's configuration; `ports` is another one whose ports this one takes.
    package init(
        in workspace: Workspace, data: String = "data", ports: SignetProcess? = nil, settings: [String: String] = [:],
        environment: [String: String?] = [:]
    ) throws {
        self.workspace = workspace
        self.dataDirectory = workspace.file(data)
        self.settings = settings
        self.environment = environment
        sdsPort = try ports?.sdsPort ?? Ports.free()
        mtlsPort = try ports?.mtlsPort ?? Ports.free()
        adminPort = try ports?.adminPort ?? Ports.free()
        healthPort = try ports?.healthPort ?? Ports.free()
        child = Mutex(nil)
    }

    private var arguments: [String] {
        [
            "dev", "--data-dir", dataDirectory, "--sds-port", "\(sdsPort)", "--mtls-port", "\(mtlsPort)",
            "--admin-port", "\(adminPort)", "--health-port", "\(healthPort)",
        ] + settings.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] }
    }

    /// The root of the service's own certificates.
    package var authorityFile: String { dataDirectory + "/ca.pem" }

    /// The administrator's token of this start.
    package var adminTokenFile: String { dataDirectory + "/admin.token" }

    private var logPath: String { workspace.file(dataDirectory.split(separator: "/").last.map(String.init) ?? "signet") + ".log" }

    /// Everything the service wrote, over all its starts.
    package var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Starts the service without waiting for anything but the process.
    package func launch() async throws -> ChildProcess {
        let process = ChildProcess(
            name: "signet dev", executable: Self.executable, arguments: arguments, environment: environment,
            logPath: logPath)
        try await workspace.processes.start(process)
        child.withLock { $0 = process }
        return process
    }

    /// Starts the service and waits until it says that it is ready, and its commands find it.
    package func start(within limit: Duration = .seconds(60)) async throws {
        let process = try await launch()
        do {
            try await eventually(within: limit, "readiness of signet") {
                if let end = process.end {
                    throw ChildProcess.Failure(name: "signet dev", detail: "ended with \(end)")
                }
                // A start removes the file that an earlier one left before it opens a port.
                return try await HTTP.fetch("http://127.0.0.1:\(healthPort)/readyz").status == 200
                    && FileManager.default.fileExists(atPath: dataDirectory + "/endpoints.json")
            }
        } catch {
            throw ChildProcess.Failure(name: "signet dev", detail: "\(error)\n\(log.suffix(4000))")
        }
    }

    /// `kill -9`, and waits for the end.
    package func kill() async throws {
        guard let process = child.withLock({ $0 }) else { return }
        process.send(SIGKILL)
        try await process.waitForEnd(within: .seconds(10))
    }

    /// Waits for the end that it comes to by itself.
    package func waitForEnd(within limit: Duration) async throws -> ChildProcess.End {
        guard let process = child.withLock({ $0 }) else { return .notStarted("it never ran") }
        return try await process.waitForEnd(within: limit)
    }

    /// SIGTERM; returns the end, which must come within the 30 s that the service promises.
    package func terminate() async throws -> ChildProcess.End {
        guard let process = child.withLock({ $0 }) else { return .notStarted("it never ran") }
        process.send(SIGTERM)
        return try await process.waitForEnd(within: .seconds(30))
    }

    /// The command line of this service: finds it through the data folder.
    package var commandLine: Tool {
        Tool(
            Self.executable, install: "swift build",
            environment: ["SIGNET_DATA_DIR": dataDirectory, "SIGNET_CONFIG_DIR": dataDirectory + "/config"])
    }

    /// Runs a command that must succeed, and returns what it printed.
    @discardableResult package func command(_ arguments: String..., input: String = "") async throws -> String {
        try await commandLine.output(arguments, input: input)
    }

    /// Runs a command and decodes its JSON output.
    package func json<Value: Decodable>(_ type: Value.Type, _ arguments: String...) async throws -> Value {
        let text = try await commandLine.output(arguments + ["-o", "json"])
        return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }

    /// The service's metrics page.
    package func metrics() async throws -> String {
        try await HTTP.fetch("http://127.0.0.1:\(healthPort)/metrics").body
    }
}
