import Foundation
import TestSupport
import Testing

/// Proxies that do not follow.
@Suite(.serialized, .timeLimit(.minutes(4))) struct HeldGateTests {
    @Test func `who never acknowledges and who rejects hold each gate by name, and a forced advance leaves exactly them behind`()
        async throws
    {
        try await World.open("held", settings: ["sds.ackTimeout": "1s"]) { world in
            try await world.makeMesh("red")
            let pair = try await world.startPair(in: "red")
            for (name, then) in [("mute", "mute"), ("broken", "nack")] {
                try await world.startClient(name, in: "red", accepting: ["default", "ROOTCA"], then: then)
            }
            try await world.waitForConnected(["red-web", "red-api", "mute", "broken"], in: "red")

            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await world.signet.command("ca", "rotate", "--mesh", "red", "--retire-after", "reissued")
                let id = try await world.runningRotation().id
                for (phase, next) in [("distributing", "issuing"), ("issuing", "withdrawing"), ("withdrawing", "completed")] {
                    let gate = try await world.waitForHeldGate(of: id, in: phase)
                    #expect(gate.pending == 2 && gate.settled >= 2, "\(phase): \(gate)")
                    let reasons = Dictionary(grouping: gate.blockers, by: \.proxy).mapValues { Set($0.map(\.reason)) }
                    #expect(reasons == ["mute": ["silent"], "broken": ["rejected"]], "\(phase): \(gate)")
                    #expect(
                        gate.blockers.contains { $0.proxy == "broken" && $0.detail.contains("not this one") },
                        "in its own words: \(gate)")

                    // Longer than the dwell, with everybody else settled.
                    try await traffic.waitForSuccesses(100)
                    #expect(try await world.rotation(id).phase == phase)
                    let refused = try await world.signet.commandLine.run(["rotation", "advance", id])
                    #expect(refused.status == 1 && refused.errors.contains("2"), "\(refused)")
                    let reasonless = try await world.signet.commandLine.run(["rotation", "advance", id, "--force"])
                    #expect(reasonless.status != 0 && reasonless.errors.contains("reason"), "\(reasonless)")
                    let status = try await world.signet.command("rotation", "status", id)
                    #expect(status.contains("mute") && status.contains("not this one"), "\(status)")

                    let answer = try await world.adminRequest(
                        "POST", "/rotations/\(id)/advance",
                        body: #"{"force": true, "reason": "rack 7 is on fire in \#(phase)"}"#)
                    let forced = try JSONDecoder().decode(RotationReport.self, from: Data(answer.utf8))
                    #expect(forced.phase == next, "\(answer)")
                    #expect(Set(forced.leftBehind?.map(\.proxy) ?? []) == ["mute", "broken"], "\(answer)")
                    #expect(forced.leftBehind?.count == 2, "\(answer)")
                    try await world.waitForAudit("rack 7 is on fire in \(phase)")
                }
                #expect(try await world.audit().contains("rotation-forced"))
                let forced = try await world.rotation(id).events?.filter { $0.event == "forced" } ?? []
                #expect(forced.count == 3 && forced.allSatisfy { $0.detail.contains("mute") }, "\(forced)")
                try await traffic.waitForSuccesses(50)
            }

            #expect(report.failed == 0, "who followed lost nothing: \(report)")
        }
    }
}

extension World {
    /// Starts an SDS client that accepts each of `names` once and then does `then`: `mute`, or `nack`.
    @discardableResult func startClient(
        _ name: String, in mesh: String, accepting names: [String], then: String
    ) async throws -> ChildProcess {
        let token = try await makeToken(name, mesh: mesh, service: name)
        let client = ChildProcess(
            name: "sds_client.py \(name)", executable: Repository.path(".venv/bin/python"),
            arguments: [Repository.path("Tests/EndToEndTests/sds_client.py")] + sdsArguments(token: token)
                + ["--node", name, "--then", then, "--message", "not this one", "hold"] + names,
            logPath: workspace.file("\(name).log"))
        try await workspace.processes.start(client)
        return client
    }

    /// Waits until nobody but the two holds the gate, each for the reason that stays.
    fileprivate func waitForHeldGate(of id: String, in phase: String) async throws -> RotationReport.Gate {
        try await eventually(within: .seconds(40), "the gate of \(phase) to be held by two", every: .milliseconds(200)) {
            let rotation = try await rotation(id)
            guard rotation.phase == phase, let gate = rotation.gate, !gate.open, gate.pending == 2,
                gate.blockers.allSatisfy({ ["silent", "rejected"].contains($0.reason) })
            else { return nil as RotationReport.Gate? }
            return gate
        }
    }
}
