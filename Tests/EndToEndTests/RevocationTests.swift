import Foundation
import TestSupport
import Testing

/// A credential that is taken back.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RevocationTests {
    @Test func `a revoked token ends its proxy's streams and is refused from then on; the other proxy stays`() async throws {
        try await World.open("revoke") { world in
            try await world.makeMesh("payments")
            let pair = try await world.startPair(in: "payments")
            try await world.waitForConnected(["payments-web", "payments-api"], in: "payments")
            let tokens = try await world.signet.json(Listing<TokenReport>.self, "get", "tokens").items
            let token = try #require(tokens.first { $0.name == "payments-web" }, "\(tokens)")

            try await world.signet.command("token", "revoke", token.id)

            try await eventually(within: .seconds(10), "the end of the streams of web") {
                try await world.proxies(of: "payments").allSatisfy { $0.name != "payments-web" || !$0.connected }
            }
            #expect(try await world.proxies(of: "payments").contains { $0.name == "payments-api" && $0.connected })
            let file = world.workspace.file(pair.web.tokenFile)
            let refused = try await world.sdsClient(world.sdsArguments(token: file) + ["fetch", "default"])
            #expect(refused.status != 0 && "\(refused)".contains("UNAUTHENTICATED"), "\(refused)")
            try await world.waitForAudit("token-revoked")
        }
    }

    @Test func `a revoked identity is refused with its token and with its certificate`() async throws {
        try await World.open("identity") { world in
            try await world.makeMesh("payments")
            let token = try await world.makeToken("web.token", mesh: "payments", service: "web")
            let identity = try await world.fetchIdentity(token: token, named: "web")
            let before = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "ROOTCA"])
            #expect(before.status == 0, "\(before)")

            try await world.signet.command("identity", "revoke", "spiffe://payments/web")

            let byToken = try await world.sdsClient(world.sdsArguments(token: token) + ["fetch", "default"])
            #expect(byToken.status != 0 && "\(byToken)".contains("UNAUTHENTICATED"), "\(byToken)")
            let byCertificate = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "ROOTCA"])
            #expect(byCertificate.status != 0, "\(byCertificate)")
            try await world.waitForAudit("identity-revoked")
        }
    }
}

/// A row of `signet get tokens -o json`.
struct TokenReport: Decodable, Sendable {
    let id: String
    let name: String
}

extension World {
    /// The independent client's arguments for the door with a client certificate.
    func mtlsArguments(_ identity: FetchedIdentity) -> [String] {
        [
            "--address", "localhost:\(signet.mtlsPort)", "--ca", signet.authorityFile, "--cert", identity.chain, "--key",
            identity.key,
        ]
    }
}
