import Foundation
import TestSupport
import Testing

/// A root is compromised: two Envoys and a hundred simulated proxies under it.
@Suite(.serialized, .timeLimit(.minutes(4))) struct CompromiseTests {
    /// Simulated proxies, each with a node and a connection of its own.
    private static let crowd = 100

    @Test func `once the command that revokes a root returns, nobody holds it, and what it signed is refused`()
        async throws
    {
        try await World.open("compromise") { world in
            try await world.applyCorp()
            try await world.makeMesh("red", under: "corp", leafLife: "1h")
            let pair = try await world.startPair(in: "red")
            let crowd = try await world.startCrowd(Self.crowd)
            let old = try await world.activeRoot(of: "corp")
            let stolen = try await world.fetchIdentity(
                token: try await world.makeToken("stolen.token", mesh: "red", service: "stolen"), named: "stolen")
            try await eventually(within: .seconds(60), "a crowd with its secrets", every: .milliseconds(200)) {
                try world.held(by: crowd).count == Self.crowd
            }
            try await world.waitForConnected(["red-web", "red-api"], in: "red")
            let digest = try await Self.digest(of: old.certificate)
            #expect(try world.held(by: crowd).values.allSatisfy { $0 == [digest] })
            #expect(try await world.request(pair.api.plan.inbound, with: stolen).output.contains(pair.api.plan.name))
            let door = try await world.sdsClient(world.mtlsArguments(stolen) + ["fetch", "ROOTCA"])
            #expect(door.status == 0, "\(door)")
            let refusals = try await pair.api.envoy.inbound("ssl.fail_verify_error")

            let started = ContinuousClock.now
            let revoked = try await world.signet.commandLine.run(
                ["ca", "revoke", "corp", "--issuer", old.id, "--reason", "the key was found on a disk"], within: .seconds(90))
            let took = ContinuousClock.now - started

            #expect(revoked.status == 0, "\(revoked)")
            #expect(revoked.output.contains(old.id) && revoked.output.contains("drain_listeners"), "\(revoked)")
            print("revoked for \(Self.crowd + 2) proxies in \(took)\n\(revoked.output)")
            let held = try world.held(by: crowd)
            #expect(held.count == Self.crowd && held.values.allSatisfy { !$0.contains(digest) }, "\(held)")
            let new = try await world.activeRoot(of: "corp")
            try await world.expectOnly(new, in: [pair.web, pair.api], insteadOf: [old])

            let answer = try await world.request(pair.api.plan.inbound, with: stolen)
            #expect(!answer.output.contains(pair.api.plan.name), "\(answer)")
            try await eventually(within: .seconds(5), "the refusal in Envoy's statistics") {
                try await pair.api.envoy.inbound("ssl.fail_verify_error") > refusals
            }
            let shut = try await world.sdsClient(world.mtlsArguments(stolen) + ["fetch", "ROOTCA"])
            #expect(shut.status != 0, "\(shut)")
            let (_, report) = try await Traffic.run(to: world.targets(pair)) { try await $0.waitForSuccesses(100) }
            #expect(report.failed == 0, "under the new root everything goes on: \(report)")

            try await world.waitForAudit("issuer-revoked")
            #expect(try await world.audit().contains("the key was found on a disk"))
            #expect(try await world.rotations().map(\.phase) == ["completed"])
            let again = try await world.signet.commandLine.run(
                ["ca", "revoke", "corp", "--issuer", old.id, "--reason", "once more"])
            #expect(again.status == 1 && again.errors.contains("revoked already"), "\(again)")
        }
    }

    private static func digest(of certificate: String) async throws -> String {
        let text = try await Tool.openssl.output(["x509", "-noout", "-fingerprint", "-sha256"], input: certificate)
        return text.components(separatedBy: "=")[1].filter(\.isHexDigit).lowercased()
    }
}

extension World {
    /// Starts that many simulated proxies of `red`, in one process.
    fileprivate func startCrowd(_ count: Int) async throws -> ChildProcess {
        // Without a name in it a token stands for each node that shows it.
        let token = try await signet.command("token", "dataplane", "--mesh", "red", "--tag", "kuma.io/service=crowd")
        let file = try workspace.write(token, to: "crowd.token")
        let crowd = ChildProcess(
            name: "sds_client.py crowd", executable: Repository.path(".venv/bin/python"),
            arguments: [Repository.path("Tests/EndToEndTests/sds_client.py")] + sdsArguments(token: file)
                + ["--node", "crowd", "--count", "\(count)", "crowd", "default", "ROOTCA"],
            logPath: workspace.file("crowd.log"))
        try await workspace.processes.start(crowd)
        return crowd
    }

    /// The digests of the roots in the bundle that each of the crowd acknowledged last.
    fileprivate func held(by crowd: ChildProcess) throws -> [String: Set<String>] {
        if let end = crowd.end { throw ChildProcess.Failure(name: crowd.name, detail: "ended with \(end): \(crowd.log)") }
        var held: [String: Set<String>] = [:]
        // The last line may still be on its way.
        for line in crowd.log.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            let words = line.split(separator: " ").map(String.init)
            guard words.first == "acked" else { throw ChildProcess.Failure(name: crowd.name, detail: String(line)) }
            if words[2] == "ROOTCA" { held[words[1]] = Set(words.dropFirst(3)) }
        }
        return held
    }
}
