import Foundation
import TestSupport
import Testing

/// A mesh that goes from one CA of its own to another while its proxies talk: leaves of 20 seconds, 50 requests a second.
@Suite(.serialized, .timeLimit(.minutes(6))) struct MoveTests {
    @Test func `another enabledBackend moves a mesh under traffic without a failed request, and nobody holds the old root`()
        async throws
    {
        try await World.open("move") { world in
            try await world.applyMesh("red", enabling: "ca-1", leafLife: "20s")
            let pair = try await world.startPair(in: "red")
            let old = try await world.roots(of: "red")
            let before = try await world.handshakes(pair)

            let (_, report) = try await Traffic.run(to: world.targets(pair), every: .milliseconds(40)) { traffic in
                try await traffic.waitForSuccesses(50)
                try await world.applyMesh("red", enabling: "ca-2", leafLife: "20s")
                try await world.waitForRotations()
                #expect(try await world.rotations().map(\.phase) == ["completed"])
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "\(report)")
            #expect(try await world.handshakes(pair) - before >= report.total, "every request is a handshake of its own")
            try await world.expectMoved("red", pair, from: old, to: "red.ca-2")
        }
    }

    @Test func `a proxy that never acknowledges holds a move by name, and no longer than its certificate lives once it is gone`()
        async throws
    {
        try await World.open("mute") { world in
            try await world.applyMesh("red", enabling: "ca-1", leafLife: "20s")
            let pair = try await world.startPair(in: "red")
            let old = try await world.roots(of: "red")
            let token = try await world.makeToken("mute", mesh: "red", service: "mute")
            let mute = ChildProcess(
                name: "sds_client.py mute", executable: Repository.path(".venv/bin/python"),
                arguments: [Repository.path("Tests/EndToEndTests/sds_client.py")] + world.sdsArguments(token: token)
                    + ["--node", "mute-node", "mute", "default", "ROOTCA"],
                logPath: world.workspace.file("mute.log"))
            try await world.workspace.processes.start(mute)
            try await eventually(within: .seconds(15), "secrets that are not acknowledged") {
                if let end = mute.end { throw ChildProcess.Failure(name: mute.name, detail: "ended with \(end): \(mute.log)") }
                return mute.log.contains("default") && mute.log.contains("ROOTCA")
            }

            let (_, report) = try await Traffic.run(to: world.targets(pair), every: .milliseconds(40)) { traffic in
                try await world.applyMesh("red", enabling: "ca-2", leafLife: "20s")
                let id = try #require(try await world.rotations().first).id
                let gate = try await eventually(within: .seconds(20), "nobody but the mute proxy in the gate") {
                    let rotation = try await world.rotation(id)
                    guard let gate = rotation.gate, gate.settled >= 2, gate.blockers.allSatisfy({ $0.node == "mute-node" }),
                        !gate.blockers.isEmpty
                    else { return nil as RotationReport.Gate? }
                    return gate
                }
                #expect(!gate.open && gate.pending == gate.blockers.count, "\(gate)")
                let blocker = try #require(gate.blockers.first)
                #expect(blocker.identity == "spiffe://red/mute" && blocker.proxy == "mute", "\(blocker)")
                #expect(["pending", "silent"].contains(blocker.reason), "\(blocker)")

                // Longer than everybody else together needed, and than the dwell.
                try await traffic.waitForSuccesses(200)
                let held = try await world.rotation(id)
                #expect(held.phase == "distributing" && held.gate?.open == false, "\(held)")

                mute.send(SIGKILL)
                try await mute.waitForEnd(within: .seconds(5))
                let until = try await eventually(within: .seconds(10), "the end of the mute proxy's certificate in the gate") {
                    let blockers = try await world.rotation(id).gate?.blockers ?? []
                    return blockers.first { $0.node == "mute-node" && $0.reason == "away" }?.until
                }
                let end = try Date(until, strategy: .iso8601)
                try await eventually(within: .seconds(40), "the move to go on", every: .milliseconds(100)) {
                    try await world.rotations().first?.phase != "distributing"
                }
                #expect(Date() >= end, "not before \(until)")
                #expect(Date() < end + 10, "and soon after \(until)")
                try await world.waitForRotations()
                #expect(try await world.rotations().map(\.phase) == ["completed"])
            }

            #expect(report.failed == 0, "\(report)")
            try await world.expectMoved("red", pair, from: old, to: "red.ca-2")
        }
    }

    @Test func `a kill -9 in distributing and another in issuing cost no request, and the move completes`() async throws {
        try await World.open("interrupted") { world in
            try await world.applyMesh("red", enabling: "ca-1", leafLife: "20s")
            let pair = try await world.startPair(in: "red")
            let old = try await world.roots(of: "red")

            let (_, report) = try await Traffic.run(to: world.targets(pair), every: .milliseconds(40)) { traffic in
                try await traffic.waitForSuccesses(50)
                try await world.applyMesh("red", enabling: "ca-2", leafLife: "20s")
                try await world.signet.kill()
                #expect(try await world.database.query("SELECT phase FROM rotation") == "distributing")
                try await world.signet.start()

                let id = try #require(try await world.rotations().first).id
                try await eventually(within: .seconds(60), "leaves of the new root") {
                    try await world.rotations().contains { $0.phase == "issuing" }
                }
                try await world.signet.kill()
                #expect(try await world.database.query("SELECT phase FROM rotation") == "issuing")
                try await world.signet.start()

                try await world.waitForRotations()
                let rotations = try await world.rotations()
                #expect(rotations.map(\.phase) == ["completed"] && rotations.map(\.id) == [id], "\(rotations)")
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "\(report)")
            try await world.expectMoved("red", pair, from: old, to: "red.ca-2")
        }
    }
}

extension World {
    fileprivate func handshakes(_ pair: (web: Proxy, api: Proxy)) async throws -> Int {
        try await pair.web.handshakes().inbound + pair.api.handshakes().inbound
    }

    /// The new root alone is in the bundle and in what the Envoys hold, and what they show chains to it.
    fileprivate func expectMoved(
        _ mesh: String, _ pair: (web: Proxy, api: Proxy), from old: [String], to authority: String
    ) async throws {
        let new = try await issuers(of: authority).map(\.certificate)
        #expect(new.count == 1 && new != old)
        #expect(try await roots(of: mesh) == new)
        let root = try workspace.write(new.joined(), to: "new.pem")
        for proxy in [pair.web, pair.api] {
            #expect(try await roots(heldBy: proxy.envoy) == Set(new), "\(proxy.plan.name)")
            let shown = try await Tool.openssl.run([
                "s_client", "-connect", "127.0.0.1:\(proxy.plan.inbound)", "-showcerts", "-tls1_3",
            ])
            let chain = try workspace.write(certificates(in: shown.output).joined(), to: "\(proxy.plan.name).chain.pem")
            let verdict = try await Tool.openssl.run(["verify", "-x509_strict", "-CAfile", root, "-untrusted", chain, chain])
            #expect(verdict.status == 0, "\(verdict)")
        }
    }
}
