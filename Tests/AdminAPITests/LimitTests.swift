import AdminAPI
import Authority
import AuthorityService
import Hummingbird
import TestSupport
import Testing

/// 429 and when to come again, over a real connection.
@Suite struct LimitTests {
    private static func settings(_ change: (inout AdmissionRates) -> Void) -> AuthoritySettings {
        var settings = AuthoritySettings()
        change(&settings.rates)
        return settings
    }

    /// Checks that it is a problem for `limit`, and gives its delay.
    private static func delay(_ answer: AdminBench.Answer, _ limit: AdmissionLimit) throws -> Duration {
        #expect(answer.status == 429)
        #expect(answer.headers[.contentType] == "application/problem+json")
        let problem = try #require(answer.problem)
        #expect(problem.status == 429 && problem.title == "Too Many Requests" && problem.reason == limit.rawValue)
        #expect(problem.instance == answer.requestID)
        return .seconds(try #require(answer.headers[.retryAfter].flatMap { Int($0) }))
    }

    @Test func `one write more than a token may is 429, reads and other tokens go on, and after the delay it is done`()
        async throws
    {
        let settings = Self.settings { $0.writesPerToken = .fixed(3, perSecond: 1) }
        try await AdminBench.run(.live, settings: settings) { bench in
            for name in ["a", "b", "c"] { #expect(try await bench.putMesh(name).status == 201) }
            let refused = try await bench.putMesh("d")
            let delay = try Self.delay(refused, .writesPerToken)
            #expect(delay == .seconds(1))
            #expect(try await bench.send(.get, "/meshes/d").status == 404, "nothing was done")
            #expect(try await bench.send(.delete, "/meshes/a").status == 429)
            let other = try await bench.userToken(.admin)
            let written = try await bench.send(
                .put, "/meshes/e", token: other, type: "application/json", body: AdminBench.mesh("e"))
            #expect(written.status == 201)
            bench.clock.advance(by: delay)
            #expect(try await bench.putMesh("d").status == 201)
        }
    }

    @Test func `who may not write is told so, and costs the rate nothing`() async throws {
        let settings = Self.settings { $0.writesPerToken = .fixed(1, perSecond: 1) }
        try await AdminBench.run(.live, settings: settings) { bench in
            let viewer = try await bench.userToken(.viewer)
            for _ in 0..<5 {
                let answer = try await bench.send(
                    .put, "/meshes/a", token: viewer, type: "application/json", body: AdminBench.mesh("a"))
                #expect(answer.status == 403)
            }
        }
    }

    @Test func `after too many refused credentials an address is not listened to, until the delay is over`() async throws {
        let settings = Self.settings {
            $0.refusalsPerAddress = .fixed(2, perSecond: 1)
            $0.newcomers = .fixed(1, perSecond: 1)
        }
        try await AdminBench.run(.live, settings: settings) { bench in
            #expect(try await bench.send(.get, "/").status == 200)
            for _ in 0..<3 { #expect(try await bench.send(.get, "/", token: "nonsense").status == 401) }
            let delay = try Self.delay(try await bench.send(.get, "/", token: "nonsense"), .refusalsPerAddress)
            let unknown = try await bench.userToken(.viewer)
            _ = try Self.delay(try await bench.send(.get, "/", token: unknown), .refusalsPerAddress)
            #expect(try await bench.send(.get, "/").status == 200, "it was good before")
            bench.clock.advance(by: delay)
            #expect(try await bench.send(.get, "/", token: unknown).status == 200)
        }
    }

    @Test func `one signing request more than a proxy may send is 429, and after the delay it is signed`() async throws {
        let settings = Self.settings { $0.leavesPerProxy = .fixed(2, perSecond: 1) }
        try await AdminBench.run(.live, settings: settings) { bench in
            let token = try await bench.dataplaneToken()
            func sign() async throws -> AdminBench.Answer {
                try await bench.send(
                    .post, "/meshes/default/certificates", token: token, type: "application/x-pem-file", body: AdminBench.csr)
            }
            for _ in 0..<2 { #expect(try await sign().status == 200) }
            let issued = bench.ledger.count(of: .record)
            let delay = try Self.delay(try await sign(), .leavesPerProxy)
            #expect(bench.ledger.count(of: .record) == issued)
            bench.clock.advance(by: delay)
            #expect(try await sign().status == 200)
        }
    }

    @Test func `while as many requests as may be are under way, the next is told to come again`() async throws {
        let settings = AuthoritySettings()
        try await AdminBench.run(.live, settings: settings, mostRunning: 0) { bench in
            let refused = try await bench.send(.get, "/meshes")
            #expect(try Self.delay(refused, .adminRequests) == .seconds(1))
        }
        try await AdminBench.run(.live, settings: settings, mostRunning: 1) { bench in
            for _ in 0..<5 {
                let (known, unknown) = (try await bench.send(.get, "/meshes"), try await bench.send(.get, "/meshes/none"))
                #expect(known.status == 200 && unknown.status == 404)
            }
        }
    }
}
