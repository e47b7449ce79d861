import Foundation
import TestSupport
import Testing

/// Two meshes that come to share a CA and part again, with real Envoys and traffic inside each throughout.
@Suite(.serialized, .timeLimit(.minutes(6))) struct SharingTests {
    @Test func `meshes accept each other while they share a CA, and no request inside either fails on the way in or out`()
        async throws
    {
        try await World.open("sharing") { world in
            for mesh in ["red", "blue"] { try await world.makeMesh(mesh, leafLife: "20s") }
            let (red, blue, ways) = try await world.startCrossing()
            let meshes = [red, blue]
            let before = try await world.handshakes(meshes)

            // Four targets, each 80 ms: 50 requests a second, each a handshake of its own.
            let targets = meshes.flatMap { world.targets($0) }
            let (_, report) = try await Traffic.run(to: targets, every: .milliseconds(80)) { traffic in
                try await traffic.waitForSuccesses(20)
                try await world.expect(ways, areOpen: false, reason: "no-door")

                try await world.signet.command("ca", "create", "corp", "--retire-after", "reissued")
                let alone = try await world.signet.command("ca", "share", "corp", "--mesh", "red", "--dry-run")
                #expect(!alone.contains("blue"), "\(alone)")
                try await world.signet.command("ca", "share", "corp", "--mesh", "red")
                try await world.waitForRotations()
                try await world.expect(ways, areOpen: false, reason: "no-door")

                let preview = try await world.signet.command("ca", "share", "corp", "--mesh", "blue", "--dry-run")
                #expect(preview.contains("red") && preview.contains("blue"), "\(preview)")
                try await world.signet.command("ca", "share", "corp", "--mesh", "blue")
                try await world.expect(ways, areOpen: false, reason: "moving")
                try await world.waitForRotations()
                try await world.waitUntil(ways, areOpen: true)
                try await world.expect(ways, areOpen: true, reason: "shared-ca")
                #expect(try await world.issuers(of: "corp").count == 1, "one root, one key, whoever shares it")
                for mesh in ["red", "blue"] {
                    let roots = try await world.roots(of: mesh)
                    #expect(roots == [try await world.issuers(of: "corp")[0].certificate], "the old root is in no bundle")
                }

                try await world.setIsolated(true, "red")
                try await world.waitUntil(ways, areOpen: false)
                try await world.expect(ways, areOpen: false, reason: "isolated")
                try await world.setIsolated(false, "red")
                try await world.waitUntil(ways, areOpen: true)

                let refused = try await world.signet.commandLine.run(["delete", "ca", "corp"])
                #expect(refused.status == 1 && refused.errors.contains("red") && refused.errors.contains("blue"), "\(refused)")

                try await world.signet.command("ca", "unshare", "corp", "--mesh", "blue")
                try await world.waitUntil(ways, areOpen: false)
                try await world.waitForRotations()
                try await world.expect(ways, areOpen: false, reason: "no-door")
                let corp = try await world.issuers(of: "corp")[0].certificate
                #expect(try await !world.roots(of: "blue").contains(corp), "the shared root is withdrawn")
                #expect(try await world.roots(of: "red") == [corp])
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "\(report)")
            let after = try await world.handshakes(meshes)
            #expect(after - before >= report.total, "every request is a handshake of its own")
        }
    }

    @Test func `going back while a mesh is on its way to another CA leaves it as it was, without a failed request`() async throws
    {
        try await World.open("back") { world in
            try await world.makeMesh("red", leafLife: "20s")
            try await world.signet.command("ca", "create", "corp")
            let pair = try await world.startPair(in: "red")
            let own = try await world.roots(of: "red")
            let (_, report) = try await Traffic.run(to: world.targets(pair), every: .milliseconds(40)) { traffic in
                try await traffic.waitForSuccesses(20)
                try await world.signet.command("ca", "share", "corp", "--mesh", "red")
                try await eventually(within: .seconds(30), "leaves of the shared CA") {
                    try await world.rotations().contains { $0.phase == "issuing" }
                }
                let again = try await world.signet.commandLine.run(["ca", "create", "other"])
                #expect(again.status == 0, "\(again)")
                let other = try await world.signet.commandLine.run(["ca", "share", "other", "--mesh", "red"])
                #expect(other.status == 1, "a mesh moves once at a time: \(other)")
                let elsewhere = """
                    type: Mesh
                    name: red
                    mtls: {enabledBackend: other, backends: [{name: other, type: shared, conf: {authority: other}}]}
                    """
                let third = try await world.signet.commandLine.run(["apply", "--leave", "-f", "-"], input: elsewhere)
                #expect(third.status == 1 && third.errors.contains("rot-"), "the rotation that runs is named: \(third)")

                try await world.signet.command("ca", "unshare", "corp", "--mesh", "red")
                try await world.waitForRotations()
                #expect(try await world.rotations().map(\.phase) == ["aborted"])
                #expect(try await world.roots(of: "red") == own)
                try await traffic.waitForSuccesses(50)
            }
            #expect(report.failed == 0, "\(report)")
        }
    }
}

