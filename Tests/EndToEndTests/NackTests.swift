import TestSupport
import Testing

/// A proxy that does not take what it is sent.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NackTests {
    @Test func `a rejected secret is shown for that proxy with Envoy's words, and the others go on`() async throws {
        try await World.open("nack") { world in
            try await world.makeMesh("payments")
            let pair = try await world.startPair(in: "payments")
            let token = try await world.makeToken("broken", mesh: "payments", service: "broken")
            let client = ChildProcess(
                name: "sds_client.py nack", executable: Repository.path(".venv/bin/python"),
                arguments: [Repository.path("Tests/EndToEndTests/sds_client.py")] + world.sdsArguments(token: token) + [
                    "nack", "ROOTCA",
                ],
                logPath: world.workspace.file("nack.log"))

            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await world.workspace.processes.start(client)
                try await eventually(within: .seconds(15), "the NACK in the proxy's status") {
                    if let end = client.end {
                        throw ChildProcess.Failure(name: client.name, detail: "ended with \(end): \(client.log)")
                    }
                    let broken = try await world.proxies(of: "payments").first { $0.name == "broken" }
                    return broken?.subscriptions.contains { $0.nack?.message.isEmpty == false } ?? false
                }
                try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
                try await traffic.waitForSuccesses(30)
            }

            #expect(report.failed == 0, "\(report)")
            for proxy in try await world.proxies(of: "payments") where proxy.name != "broken" {
                #expect(proxy.subscriptions.allSatisfy { $0.nack == nil }, "\(proxy)")
            }
            #expect(try await world.signet.metrics().contains("signet_nacks_total{mesh=\"payments\"}"))
            #expect(try await world.signet.command("get", "proxies", "--mesh", "payments").contains("broken"))
        }
    }
}
