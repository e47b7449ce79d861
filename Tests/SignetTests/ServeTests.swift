import Foundation
import Listeners
import Postgres
import TestSupport
import Testing

@testable import signet

@Suite struct ServeTests {
    /// A configuration of `signet serve` in a workspace: TLS files and a key-encryption key of its own, free ports.
    private struct Setting {
        let workspace: Workspace
        let file: String
        let healthPort: Int
        let adminPort: Int

        init(in workspace: Workspace, database: PostgresConfiguration?) async throws {
            self.workspace = workspace
            healthPort = try Ports.free()
            adminPort = try Ports.free()
            try await Tool.openssl.output([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                "/CN=signet",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", workspace.file("tls.key"), "-out",
                workspace.file("tls.crt"),
            ])
            try await Setting.makeKey(workspace.file("key"))
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
                postgres: \(Setting.postgres(database))
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

    @Test func `An old schema is refused, migrated once, and then served until SIGTERM`() async throws {
        let database = try await TestDatabase.makeEmpty()
        try await Workspace.open("serve") { workspace in
            let setting = try await Setting(in: workspace, database: database.configuration)
            let early = try await setting.run("serve")
            #expect(early.status == 1 && early.errors.contains("run 'signet migrate'"), "\(early)")
            let migrated = try await setting.run("migrate")
            #expect(migrated.status == 0 && migrated.output.contains("applied "), "\(migrated)")
            let again = try await setting.run("migrate")
            #expect(again.status == 0 && !again.output.contains("applied "), "\(again)")

            let process = try await setting.start()
            try await eventually(within: .seconds(20), "readiness") { try await setting.isReady() }
            // The token is written when the state is there.
            try await eventually(within: .seconds(10), "the admin token") {
                FileManager.default.fileExists(atPath: workspace.file("admin.token"))
            }
            let meshes = try await setting.client.run("get", "meshes")
            #expect(meshes.status == 0 && meshes.output.contains("default"), "\(meshes)")
            process.send(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(30)) == .exited(0), "\(process.log)")
        }
    }

    @Test func `Another key-encryption key than the database's is refused, and nothing is changed`() async throws {
        let database = try await TestDatabase.make()
        try await Workspace.open("serve") { workspace in
            let setting = try await Setting(in: workspace, database: database.configuration)
            let first = try await setting.start()
            try await eventually(within: .seconds(20), "readiness") { try await setting.isReady() }
            first.send(SIGTERM)
            try await first.waitForEnd(within: .seconds(30))
            unlink(workspace.file("key"))
            try await Setting.makeKey(workspace.file("key"))
            let refused = try await setting.run("serve")
            #expect(refused.status == 1, "\(refused)")
            #expect(refused.errors.contains("start with the key-encryption key that the database was made with"), "\(refused)")
        }
    }

    @Test func `Without its database the service lives, is not ready and says why`() async throws {
        try await Workspace.open("serve") { workspace in
            let setting = try await Setting(in: workspace, database: nil)
            let process = try await setting.start()
            let base = "http://127.0.0.1:\(setting.healthPort)"
            try await eventually(within: .seconds(10), "the health port") {
                try await HTTP.fetch("\(base)/healthz").status == 200
            }
            let answer = try await HTTP.fetch("\(base)/readyz")
            #expect(answer.status == 503 && answer.body.hasPrefix("not ready: "), "\(answer.body)")
            try await eventually(within: .seconds(10), "a line in the log") { process.log.contains("waiting for the database") }
            process.send(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(30)) == .exited(0), "\(process.log)")
        }
    }

    @Test func `A port in use is told with its address and key before anything is served`() async throws {
        try await Workspace.open("serve") { workspace in
            let setting = try await Setting(in: workspace, database: nil)
            let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: setting.healthPort), key: "")
            let result = try await setting.run("serve")
            #expect(result.status == 1)
            #expect(
                result.errors
                    == "signet: 127.0.0.1:\(setting.healthPort) is in use by another process: stop it, or set listen.health to another address\n"
            )
            withExtendedLifetime(socket) {}
        }
    }

    @Test func `A key file that others can read, and a missing certificate, are refused`() async throws {
        try await Workspace.open("serve") { workspace in
            let setting = try await Setting(in: workspace, database: nil)
            chmod(workspace.file("key"), 0o444)
            let open = try await setting.run("serve")
            #expect(open.status == 1 && open.errors.contains("chmod 0400"), "\(open)")
            chmod(workspace.file("key"), 0o400)
            unlink(workspace.file("tls.crt"))
            let missing = try await setting.run("serve")
            #expect(missing.status == 1 && missing.errors.contains(workspace.file("tls.crt")), "\(missing)")
        }
    }
}
