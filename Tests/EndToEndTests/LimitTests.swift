import Foundation
import TestSupport
import Testing

/// A client that takes what it can, beside proxies that need what is theirs.
@Suite(.serialized, .timeLimit(.minutes(4))) struct LimitTests {
    @Test func `beside a client that floods every limit two Envoys renew and exchange requests without a failure`() async throws {
        let settings = [
            "limits.leavesPerProxy": "20+1/s", "limits.leavesPerIdentity": "60+2/s", "limits.refusalsPerAddress": "20+5/s",
            "limits.newcomers": "20+5/s",
        ]
        try await World.open("limits", settings: settings) { world in
            try await world.makeMesh("brief", leafLife: "20s")
            let pair = try await world.startPair(in: "brief")
            let token = try await world.makeToken("noise", mesh: "brief", service: "noise")
            let noise = ChildProcess(
                name: "sds_client.py noise", executable: Repository.path(".venv/bin/python"),
                arguments: [Repository.path("Tests/EndToEndTests/sds_client.py")] + world.sdsArguments(token: token)
                    + ["--node", "noise", "--count", "200", "--seconds", "45", "noise", "default"],
                logPath: world.workspace.file("noise.log"))

            let started = ContinuousClock.now
            let (_, report) = try await Traffic.run(to: world.targets(pair)) { traffic in
                try await world.workspace.processes.start(noise)
                try await eventually(within: .seconds(20), "the noise") { noise.log.contains("making noise") }
                var before: [String: Int] = [:]
                for service in ["web", "api"] { before[service] = try await world.countOfLeaves(of: service, in: "brief") }
                try await eventually(within: .seconds(90), "two renewals of both proxies", every: .milliseconds(500)) {
                    if let end = noise.end { throw ChildProcess.Failure(name: noise.name, detail: "\(end): \(noise.log)") }
                    for service in ["web", "api"] {
                        guard try await world.countOfLeaves(of: service, in: "brief") >= before[service, default: 0] + 2 else {
                            return false
                        }
                    }
                    return true
                }
                try await traffic.waitForSuccesses(20)
                #expect(try await noise.waitForEnd(within: .seconds(100)) == .exited(0), "\(noise.log)")
            }
            let seconds = Int((ContinuousClock.now - started) / .seconds(1)) + 1

            #expect(report.failed == 0, "\(report)")
            let counts = Self.counts(in: noise.log)
            print("beside \(report): \(counts)")
            let metrics = try await world.signet.metrics()
            for limit in ["leaves-per-proxy", "leaves-per-identity", "refusals-per-address"] {
                #expect(counts["RESOURCE_EXHAUSTED \(limit)", default: 0] > 0, "\(limit): \(noise.log)")
                #expect(Self.limited(limit, in: metrics) > 0)
            }
            // The connections on which nothing was said.
            #expect(Self.limited("handshake-time", in: metrics) >= 200)
            #expect(noise.log.contains("granted after "), "\(noise.log)")
            // What the flood came to: the burst, and what the rate gives for as long as it went on.
            let issued = try await world.countOfLeaves(of: "noise", in: "brief")
            #expect(issued <= 60 + 2 * seconds, "\(issued) in \(seconds) s")
        }
    }

    /// How often a limit refused something, by the service's count.
    private static func limited(_ limit: String, in metrics: String) -> Double {
        let start = "signet_limited_total{limit=\"\(limit)\"} "
        let line = metrics.split(separator: "\n").first { $0.hasPrefix(start) }
        return line.flatMap { Double($0.dropFirst(start.count)) } ?? 0
    }

    /// How often each answer came, by the client's own count.
    private static func counts(in log: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        for line in log.split(separator: "\n") where line.hasPrefix("count ") {
            let words = line.split(separator: " ").dropFirst()
            guard let last = words.last, let count = Int(last) else { continue }
            counts[words.dropLast().joined(separator: " ")] = count
        }
        return counts
    }
}

extension World {
    /// How many leaves the ledger has of one service.
    fileprivate func countOfLeaves(of service: String, in mesh: String) async throws -> Int {
        struct Page: Decodable { var total: Int }
        let path = "/meshes/\(mesh)/certificates?kind=leaf&size=1&identity=spiffe://\(mesh)/\(service)"
        return try JSONDecoder().decode(Page.self, from: Data(try await adminRequest("GET", path).utf8)).total
    }
}
