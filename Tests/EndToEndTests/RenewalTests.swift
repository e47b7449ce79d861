import TestSupport
import Testing

/// Leaves that live for seconds, so that their renewals can be watched.
@Suite(.serialized, .timeLimit(.minutes(4))) struct RenewalTests {
    @Test func `five renewals of a 20-second leaf pass under traffic without a failed request`() async throws {
        try await World.open("renew") { world in
            try await world.makeMesh("brief", leafLife: "20s")
            let pair = try await world.startPair(in: "brief")
            let first = try await WireCertificate.served(at: pair.api.plan.inbound)

            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await eventually(within: .seconds(120), "five renewals of both proxies", every: .milliseconds(500)) {
                    for service in ["web", "api"] {
                        guard try await world.leaves(of: service, in: "brief").count > 5 else { return false }
                    }
                    return true
                }
                try await traffic.waitForSuccesses(20)
            }

            #expect(report.failed == 0, "\(report)")
            #expect(report.succeeded > 1000)
            let handshakes = try await pair.web.handshakes().inbound + pair.api.handshakes().inbound
            #expect(handshakes >= report.total, "every request is a handshake of its own")
            #expect(try await WireCertificate.served(at: pair.api.plan.inbound).first != first.first)
            let served =
                try await WireCertificate.served(at: pair.web.plan.inbound)
                + WireCertificate.served(at: pair.api.plan.inbound)
            // Read behind them: the renewals go on, and each is recorded before it is served.
            let ledger = try await world.certificates(of: "brief")
            for certificate in served { #expect(certificate.isIn(ledger)) }
        }
    }
}
