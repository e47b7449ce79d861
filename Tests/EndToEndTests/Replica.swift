import Foundation
import Postgres
import TestSupport

/// One `signet serve` with its configuration file.
struct Replica: Sendable {
    let configuration: String
    let certificate: String
    let sdsPort: Int
    let healthPort: Int
    let tool = Tool(SignetProcess.executable, install: "swift build")
    let adminPort: Int
    let tokenFile: String
    let name: String
    private let workspace: Workspace

    init(in workspace: Workspace, named name: String, over database: PostgresConfiguration) async throws {
        self.workspace = workspace
        self.name = name
        sdsPort = try Ports.free()
        healthPort = try Ports.free()
        adminPort = try Ports.free()
        tokenFile = workspace.file("\(name).admin.token")
        certificate = workspace.file("serving.pem")
        let key = workspace.file("serving.key")
        let sealing = workspace.file("key-encryption.key")
        if !FileManager.default.fileExists(atPath: certificate) {
            try await Tool.openssl.output([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost",
                "-addext", "subjectAltName = DNS:localhost, IP:127.0.0.1", "-keyout", key, "-out", certificate, "-days", "2",
            ])
            let octets = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) })
            guard FileManager.default.createFile(atPath: sealing, contents: octets, attributes: [.posixPermissions: 0o400])
            else { throw ChildProcess.Failure(name: name, detail: "cannot write \(sealing)") }
        }
        guard case .socketDirectory(let directory, let port) = database.location else {
            throw ChildProcess.Failure(name: name, detail: "the database is not on a unix socket")
        }
        configuration = try workspace.write(
            """
            listen:
              sds: 127.0.0.1:\(sdsPort)
              mtls: 127.0.0.1:\(try Ports.free())
              admin: 127.0.0.1:\(adminPort)
              health: 127.0.0.1:\(healthPort)
            tls:
              certificateFile: \(certificate)
              keyFile: \(key)
            keyEncryptionKeyFile: \(sealing)
            adminTokenFile: \(tokenFile)
            postgres:
              socketDirectory: \(directory)
              socketPort: \(port)
              user: \(database.user)
              database: \(database.database)
            """, to: "\(name).yaml")
    }

    /// The flags by which the commands find this replica.
    var location: [String] {
        ["--address", "https://localhost:\(adminPort)", "--token-file", tokenFile, "--ca-file", certificate]
    }

    /// The command line that finds this replica without flags.
    var commandLine: Tool {
        Tool(
            SignetProcess.executable, install: "swift build",
            environment: [
                "SIGNET_ADDRESS": "https://localhost:\(adminPort)", "SIGNET_TOKEN_FILE": tokenFile,
                "SIGNET_CA_FILE": certificate, "SIGNET_CONFIG_DIR": workspace.file("config"),
            ])
    }

    /// `failpoint` is where a debug build leaves something out, or ends; `settings` are keys of the configuration.
    func launch(failpoint: String? = nil, settings: [String: String] = [:]) async throws -> ChildProcess {
        let process = ChildProcess(
            name: "signet serve (\(name))", executable: SignetProcess.executable,
            arguments: ["serve", "--config", configuration]
                + settings.sorted { $0.key < $1.key }.flatMap { ["--set", "\($0.key)=\($0.value)"] },
            environment: ["FAILPOINT_SIGNET": failpoint],
            logPath: workspace.file("\(name).log"))
        try await workspace.processes.start(process)
        return process
    }

    func waitUntilReady(_ process: ChildProcess) async throws {
        do {
            try await eventually(within: .seconds(40), "readiness of \(name)") {
                if let end = process.end { throw ChildProcess.Failure(name: name, detail: "ended with \(end)") }
                return try await HTTP.fetch("http://127.0.0.1:\(healthPort)/readyz").status == 200
            }
        } catch {
            throw ChildProcess.Failure(name: name, detail: "\(error)\n\(process.log.suffix(4000))")
        }
    }

    /// Runs a command that must succeed, and returns what it printed.
    func output(_ arguments: String...) async throws -> String {
        try await tool.output(arguments + location).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
