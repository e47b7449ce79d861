import Authority
import AuthorityService
import EnvoyAPI
import GRPCCore
import PKI
import SDS
import Synchronization
import TestSupport
import Testing

/// The rates of what proxies ask for, over real HTTP/2.
@Suite struct SecretLimitTests {
    /// A clock that a test sets, so that no delay is slept through.
    private final class Clock: Sendable {
        private let time = Mutex(ServiceClock.system.now)

        var service: ServiceClock { ServiceClock { [self] in time.withLock { $0 } } }

        func advance(by duration: Duration) {
            time.withLock { $0 = $0 + duration }
        }
    }

    private static func settings(_ change: (inout AdmissionRates) -> Void) -> AuthoritySettings {
        var settings = AuthoritySettings()
        change(&settings.rates)
        return settings
    }

    /// The error that `body` ends with; nil: it succeeded.
    private static func failure(_ body: () async throws -> Void) async throws -> RPCError? {
        do {
            try await body()
            return nil
        } catch let error as RPCError {
            return error
        }
    }

    /// A stream until its first response.
    private static func open(
        _ server: SecretServer, _ token: String?, _ names: [String] = ["default"], node: String = "node-1"
    ) async throws -> RPCError? {
        try await failure {
            try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(names, node: node))
                var responses = talk.responses.makeAsyncIterator()
                _ = try #require(try await responses.next())
            }
        }
    }

    private static func fetch(_ server: SecretServer, _ token: String, _ names: [String] = ["default"]) async throws -> RPCError?
    {
        try await failure {
            _ = try await server.client.fetchSecrets(
                SecretServer.request(names), metadata: ["authorization": .string(token)])
        }
    }

    /// Checks that it says `RESOURCE_EXHAUSTED` for `limit`, and gives the delay that it tells in both forms.
    private static func delay(_ error: RPCError?, _ limit: AdmissionLimit) throws -> Duration {
        let error = try #require(error)
        #expect(error.code == .resourceExhausted)
        #expect(error.message.hasPrefix("\(limit.rawValue): "), "\(error.message)")
        let pushback = try #require(error.metadata[stringValues: "grpc-retry-pushback-ms"].first { _ in true })
        let milliseconds = try #require(Int64(pushback))
        let details = try #require(error.metadata[binaryValues: "grpc-status-details-bin"].first { _ in true })
        let status = try Google_Rpc_Status(serializedBytes: details)
        #expect(status.code == 8 && status.message == error.message)
        let detail = try #require(status.details.first)
        #expect(detail.typeURL == "type.googleapis.com/google.rpc.RetryInfo")
        let seconds = UInt8(milliseconds / 1000)
        #expect(milliseconds % 1000 == 0 && seconds < 128, "the test reads whole seconds")
        // Field 1 (retry_delay), a message with field 1 (seconds).
        #expect(Array(detail.value) == [0x0A, 0x02, 0x08, seconds])
        return .milliseconds(milliseconds)
    }

    @Test func `One leaf more than a proxy may ask for is refused with the delay, and granted after it`() async throws {
        let clock = Clock()
        let settings = Self.settings { $0.leavesPerProxy = .fixed(3, perSecond: 1) }
        try await SecretServer.run(settings: settings, clock: clock.service) { server in
            let token = try await server.token()
            for _ in 0..<3 { #expect(try await Self.open(server, token) == nil) }
            let issued = server.ledger.count(of: .record)
            let refused = try await Self.open(server, token)
            let delay = try Self.delay(refused, .leavesPerProxy)
            #expect(delay == .seconds(1))
            #expect(try await Self.open(server, token) != nil)
            #expect(server.ledger.count(of: .record) == issued, "what is refused costs no certificate")
            // Bundles need no leaf, and another node is another proxy.
            #expect(try await Self.open(server, token, ["ROOTCA"]) == nil)
            #expect(try await Self.open(server, token, node: "node-2") == nil)
            clock.advance(by: delay)
            #expect(try await Self.open(server, token) == nil)
            #expect(try await Self.open(server, token) != nil)
        }
    }

    @Test func `Fetching takes from the same rate as streams do`() async throws {
        let clock = Clock()
        let settings = Self.settings { $0.leavesPerProxy = .fixed(3, perSecond: 1) }
        try await SecretServer.run(settings: settings, clock: clock.service) { server in
            let token = try await server.token()
            #expect(try await Self.open(server, token) == nil)
            for _ in 0..<2 { #expect(try await Self.fetch(server, token) == nil) }
            let delay = try Self.delay(try await Self.fetch(server, token), .leavesPerProxy)
            #expect(try await Self.open(server, token) != nil)
            clock.advance(by: delay)
            #expect(try await Self.fetch(server, token) == nil)
        }
    }

    @Test func `Made-up node names do not get past the rate of the identity`() async throws {
        let clock = Clock()
        let settings = Self.settings { $0.leavesPerIdentity = .fixed(5, perSecond: 1) }
        try await SecretServer.run(settings: settings, clock: clock.service) { server in
            let token = try await server.token()
            for number in 0..<5 { #expect(try await Self.open(server, token, node: "made-up-\(number)") == nil) }
            let delay = try Self.delay(try await Self.open(server, token, node: "made-up-5"), .leavesPerIdentity)
            clock.advance(by: delay)
            #expect(try await Self.open(server, token, node: "made-up-6") == nil)
        }
    }

    @Test func `Who opens streams too often is told when to come again, whatever it asks`() async throws {
        let clock = Clock()
        let settings = Self.settings { $0.streamsPerProxy = .fixed(4, perSecond: 1) }
        try await SecretServer.run(settings: settings, clock: clock.service) { server in
            let token = try await server.token()
            for _ in 0..<4 { #expect(try await Self.open(server, token, ["ROOTCA"]) == nil) }
            let delay = try Self.delay(try await Self.open(server, token, ["ROOTCA"]), .streamsPerProxy)
            #expect(try await Self.fetch(server, token, ["ROOTCA"])?.code == .resourceExhausted)
            #expect(server.authority.proxies.connected(mesh: try MeshName("default")).count <= 4)
            clock.advance(by: delay)
            #expect(try await Self.open(server, token, ["ROOTCA"]) == nil)
        }
    }

    @Test func `A stream that is open keeps what it has while its proxy is over every rate`() async throws {
        let clock = Clock()
        let settings = Self.settings {
            $0.streamsPerProxy = .fixed(2, perSecond: 1)
            $0.leavesPerProxy = .fixed(1, perSecond: 1)
        }
        try await SecretServer.run(settings: settings, clock: clock.service) { server in
            let token = try await server.token()
            try await server.stream(token: token) { talk in
                talk.say(SecretServer.request(["default"]))
                var responses = talk.responses.makeAsyncIterator()
                let first = try #require(try await responses.next())
                // To its renewal; what wakes the stream is the next request.
                clock.advance(by: .seconds(20 * 3600))
                #expect(try await Self.open(server, token) == nil)
                #expect(try Self.delay(try await Self.open(server, token), .leavesPerProxy) == .seconds(1))
                #expect(try Self.delay(try await Self.open(server, token), .streamsPerProxy) == .seconds(1))
                talk.say(SecretServer.request(["default"], version: first.versionInfo, nonce: first.nonce))
                let second = try #require(try await responses.next())
                #expect(second.versionInfo != first.versionInfo)
            }
        }
    }

    @Test func `An address whose credentials were refused too often is not listened to for a while`() async throws {
        let clock = Clock()
        let settings = Self.settings {
            $0.refusalsPerAddress = .fixed(2, perSecond: 1)
            $0.newcomers = .fixed(1, perSecond: 1)
        }
        try await SecretServer.run(settings: settings, clock: clock.service) { server in
            let token = try await server.token()
            for _ in 0..<3 { #expect(try await Self.fetch(server, "nonsense", ["ROOTCA"])?.code == .unauthenticated) }
            let delay = try Self.delay(try await Self.fetch(server, "nonsense", ["ROOTCA"]), .refusalsPerAddress)
            let unknown = try await Self.fetch(server, token, ["ROOTCA"])
            #expect(unknown?.code == .resourceExhausted)
            clock.advance(by: delay)
            #expect(try await Self.fetch(server, token, ["ROOTCA"]) == nil)
            // By the address's own rate, and by that of newcomers.
            for _ in 0..<2 { #expect(try await Self.fetch(server, "nonsense", ["ROOTCA"])?.code == .unauthenticated) }
            let strange = try await Self.fetch(server, "nonsense", ["ROOTCA"])
            #expect(strange?.code == .resourceExhausted)
            #expect(try await Self.fetch(server, token, ["ROOTCA"]) == nil, "it was good before")
        }
    }

    @Test func `Ten thousand proxies of one service start at once, and none is refused`() async throws {
        let authority = try await SecretServer.startedAuthority(clock: Clock().service)
        let caller = try await authority.authenticate(
            ProxyCredentials(
                token: try await SecretServer.token(of: authority), peerChain: nil, requiresCertificate: false, nodeID: "",
                source: "127.0.0.1:4711", requestID: "r-1"))
        for number in 0..<10_000 {
            for _ in 0..<2 { try authority.admission.admitStream(of: caller, node: "node-\(number)") }
            try authority.admission.admitLeaf(for: caller, node: "node-\(number)")
        }
    }
}
