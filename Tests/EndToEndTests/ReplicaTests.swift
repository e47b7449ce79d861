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
