import Foundation
import Postgres
import TestSupport
import Testing

/// Two replicas over one PostgreSQL, and the mesh `red` under the CA `corp` with `web` at the first and `api` at the second, which
/// call each other.
struct Fleet: Sendable {
    let workspace: Workspace
    let first: Replica
    let second: Replica
    let shell: PostgresShell

    /// Two replicas over a new database of the tests' own PostgreSQL; starts neither.
    static func open<Value: Sendable>(_ name: String, _ body: (Fleet) async throws -> Value) async throws -> Value {
        try await Workspace.open(name) { workspace in
            try await open(in: workspace, over: try await TestDatabase.makeEmpty().configuration, body)
        }
    }

    /// Two replicas over a database without a schema; starts neither.
    static func open<Value: Sendable>(
        in workspace: Workspace, over database: PostgresConfiguration, _ body: (Fleet) async throws -> Value
    ) async throws -> Value {
        do {
            let fleet = Fleet(
                workspace: workspace, first: try await Replica(in: workspace, named: "first", over: database),
                second: try await Replica(in: workspace, named: "second", over: database),
                shell: try PostgresShell(database))
            try await fleet.first.tool.output(["migrate", "--config", fleet.first.configuration])
            return try await body(fleet)
        } catch {
            World.printLogs(of: workspace)
            throw error
        }
    }

    /// Starts the first, waits until it drives, then starts the second: the first goes on driving.
    func start(failpointOfFirst failpoint: String? = nil) async throws -> (first: ChildProcess, second: ChildProcess) {
        let one = try await first.launch(failpoint: failpoint)
        try await first.waitUntilReady(one)
        try await eventually(within: .seconds(20), "the first to drive") { one.log.contains("drives rotations from now on") }
        let other = try await second.launch()
        try await second.waitUntilReady(other)
        return (one, other)
    }

    /// Makes `corp` and `red`, with leaves of 20 seconds.
    func makeMesh() async throws {
        let documents = """
            type: CertificateAuthority
            name: corp
            rotation: {automatic: true, retireAfter: reissued}
            ---
            type: Mesh
            name: red
            mtls:
              enabledBackend: corp
              backends:
              - name: corp
                type: shared
                dpCert: {rotation: {expiration: 20s}}
                conf: {authority: corp}
            """
        try await first.commandLine.output(["apply", "-f", "-"], input: documents)
    }

    /// `web` gets its secrets from the first, `api` from the second.
    func startPair() async throws -> (web: Proxy, api: Proxy) {
        var (web, api) = (try Proxy.Plan(mesh: "red", service: "web"), try Proxy.Plan(mesh: "red", service: "api"))
        try web.call(api)
        try api.call(web)
        return (try await start(web, at: first), try await start(api, at: second))
    }

    private func start(_ plan: Proxy.Plan, at replica: Replica) async throws -> Proxy {
        let token = try await replica.output(
            "token", "dataplane", "--mesh", plan.mesh, "--name", plan.name, "--tag", "kuma.io/service=\(plan.service)")
        let file = try workspace.write(token, to: "\(plan.name).token")
        return try await Proxy.start(
            plan, tokenFile: file, by: replica.commandLine, ["--sds-address", "127.0.0.1:\(replica.sdsPort)"], in: workspace)
    }

    func targets(_ pair: (web: Proxy, api: Proxy)) -> [Traffic.Target] {
        [pair.web.target(answer: pair.api.plan.name), pair.api.target(answer: pair.web.plan.name)]
    }

    /// The rotations as a replica lists them, newest first.
    func rotations(at replica: Replica) async throws -> [RotationReport] {
        let text = try await replica.commandLine.output(["get", "rotations", "-o", "json"])
        return try JSONDecoder().decode(Listing<RotationReport>.self, from: Data(text.utf8)).items
    }

    /// One of them, with what its gate waits for.
    func rotation(_ id: String, at replica: Replica) async throws -> RotationReport {
        let text = try await replica.commandLine.output(["get", "rotation", id, "-o", "json"])
        return try JSONDecoder().decode(RotationReport.self, from: Data(text.utf8))
    }

    /// Looks at every law that a row may break, over and over until `condition` holds.
    func watchLaws(
        within limit: Duration, until what: String, _ condition: () async throws -> Bool
    ) async throws {
        try await eventually(within: limit, what, every: .milliseconds(200)) {
            let broken: String
            do { broken = try await shell.brokenLaws() } catch { return false }
            if !broken.isEmpty { throw ChildProcess.Failure(name: "laws", detail: broken) }
            return try await condition()
        }
    }

    /// One root is bound in the mesh and in the Envoys, and nothing of it is half done.
    func expectAtRest(_ pair: (web: Proxy, api: Proxy), insteadOf old: String) async throws {
        #expect(try await shell.brokenLaws().isEmpty)
        let bound = try await shell.query(
            "SELECT string_agg(state, ' ') FROM mesh_issuer WHERE mesh = 'red' AND state IN ('active', 'outgoing', 'prepared')")
        #expect(bound == "active")
        for replica in [first, second] {
            let bundle = try await replica.commandLine.output(["bundle", "show", "--mesh", "red"])
            #expect(bundle != old)
            for proxy in [pair.web, pair.api] {
                #expect(try await World.roots(heldBy: proxy.envoy) == [bundle], "\(proxy.plan.name)")
            }
        }
    }
}
