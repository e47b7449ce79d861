import Foundation
import Postgres
import TestSupport

@testable import signet

/// A configuration of `signet serve` in a workspace: TLS files and a key-encryption key of its own, free ports.
struct ServeSetting {
    let workspace: Workspace
    let file: String
    let healthPort: Int
    let adminPort: Int

    init(in workspace: Workspace, database: PostgresConfiguration?, journal: String? = nil) async throws {
        self.workspace = workspace
        healthPort = try Ports.free()
        adminPort = try Ports.free()
        try await Tool.openssl.output([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
            "/CN=signet",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", workspace.file("tls.key"), "-out",
            workspace.file("tls.crt"),
        ])
        try await ServeSetting.makeKey(workspace.file("key"))
        file = try workspace.write(
            """
            listen:
              sds: 127.0.0.1:\(try Ports.free())
              mtls: 127.0.0.1:\(try Ports.free())
              admin: 127.0.0.1:\(adminPort)
              health: 127.0.0.1:\(healthPort)
              unix: \(workspace.file("sds.sock"))
            tls: {certificateFile: \(workspace.file("tls.crt")), keyFile: \(workspace.file("tls.key"))}
            keyEncryptionKeyFile: \(workspace.file("key"))
            adminTokenFile: \(workspace.file("admin.token"))
            postgres: \(ServeSetting.postgres(database))
            \(journal.map { "journal: {directory: \($0)}" } ?? "")
            """, to: "signet.yaml")
    }

    static func makeKey(_ path: String) async throws {
        try await Tool.openssl.output(["rand", "-out", path, "32"])
        chmod(path, 0o400)
    }

    private static func postgres(_ configuration: PostgresConfiguration?) -> String {
        guard let configuration, case .socketDirectory(let directory, let port) = configuration.location else {
            return "{socketDirectory: /nonexistent, connectTimeout: 1s}"
        }
        return
            "{socketDirectory: \(directory), socketPort: \(port), user: \(configuration.user), database: \(configuration.database)}"
    }

    /// Runs to its end.
    func run(_ arguments: String...) async throws -> Tool.Result {
        try await SignetLine().run(arguments + ["--config", file])
    }

    /// Starts `signet serve`.
    func start() async throws -> ChildProcess {
        let process = ChildProcess(
            name: "signet serve", executable: SignetProcess.executable, arguments: ["serve", "--config", file],
            environment: SignetLine().environment, logPath: workspace.file("serve.log"))
        try await workspace.processes.start(process)
        return process
    }

    func isReady() async throws -> Bool {
        try await HTTP.fetch("http://127.0.0.1:\(healthPort)/readyz").status == 200
    }

    var client: SignetLine {
        SignetLine([
            "SIGNET_ADDRESS": "https://localhost:\(adminPort)", "SIGNET_TOKEN_FILE": workspace.file("admin.token"),
            "SIGNET_CA_FILE": workspace.file("tls.crt"),
        ])
    }
}
