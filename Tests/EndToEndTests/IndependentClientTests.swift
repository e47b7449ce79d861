import TestSupport
import Testing

/// Every form of the protocol by a client that shares no line with the service: Python's grpcio and Envoy's own messages.
@Suite(.serialized, .timeLimit(.minutes(3))) struct IndependentClientTests {
    @Test func `all four forms and ADS behave as Envoy's protocol says, at every door`() async throws {
        try await World.open("forms", unixSocket: true) { world in
            try await world.makeMesh("payments")
            try await world.makeMesh("orders")
            // The same checks at each door, at once, for they spend their time listening to silence.
            try await withThrowingTaskGroup(of: (door: String, result: Tool.Result).self) { group in
                for door in ["token", "mtls", "unix"] {
                    let token = try await world.makeToken("\(door).token", mesh: "payments", service: door)
                    let location =
                        switch door {
                        case "mtls": world.mtlsArguments(try await world.fetchIdentity(token: token, named: door))
                        case "unix": ["--unix", world.unixSocket, "--token-file", token]
                        default: world.sdsArguments(token: token) + ["--bearer"]
                        }
                    let checks = [
                        "--mesh", "payments", "--identity", "spiffe://payments/\(door)", "--other-mesh", "orders", "check",
                    ]
                    group.addTask { (door, try await world.sdsClient(location + checks, within: .seconds(150))) }
                }
                for try await (door, result) in group {
                    #expect(result.status == 0, "\(door): \(result)\n\(world.signet.log.suffix(3000))")
                    let passed = result.output.split(separator: "\n").filter { $0.hasPrefix("ok ") }
                    for form in [
                        "StreamSecrets", "DeltaSecrets", "FetchSecrets", "StreamAggregatedResources",
                        "DeltaAggregatedResources",
                    ] {
                        #expect(passed.contains { $0.hasPrefix("ok \(form) ") }, "\(door), \(form): \(result)")
                    }
                }
            }
        }
    }
}
