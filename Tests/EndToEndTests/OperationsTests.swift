import Foundation
import TestSupport
import Testing

/// What an operator sees.
@Suite(.serialized, .timeLimit(.minutes(2))) struct OperationsTests {
    @Test func `the metrics page has every series that the documentation names`() async throws {
        try await World.open("metrics") { world in
            try await world.makeMesh("payments")
            _ = try await world.startPair(in: "payments")
            try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
            let token = try world.workspace.write("garbage", to: "garbage.token")
            _ = try await world.sdsClient(world.sdsArguments(token: token) + ["fetch", "default"])

            try await eventually(within: .seconds(20), "both proxies in the gauge, which is set now and then") {
                try await world.signet.metrics().contains("signet_proxies_connected{mesh=\"payments\"} 2")
            }
            let page = try await world.signet.metrics()
            for series in [
                "signet_certificates_issued_total{mesh=\"payments\",kind=\"leaf\"}",
                "signet_refused_total{reason=\"token-invalid\"} 1",
                "signet_proxies_connected{mesh=\"payments\"} 2",
                "signet_certificate_earliest_expiry_seconds{mesh=\"payments\",kind=\"root\"}",
                "signet_certificate_earliest_expiry_seconds{mesh=\"payments\",kind=\"issuing\"}",
                "signet_certificate_earliest_expiry_seconds{mesh=\"payments\",kind=\"leaf\"}",
                "signet_push_seconds_count", "signet_issue_seconds_count", "signet_ledger_seconds_count",
                "signet_postgres_connections{state=\"idle\"}",
            ] {
                #expect(page.contains(series), "\(series) is missing in\n\(page)")
            }
        }
    }

    @Test func `a second start finds meshes, proxies' certificates and tokens of the first`() async throws {
        try await World.open("again") { world in
            try await world.makeMesh("payments")
            let token = try await world.makeToken("web.token", mesh: "payments", service: "web")
            let identity = try await world.fetchIdentity(token: token, named: "web")
            let bundle = try await world.signet.command("bundle", "show", "--mesh", "payments")
            #expect(try await world.signet.terminate() == .exited(0))

            try await world.signet.start()

            #expect(try await world.signet.command("bundle", "show", "--mesh", "payments") == bundle)
            #expect(try await world.signet.command("get", "meshes").contains("payments"))
            let chain = try String(contentsOfFile: identity.chain, encoding: .utf8)
            let leaf = try #require(try await WireCertificate.all(in: chain).first)
            #expect(leaf.isIn(try await world.certificates(of: "payments")))
            let again = try await world.sdsClient(world.sdsArguments(token: token) + ["fetch", "default"])
            #expect(again.status == 0, "the token of the first start still opens the door: \(again)")
        }
    }
}
