import Foundation
import TestSupport
import Testing

/// Two real Envoys with nothing but what `signet envoy bootstrap` printed.
@Suite(.serialized, .timeLimit(.minutes(3))) struct MeshTrafficTests {
    @Test func `two Envoys of one mesh exchange HTTP over mTLS with certificates of the ledger`() async throws {
        try await World.open("pair") { world in
            try await world.makeMesh("payments")
            let pair = try await world.startPair(in: "payments")
            let before = (web: try await pair.web.handshakes(), api: try await pair.api.handshakes())

            let (_, report) = try await Traffic.run(to: world.targets(pair), every: .milliseconds(30)) { traffic in
                try await traffic.waitForSuccesses(200)
            }

            #expect(report.failed == 0, "\(report)")
            let after = (web: try await pair.web.handshakes(), api: try await pair.api.handshakes())
            let inbound = after.web.inbound + after.api.inbound - before.web.inbound - before.api.inbound
            let outbound = after.web.outbound + after.api.outbound - before.web.outbound - before.api.outbound
            #expect(inbound >= report.total, "every request is a handshake of its own")
            #expect(outbound >= report.total, "every request is a handshake of its own")

            let ledger = try await world.certificates(of: "payments")
            for proxy in [pair.web, pair.api] {
                let chain = try await WireCertificate.served(at: proxy.plan.inbound)
                #expect(chain.count == 2, "the leaf and the issuing certificate")
                #expect(chain.first?.uris == [proxy.plan.identity])
                for certificate in chain { #expect(certificate.isIn(ledger), "\(certificate) is not in \(ledger)") }
            }
        }
    }

    @Test func `the certificate that an Envoy shows as a client is the ledger's`() async throws {
        try await World.open("client") { world in
            try await world.makeMesh("payments")
            let token = try await world.makeToken("server.token", mesh: "payments", service: "openssl")
            let identity = try await world.fetchIdentity(token: token, named: "server")

            let port = try Ports.free()
            let server = ChildProcess(
                name: "openssl s_server", executable: "/usr/bin/env",
                arguments: [
                    "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", identity.chain, "-cert_chain", identity.chain,
                    "-key", identity.key, "-CAfile", identity.roots, "-Verify", "5", "-verify_return_error", "-tls1_3", "-www",
                ], logPath: world.workspace.file("s_server.log"))
            try await world.workspace.processes.start(server)

            var plan = try Proxy.Plan(mesh: "payments", service: "web")
            let call = try plan.call(port: port, identity: "spiffe://payments/openssl")
            _ = try await world.start(plan)

            let page = try await eventually(within: .seconds(10), "a page of openssl s_server through Envoy") {
                let answer = try await HTTP.fetch("http://127.0.0.1:\(call)/")
                return answer.status == 200 ? answer.body : nil
            }
            let shown = try await WireCertificate.all(in: page)
            let leaf = try #require(shown.first { $0.uris == ["spiffe://payments/web"] }, "\(page)")
            #expect(leaf.isIn(try await world.certificates(of: "payments")))
        }
    }

    @Test func `an Envoy of another mesh is refused in both directions, and Envoy's statistics name the reason`() async throws {
        try await World.open("foreign") { world in
            try await world.makeMesh("red")
            try await world.makeMesh("blue")
            var red = try Proxy.Plan(mesh: "red", service: "app")
            var blue = try Proxy.Plan(mesh: "blue", service: "app")
            try red.call(blue)
            try blue.call(red)
            let proxies = [try await world.start(red), try await world.start(blue)]

            for proxy in proxies {
                await #expect(throws: (any Error).self) {
                    _ = try await HTTP.fetch("http://127.0.0.1:\(proxy.plan.calls[0].listen)/")
                }
                let refusals = try await eventually(within: .seconds(5), "Envoy's statistics of the refusal") {
                    let count = try await proxy.envoy.outbound("ssl.fail_verify_error", excluding: Proxy.secretsCluster)
                    return count > 0 ? count : nil
                }
                #expect(refusals > 0)
                #expect(try await proxy.envoy.outbound("ssl.handshake", excluding: Proxy.secretsCluster) == 0)
            }
        }
    }

    @Test func `a client of another mesh that trusts everyone is refused by the server alone`() async throws {
        try await World.open("inbound") { world in
            try await world.makeMesh("red")
            try await world.makeMesh("blue")
            let red = try await world.start(try Proxy.Plan(mesh: "red", service: "app"))
            let own = try await world.fetchIdentity(
                token: try await world.makeToken("own.token", mesh: "red", service: "caller"), named: "own")
            let foreign = try await world.fetchIdentity(
                token: try await world.makeToken("foreign.token", mesh: "blue", service: "caller"), named: "foreign")

            let accepted = try await world.request(red.plan.inbound, with: own)
            #expect(accepted.output.contains("red-app"), "\(accepted)")
            #expect(try await red.envoy.inbound("ssl.fail_verify_error") == 0)

            let refused = try await world.request(red.plan.inbound, with: foreign)
            #expect(!refused.output.contains("red-app"), "\(refused)")
            try await eventually(within: .seconds(5), "the refusal in Envoy's statistics") {
                try await red.envoy.inbound("ssl.fail_verify_error") == 1
            }

            _ = try await Tool.openssl.run(["s_client", "-connect", "127.0.0.1:\(red.plan.inbound)", "-tls1_3"], input: "\n")
            try await eventually(within: .seconds(5), "the refusal of a client without a certificate") {
                try await red.envoy.inbound("ssl.fail_verify_no_cert") == 1
            }
        }
    }
}

/// The files of an identity that a client without Envoy fetched.
struct FetchedIdentity: Sendable {
    /// Leaf, then issuing certificate.
    let chain: String
    let key: String
    /// The roots of its mesh.
    let roots: String
}

extension World {
    /// An identity over `FetchSecrets`, as files for openssl.
    func fetchIdentity(token: String, named name: String) async throws -> FetchedIdentity {
        let common = ["--address", "localhost:\(signet.sdsPort)", "--ca", signet.authorityFile, "--token-file", token]
        let key = workspace.file("\(name).key.pem")
        let identity = try await sdsClient(common + ["--key-out", key, "fetch", "default"])
        let trust = try await sdsClient(common + ["fetch", "ROOTCA"])
        guard identity.status == 0, trust.status == 0 else {
            throw ChildProcess.Failure(name: "sds_client.py", detail: "\(identity)\n\(trust)")
        }
        return FetchedIdentity(
            chain: try workspace.write(identity.output, to: "\(name).chain.pem"), key: key,
            roots: try workspace.write(trust.output, to: "\(name).roots.pem"))
    }

    /// An HTTP request over mTLS by openssl, which shows its certificate and accepts whatever the server shows.
    func request(_ port: Int, with identity: FetchedIdentity) async throws -> Tool.Result {
        try await Tool.openssl.run(
            [
                "s_client", "-connect", "127.0.0.1:\(port)", "-cert", identity.chain, "-cert_chain", identity.chain,
                "-key", identity.key, "-tls1_3", "-ign_eof",
            ], input: "GET / HTTP/1.1\r\nhost: app\r\nconnection: close\r\n\r\n")
    }
}
