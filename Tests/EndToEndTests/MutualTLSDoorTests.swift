import Foundation
import TestSupport
import Testing

/// The door that takes an identity certificate as the credential.
@Suite(.serialized, .timeLimit(.minutes(2))) struct MutualTLSDoorTests {
    @Test func `an identity certificate opens the door, and its renewal inherits the token that it descends from`() async throws {
        try await World.open("mtls") { world in
            try await world.makeMesh("payments")
            let token = try await world.makeToken("web.token", mesh: "payments", service: "web")
            let identity = try await world.fetchIdentity(token: token, named: "web")

            let renewed = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "default"])
            #expect(renewed.status == 0, "\(renewed)")
            let leaf = try #require(try await WireCertificate.all(in: renewed.output).first)
            #expect(leaf.uris == ["spiffe://payments/web"])
            #expect(leaf.isIn(try await world.certificates(of: "payments")))

            let jti = try #require(try await world.signet.json(Listing<TokenReport>.self, "get", "tokens").items.first)
            try await world.signet.command("token", "revoke", jti.id)
            let refused = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "default"])
            #expect(refused.status != 0, "a certificate falls with the token that it descends from: \(refused)")
            try await world.waitForAudit("token-revoked")
        }
    }

    @Test func `a foreign CA, an expired leaf, a broken chain and no certificate are refused with the reason`() async throws {
        try await World.open("doors") { world in
            try await world.makeMesh("payments")
            try await world.makeMesh("brief", leafLife: "10s")
            let token = try await world.makeToken("web.token", mesh: "payments", service: "web")
            let identity = try await world.fetchIdentity(token: token, named: "web")
            let brief = try await world.fetchIdentity(
                token: try await world.makeToken("brief.token", mesh: "brief", service: "web"), named: "brief")
            let end = ContinuousClock.now + .seconds(11)

            let foreign = try await world.forge(identity: "spiffe://payments/web", named: "foreign")
            try await refuse(foreign, reason: "untrusted-root", in: world)

            let stranger = try await world.forge(identity: "spiffe://elsewhere/web", named: "stranger")
            try await refuse(stranger, reason: "unknown-trust-domain", in: world)

            let chain = try String(contentsOfFile: identity.chain, encoding: .utf8)
            let marker = "-----END CERTIFICATE-----\n"
            let leaf = try world.workspace.write(chain.components(separatedBy: marker)[0] + marker, to: "alone.pem")
            try await refuse(
                FetchedIdentity(chain: leaf, key: identity.key, roots: identity.roots), reason: "untrusted-root", in: world)

            try await ContinuousClock().sleep(until: end)
            try await refuse(brief, reason: "expired", in: world)

            let none = try await world.sdsClient(
                ["--address", "localhost:\(world.signet.mtlsPort)", "--ca", world.signet.authorityFile, "--token-file", token]
                    + ["fetch", "default"])
            #expect(none.status != 0, "a token does not replace the certificate on this door: \(none)")

            let accepted = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "ROOTCA"])
            #expect(accepted.status == 0, "the door still works: \(accepted)")
        }
    }

    @Test func `a certificate of one mesh neither reads another mesh nor agrees with its token`() async throws {
        try await World.open("cross") { world in
            try await world.makeMesh("red")
            try await world.makeMesh("blue")
            let red = try await world.fetchIdentity(
                token: try await world.makeToken("red.token", mesh: "red", service: "web"), named: "red")
            let blueToken = try await world.makeToken("blue.token", mesh: "blue", service: "web")

            let both = try await world.sdsClient(world.mtlsArguments(red) + ["--token-file", blueToken, "fetch", "default"])
            #expect(both.status != 0, "\(both)")
            try await world.waitForAudit("credentials-disagree")

            let peek = try await world.sdsClient(world.mtlsArguments(red) + ["fetch", "mesh_ca:secret:blue"])
            #expect(!peek.output.contains("BEGIN CERTIFICATE"), "\(peek)")
        }
    }

    /// Checks that the chain is refused, and that log and audit trail name the reason.
    private func refuse(_ identity: FetchedIdentity, reason: String, in world: World) async throws {
        let lines = world.signet.log.components(separatedBy: reason).count
        let refused = try await world.sdsClient(world.mtlsArguments(identity) + ["fetch", "default"])
        #expect(refused.status != 0, "\(reason): \(refused)")
        try await eventually(within: .seconds(5), "'\(reason)' in the log") {
            world.signet.log.components(separatedBy: reason).count > lines
        }
        try await world.waitForAudit(reason)
    }
}

extension World {
    /// A leaf and its root as anyone can make them with openssl, for an identity that was never granted.
    func forge(identity: String, named name: String) async throws -> FetchedIdentity {
        let file = { (suffix: String) in workspace.file("\(name).\(suffix)") }
        let settings = try workspace.write(
            """
            basicConstraints = critical, CA:FALSE
            keyUsage = critical, digitalSignature
            extendedKeyUsage = serverAuth, clientAuth
            subjectAltName = critical, URI:\(identity)
            """, to: "\(name).cnf")
        try await Tool.openssl.output([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Signet/CN=root x",
            "-keyout", file("root.key"), "-out", file("roots.pem"), "-days", "2",
        ])
        try await Tool.openssl.output([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/", "-keyout", file("key.pem"),
            "-out", file("csr"),
        ])
        try await Tool.openssl.output([
            "x509", "-req", "-in", file("csr"), "-CA", file("roots.pem"), "-CAkey", file("root.key"), "-CAcreateserial",
            "-days", "1", "-extfile", settings, "-out", file("leaf.pem"),
        ])
        let leaf = try String(contentsOfFile: file("leaf.pem"), encoding: .utf8)
        let root = try String(contentsOfFile: file("roots.pem"), encoding: .utf8)
        return FetchedIdentity(
            chain: try workspace.write(leaf + root, to: "\(name).chain.pem"), key: file("key.pem"), roots: file("roots.pem"))
    }
}
