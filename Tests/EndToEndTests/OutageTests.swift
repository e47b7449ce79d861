import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// The database goes away while requests between the proxies go on and their certificates are renewed.
@Suite(.serialized, .timeLimit(.minutes(5))) struct OutageTests {
    /// How the database is not there.
    enum Fault: String, Sendable, CaseIterable, CustomTestStringConvertible {
        /// It takes connections and never answers.
        case hangs
        /// It does not run; and the service is killed meanwhile.
        case refuses

        var testDescription: String { rawValue }
    }

    /// Leaves of a minute: renewed when they are 30 to 48 seconds old, and for 30 seconds without the database.
    private static let documents = """
        type: Mesh
        name: brief
        mtls:
          enabledBackend: ca-1
          backends:
          - name: ca-1
            type: builtin
            dpCert: {rotation: {expiration: 60s}}
        """

    @Test(arguments: Fault.allCases)
    func `proxies renew without the database, and every certificate that they showed is in it once when it is back`(
        fault: Fault
    ) async throws {
        try await Workspace.open("outage") { workspace in
            let server = Server(in: workspace)
            let database = try await server.start()
            let replica = try await Replica(in: workspace, named: "only", over: database)
            do {
                try await replica.tool.output(["migrate", "--config", replica.configuration])
                try await observe(fault, server, replica, shell: try PostgresShell(database), in: workspace)
            } catch {
                World.printLogs(of: workspace)
                throw error
            }
            await server.stop()
        }
    }

    private func observe(
        _ fault: Fault, _ server: Server, _ replica: Replica, shell: PostgresShell, in workspace: Workspace
    ) async throws {
        let settings = [
            "journal.directory": workspace.file("journal"), "postgres.statementTimeout": "2s", "postgres.acquireTimeout": "2s",
        ]
        let before = try await replica.launch(settings: settings)
        try await replica.waitUntilReady(before)
        try await replica.commandLine.output(["apply", "-f", "-"], input: Self.documents)
        let pair = try await startPair(at: replica, in: workspace)
        let ports = [pair.web.plan.inbound, pair.api.plan.inbound]
        let first = try await eventually(within: .seconds(45), "both have certificates") {
            try await Self.leaves(at: ports)
        }
        let start = ContinuousClock.now
        let targets = [pair.web.target(answer: pair.api.plan.name), pair.api.target(answer: pair.web.plan.name)]
        let ((shown, service), report) = try await Traffic.run(to: targets) { traffic in
            try await ContinuousClock().sleep(until: start + .seconds(24))
            try await server.takeAway(fault)
            try await Self.expectUnready(replica)
            let changed = Self.documents.replacing("60s", with: "61s")
            let refused = try await replica.commandLine.run(["apply", "-f", "-"], input: changed)
            #expect(refused.status == 1 && refused.errors.contains("database"), "\(refused)")
            let renewed = try await eventually(within: .seconds(40), "both renewed", every: .milliseconds(250)) {
                () async throws -> [WireCertificate]? in
                let leaves = try await Self.leaves(at: ports)
                guard let leaves, zip(leaves, first).allSatisfy({ $0 != $1 }) else { return nil }
                return leaves
            }
            #expect(FileManager.default.fileExists(atPath: workspace.file("journal/leaves.journal")))
            var service = before
            if fault == .refuses {
                service.send(SIGKILL)
                try await service.waitForEnd(within: .seconds(10))
                try await traffic.waitForSuccesses(20)
                service = try await replica.launch(settings: settings)
                try await Self.expectUnready(replica)
                #expect(service.end == nil)
            }
            try await traffic.waitForSuccesses(20)
            try await server.bringBack(from: fault)
            try await replica.waitUntilReady(service)
            try await traffic.waitForSuccesses(20)
            return (first + renewed, service)
        }
        #expect(report.failed == 0, "\(report)")
        for certificate in shown {
            let rows = try await shell.query("SELECT count(*) FROM certificate WHERE digest = '\\x\(certificate.digest)'")
            #expect(rows == "1", "\(certificate)")
        }
        #expect(try await shell.brokenLaws().isEmpty)
        #expect(!FileManager.default.fileExists(atPath: workspace.file("journal/leaves.journal")))
        // Of the process that was killed nobody waits for anything.
        let permits = try await shell.query("SELECT count(*) FROM replica WHERE offline_signing_ms > 0")
        #expect(permits == "1")
        try await eventually(within: .seconds(10), "the audit entry") {
            try await shell.query("SELECT count(*) > 0 FROM audit WHERE action = 'journal-replayed'") == "t"
        }
        service.send(SIGTERM)
        #expect(try await service.waitForEnd(within: .seconds(30)) == .exited(0))
        #expect(try await shell.query("SELECT count(*) FROM replica WHERE offline_signing_ms > 0") == "0")
    }

    /// The leaf that each shows; nil unless all of them do.
    private static func leaves(at ports: [Int]) async throws -> [WireCertificate]? {
        var leaves: [WireCertificate] = []
        for port in ports {
            guard let leaf = try await WireCertificate.served(at: port).first else { return nil }
            leaves.append(leaf)
        }
        return leaves
    }

    private static func expectUnready(_ replica: Replica) async throws {
        let address = "http://127.0.0.1:\(replica.healthPort)"
        try await eventually(within: .seconds(15), "readiness to go, with the reason") {
            let answer = try await HTTP.fetch("\(address)/readyz")
            return answer.status == 503 && answer.body.contains("database")
        }
        #expect(try await HTTP.fetch("\(address)/healthz").status == 200)
    }

    private func startPair(at replica: Replica, in workspace: Workspace) async throws -> (web: Proxy, api: Proxy) {
        var (web, api) = (try Proxy.Plan(mesh: "brief", service: "web"), try Proxy.Plan(mesh: "brief", service: "api"))
        try web.call(api)
        try api.call(web)
        var proxies: [Proxy] = []
        for plan in [web, api] {
            let token = try await replica.output(
                "token", "dataplane", "--mesh", plan.mesh, "--name", plan.name, "--tag", "kuma.io/service=\(plan.service)")
            let file = try workspace.write(token, to: "\(plan.name).token")
            proxies.append(
                try await Proxy.start(
                    plan, tokenFile: file, by: replica.commandLine, ["--sds-address", "127.0.0.1:\(replica.sdsPort)"],
                    in: workspace))
        }
        return (proxies[0], proxies[1])
    }

    /// A PostgreSQL of the test's own that can be taken away.
    private final class Server: Sendable {
        private let cluster: PrivateCluster

        init(in workspace: Workspace) {
            cluster = PrivateCluster(
                dataDirectory: workspace.file("database"), durability: .volatile, logger: TestDatabase.logger)
        }

        func start() async throws -> PostgresConfiguration { try await cluster.start() }

        func stop() async { await cluster.stop() }

        func takeAway(_ fault: Fault) async throws {
            switch fault {
            case .hangs: try await signal(SIGSTOP)
            case .refuses: await cluster.stop()
            }
        }

        func bringBack(from fault: Fault) async throws {
            switch fault {
            case .hangs: try await signal(SIGCONT)
            case .refuses: _ = try await cluster.start()
            }
        }

        /// To the server and each of its processes; nothing where it does not run.
        private func signal(_ number: Int32) async throws {
            guard let server = cluster.serverPID else { return }
            let children = try String(contentsOfFile: "/proc/\(server)/task/\(server)/children", encoding: .utf8)
            for process in [server] + children.split(separator: " ").compactMap({ Int32($0) }) { kill(process, number) }
        }
    }
}