/// Two services of one mesh that call each other.
private typealias Pair = (web: Proxy, api: Proxy)

/// From a service of one mesh to one of the other: the local port that leads there.
private struct Way: Sendable {
    let port: Int
    let from: Proxy.Plan
    let to: Proxy.Plan
}

extension World {
    fileprivate func setIsolated(_ isIsolated: Bool, _ mesh: String) async throws {
        let text = try await signet.command("get", "mesh", mesh, "-o", "json")
        var document = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        document["isolated"] = isIsolated
        let changed = try JSONSerialization.data(withJSONObject: document)
        try await signet.command("apply", "-f", "-", input: String(decoding: changed, as: UTF8.self))
    }

    /// `web` and `api` of both meshes; each `web` also calls the other mesh's `api`.
    fileprivate func startCrossing() async throws -> (red: Pair, blue: Pair, ways: [Way]) {
        var (redWeb, redAPI) = (try Proxy.Plan(mesh: "red", service: "web"), try Proxy.Plan(mesh: "red", service: "api"))
        var (blueWeb, blueAPI) = (try Proxy.Plan(mesh: "blue", service: "web"), try Proxy.Plan(mesh: "blue", service: "api"))
        try redWeb.call(redAPI)
        try redAPI.call(redWeb)
        try blueWeb.call(blueAPI)
        try blueAPI.call(blueWeb)
        let ways = [
            Way(port: try redWeb.call(blueAPI), from: redWeb, to: blueAPI),
            Way(port: try blueWeb.call(redAPI), from: blueWeb, to: redAPI),
        ]
        let red = (web: try await start(redWeb), api: try await start(redAPI))
        let blue = (web: try await start(blueWeb), api: try await start(blueAPI))
        return (red, blue, ways)
    }

    fileprivate func handshakes(_ meshes: [Pair]) async throws -> Int {
        var count = 0
        for proxy in meshes.flatMap({ [$0.web, $0.api] }) { count += try await proxy.handshakes().outbound }
        return count
    }

    fileprivate func passes(_ way: Way) async throws -> Bool {
        let answer = try await Tool("curl", install: "apt-get install curl").run([
            "--silent", "--no-keepalive", "--max-time", "10", "http://127.0.0.1:\(way.port)/",
        ])
        // 28 is the time limit: an answer that never comes is neither open nor shut.
        #expect(answer.status != 28, "\(answer)")
        return answer.status == 0 && answer.output == way.to.name + "\n"
    }

    fileprivate func waitUntil(_ ways: [Way], areOpen: Bool) async throws {
        for way in ways {
            try await eventually(within: .seconds(10), "\(way.from.name) to \(way.to.name) to be \(areOpen ? "open" : "shut")") {
                try await passes(way) == areOpen
            }
        }
    }

    /// The Envoys and `trust check` agree, both ways.
    fileprivate func expect(_ ways: [Way], areOpen: Bool, reason: String) async throws {
        for way in ways {
            for _ in 0..<3 { #expect(try await passes(way) == areOpen, "\(way)") }
            let check = try await signet.commandLine.run([
                "trust", "check", "--from", way.from.identity, "--to", way.to.identity,
            ])
            #expect(check.status == (areOpen ? 0 : 1), "\(check)")
            #expect(check.output.hasPrefix((areOpen ? "accepted: " : "refused: ") + reason + ": "), "\(check)")
        }
    }
}
