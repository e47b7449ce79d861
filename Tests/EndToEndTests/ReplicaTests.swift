import Foundation
import Postgres
import TestSupport
import Testing

/// `signet serve`, several of them over one database.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ReplicaTests {
    @Test func `two replicas that start at once make one root, and a proxy's certificate holds at both`() async throws {
        try await Workspace.open("replicas") { workspace in
            let database = try await TestDatabase.makeEmpty()
            let first = try await Replica(in: workspace, named: "first", over: database.configuration)
            let second = try await Replica(in: workspace, named: "second", over: database.configuration)

            let unmigrated = try await first.tool.run(["serve", "--config", first.configuration])
            #expect(unmigrated.status == 1 && unmigrated.errors.contains("signet migrate"), "\(unmigrated)")
            for replica in [first, second] {
                try await replica.tool.output(["check-config", "--config", replica.configuration])
            }
            async let one = first.tool.output(["migrate", "--config", first.configuration])
            async let other = second.tool.output(["migrate", "--config", second.configuration])
            _ = try await (one, other)

            let services = [try await first.launch(), try await second.launch()]
            for (replica, service) in zip([first, second], services) { try await replica.waitUntilReady(service) }

            let mesh = try await first.output("get", "certificates", "--mesh", "default", "-o", "json")
            let rows = try JSONDecoder().decode(Listing<LedgerCertificate>.self, from: Data(mesh.utf8)).items
            #expect(rows.count { $0.kind == "root" } == 1, "\(rows)")
            #expect(
                try await second.output("bundle", "show", "--mesh", "default")
                    == first.output("bundle", "show", "--mesh", "default"))

            let token = try workspace.write(
                try await first.output("token", "dataplane", "--mesh", "default", "--tag", "kuma.io/service=web"),
                to: "web.token")
            for replica in [first, second] {
                let client = try await Tool.python().run(
                    [
                        Repository.path("Tests/EndToEndTests/sds_client.py"), "--address", "localhost:\(replica.sdsPort)",
                        "--ca", replica.certificate, "--token-file", token, "fetch", "default",
                    ])
                #expect(client.status == 0, "a token of one replica opens the other: \(client)")
                let chain = try workspace.write(client.output, to: "chain.pem")
                for judge in [first, second] {
                    let verdict = try await judge.tool.run(["verify", "--mesh", "default", chain] + judge.location)
                    #expect(verdict.status == 0, "\(verdict)")
                }
            }
        }
    }

    @Test func `a database that is not there is said, and the service is alive but not ready`() async throws {
        try await Workspace.open("nodb") { workspace in
            let nowhere = try PostgresConfiguration(
                socketDirectory: workspace.path, user: "signet", database: "signet")
            let replica = try await Replica(in: workspace, named: "lonely", over: nowhere)
            let migrate = try await replica.tool.run(["migrate", "--config", replica.configuration])
            #expect(migrate.status == 1 && migrate.errors.hasPrefix("signet: "), "\(migrate)")
            #expect(migrate.errors.filter { $0 == "\n" }.count == 1, "\(migrate)")

            let service = try await replica.launch()
            try await eventually(within: .seconds(30), "liveness without a database") {
                try await HTTP.fetch("http://127.0.0.1:\(replica.healthPort)/healthz").status == 200
            }
            #expect(try await HTTP.fetch("http://127.0.0.1:\(replica.healthPort)/readyz").status == 503)
            try await eventually(within: .seconds(10), "a line about the database") { service.log.contains(workspace.path) }
        }
    }
}

/// One `signet serve` with its configuration file.
struct Replica: Sendable {
    let configuration: String
    let certificate: String
    let sdsPort: Int
    let healthPort: Int
    let tool = Tool(SignetProcess.executable, install: "swift build")
    private let adminPort: Int
    private let tokenFile: String
    private let name: String
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

    func launch() async throws -> ChildProcess {
        let process = ChildProcess(
            name: "signet serve (\(name))", executable: SignetProcess.executable,
            arguments: ["serve", "--config", configuration], logPath: workspace.file("\(name).log"))
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

    func output(_ arguments: String...) async throws -> String {
        try await tool.output(arguments + location).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
