import Foundation
import TestSupport
import Testing

/// The service goes away and comes back while requests between the proxies go on.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RestartTests {
    @Test func `a kill -9 and a new start cost no request, and no certificate where the old one is still good`() async throws {
        try await World.open("kill") { world in
            try await world.makeMesh("payments")
            let pair = try await world.startPair(in: "payments")
            try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
            let leaves = try await world.certificates(of: "payments").filter { $0.kind == "leaf" }
            #expect(leaves.count == 2)

            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await traffic.waitForSuccesses(50)
                try await world.signet.kill()
                try await traffic.waitForSuccesses(100)
                try await world.signet.start()
                try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "\(report)")
            let after = try await world.certificates(of: "payments").filter { $0.kind == "leaf" }
            #expect(Set(after) == Set(leaves), "a proxy that names the version of a good certificate gets no new one")
            let handshakes = try await pair.web.handshakes().inbound + pair.api.handshakes().inbound
            #expect(handshakes >= report.total, "every request is a handshake of its own")
        }
    }

    @Test func `Envoys come back with the renewed token after the old one expired and the service restarted`() async throws {
        try await World.open("token") { world in
            try await world.makeMesh("payments")
            let pair = try await world.startPair(in: "payments", tokenValidFor: "8s")
            let expiry = ContinuousClock.now + .seconds(9)
            try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")

            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await ContinuousClock().sleep(until: expiry)
                for proxy in [pair.web, pair.api] {
                    let old = try String(contentsOfFile: world.workspace.file(proxy.tokenFile), encoding: .utf8)
                    let expired = try await world.sdsClient(
                        world.sdsArguments(token: try world.workspace.write(old, to: "old.token")) + ["fetch", "default"])
                    #expect(expired.status != 0, "the old token is dead: \(expired)")
                    let token = try await world.token(
                        mesh: "payments", service: proxy.plan.service, proxy: proxy.plan.name)
                    try world.workspace.replace(proxy.tokenFile, with: token)
                }
                try await world.signet.kill()
                try await traffic.waitForSuccesses(20)
                try await world.signet.start()
                try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
                try await traffic.waitForSuccesses(20)
            }

            #expect(report.failed == 0, "\(report)")
            let handshakes = try await pair.web.handshakes().inbound + pair.api.handshakes().inbound
            #expect(handshakes >= report.total, "every request is a handshake of its own")
        }
    }

    @Test func `SIGTERM with open streams ends the service with 0 within 30 seconds`() async throws {
        try await World.open("term") { world in
            try await world.makeMesh("payments")
            let pair = try await world.startPair(in: "payments")
            try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
            let (end, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                let end = try await world.signet.terminate()
                try await traffic.waitForSuccesses(20)
                return end
            }
            #expect(end == .exited(0))
            #expect(report.failed == 0, "\(report)")
        }
    }
}

extension World {
    /// Waits until these proxies are connected and have acknowledged everything that they asked for.
    func waitForConnected(_ names: Set<String>, in mesh: String, within limit: Duration = .seconds(45)) async throws {
        try await eventually(within: limit, "\(names.sorted()) connected", every: .milliseconds(200)) {
            let connected = try await proxies(of: mesh).filter { proxy in
                proxy.connected && !proxy.subscriptions.isEmpty && proxy.subscriptions.allSatisfy { $0.ackedVersion != nil }
            }
            return names.isSubset(of: connected.map(\.name))
        }
    }

    /// The independent client's arguments for the door with a token.
    func sdsArguments(token: String) -> [String] {
        ["--address", "localhost:\(signet.sdsPort)", "--ca", signet.authorityFile, "--token-file", token]
    }
}
