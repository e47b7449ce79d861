import Authority
import AuthorityService
import PKI
import Testing

/// What may be asked for how often, and what is never held up.
@Suite struct AdmissionTests {
    private static func started(_ change: (inout AdmissionRates) -> Void = { _ in }) async throws -> Service {
        var settings = AuthoritySettings()
        change(&settings.rates)
        return try await Service.started(settings: settings)
    }

    private static func credentials(_ token: String?, from source: String) -> ProxyCredentials {
        ProxyCredentials(
            token: token, peerChain: nil, requiresCertificate: false, nodeID: "node-1", source: source, requestID: "r-1")
    }

    /// The limit that refuses, with its delay; nil: none did.
    private static func refusal(_ body: () throws -> Void) throws -> LimitRefusal? {
        do {
            try body()
            return nil
        } catch let refusal as LimitRefusal {
            return refusal
        }
    }

    private static func limited(_ body: () async throws -> Void) async throws -> LimitRefusal? {
        do {
            try await body()
            return nil
        } catch AuthorityError.limited(let refusal) {
            return refusal
        }
    }

    @Test func `what one proxy has too much of is taken from no other's share`() async throws {
        let service = try await Self.started {
            $0.leavesPerProxy = .fixed(2, perSecond: 1)
            $0.leavesPerIdentity = .fixed(4, perSecond: 1)
            $0.leaves = .fixed(5, perSecond: 1)
        }
        let admission = service.authority.admission
        let api = try await service.authority.authenticate(Self.credentials(try await service.token(), from: "test"))
        let web = try await service.authority.authenticate(
            Self.credentials(try await service.token(service: "web", name: "web"), from: "test"))
        for _ in 0..<100 { _ = try? admission.admitLeaf(for: api, node: "a") }
        #expect(try Self.refusal { try admission.admitLeaf(for: api, node: "a") }?.limit == .leavesPerProxy)
        for _ in 0..<2 { try admission.admitLeaf(for: api, node: "b") }
        #expect(try Self.refusal { try admission.admitLeaf(for: api, node: "c") }?.limit == .leavesPerIdentity)
        try admission.admitLeaf(for: web, node: "a")
        #expect(try Self.refusal { try admission.admitLeaf(for: web, node: "a") }?.limit == .leaves)
    }

    @Test func `a wall clock that jumped ahead and was set back leaves no rate empty`() async throws {
        let (wall, steady) = (TestClock(), TestClock())
        let clock = ServiceClock({ wall.now }, steady: { .milliseconds(steady.now.milliseconds) })
        var settings = AuthoritySettings()
        settings.rates.leavesPerProxy = .fixed(1, perSecond: 1)
        let service = try Service(clock: wall, settings: settings, serviceClock: clock)
        try await service.authority.start()
        let admission = service.authority.admission
        let api = try await service.authority.authenticate(Self.credentials(try await service.token(), from: "test"))
        wall.advance(by: .seconds(3600))
        try admission.admitLeaf(for: api, node: "a")
        wall.advance(by: .seconds(-3600))
        #expect(try Self.refusal { try admission.admitLeaf(for: api, node: "a") }?.retryAfter == .seconds(1))
        steady.advance(by: .seconds(1))
        try admission.admitLeaf(for: api, node: "a")
    }

    @Test(arguments: ["10.0.0.1", "[2001:db8::1]", "[::ffff:10.0.0.1]"])
    func `an address whose credentials are refused waits, unless it shows what was good before, and others do not`(
        address: String
    ) async throws {
        let service = try await Self.started {
            $0.refusalsPerAddress = .fixed(3, perSecond: 2)
            $0.newcomers = .fixed(1, perSecond: 1)
        }
        let authority = service.authority
        let known = try await service.token()
        _ = try await authority.authenticate(Self.credentials(known, from: "unix"))
        let token = try await service.token(name: "proxy-2")
        // Another port each time; the last is looked at as a newcomer.
        for port in 1...4 {
            let refused = try? await authority.authenticate(Self.credentials("nonsense", from: "\(address):\(port)"))
            #expect(refused == nil)
        }
        let refusal = try await Self.limited {
            _ = try await authority.authenticate(Self.credentials(token, from: "\(address):4"))
        }
        #expect(refusal == LimitRefusal(limit: .refusalsPerAddress, retryAfter: .milliseconds(500)))
        let asAdministrator = try await Self.limited {
            _ = try await authority.administrator(token: nil, source: "\(address):4", requestID: "r-1")
        }
        #expect(asAdministrator?.limit == .refusalsPerAddress)
        _ = try await authority.authenticate(Self.credentials(known, from: "\(address):4"))
        for other in ["10.0.0.2:1", "[2001:db8:0:1::1]:1", "unix", "unknown"] {
            _ = try await authority.authenticate(Self.credentials(token, from: other))
        }
        service.clock.advance(by: .milliseconds(500))
        _ = try await authority.authenticate(Self.credentials(token, from: "\(address):5"))
    }

    @Test func `good credentials cost an address nothing, and neighbours in one network are one`() async throws {
        let service = try await Self.started { $0.refusalsPerAddress = .fixed(3, perSecond: 1) }
        let token = try await service.token()
        for port in 1...50 {
            _ = try await service.authority.authenticate(Self.credentials(token, from: "10.0.0.1:\(port)"))
        }
        #expect(SourceNetwork("[2001:db8:0:1::1]:1") == SourceNetwork("[2001:db8:0:1:ffff::2]:2"))
        #expect(SourceNetwork("[2001:db8:0:1::1]:1") != SourceNetwork("[2001:db8:0:2::1]:1"))
        #expect(SourceNetwork("[::ffff:10.0.0.1]:1") == SourceNetwork("10.0.0.1:2"))
        #expect(SourceNetwork("[::a00:1]:1") != SourceNetwork("10.0.0.1:1"))
        for none in ["", "unix", "unix:/run/signet.sock", "unknown", "test", "10.0.0:1", "[::1:1", "::1"] {
            #expect(SourceNetwork(none) == nil, "\(none)")
        }
    }

    @Test func `what was good and is revoked is looked at once more, and then no better than any other`() async throws {
        let service = try await Self.started {
            $0.refusalsPerAddress = .fixed(1, perSecond: 1)
            $0.newcomers = .fixed(1, perSecond: 1)
        }
        let authority = service.authority
        let credentials = Self.credentials(try await service.token(), from: "10.0.0.1:1")
        _ = try await authority.authenticate(credentials)
        let id = try #require(try await authority.tokens(TokenQuery(mesh: try MeshName("default"))).items.first?.id)
        try await authority.revokeToken(id, by: Service.administrator)
        await #expect(throws: AuthorityError.refused(.tokenRevoked(id: id))) { _ = try await authority.authenticate(credentials) }
        // As a newcomer.
        await #expect(throws: AuthorityError.refused(.tokenRevoked(id: id))) { _ = try await authority.authenticate(credentials) }
        let refusal = try await Self.limited { _ = try await authority.authenticate(credentials) }
        #expect(refusal?.limit == .refusalsPerAddress)
    }

    @Test func `strangers behind one balancer shut out nobody, also of a replica that knows nobody yet`() async throws {
        let service = try await Self.started {
            $0.refusalsPerAddress = .fixed(3, perSecond: 1)
            $0.newcomers = .fixed(5, perSecond: 10)
        }
        let authority = service.authority
        func answer(_ token: String?, from source: String) async throws -> LimitRefusal? {
            do {
                _ = try await authority.authenticate(Self.credentials(token, from: source))
                return nil
            } catch AuthorityError.limited(let refusal) {
                return refusal
            } catch AuthorityError.refused {
                return nil
            }
        }
        for number in 1...8 { #expect(try await answer("nonsense \(number)", from: "10.0.0.1:\(number)") == nil) }
        let first = try await service.token()
        #expect(try await answer(first, from: "10.0.0.1:9") == LimitRefusal(limit: .refusalsPerAddress, retryAfter: .seconds(1)))
        service.clock.advance(by: .milliseconds(100))
        // Nothing to look at takes nobody's place.
        for port in 1...5 { #expect(try await answer(nil, from: "10.0.0.1:\(port)") != nil) }
        _ = try await authority.authenticate(Self.credentials(first, from: "10.0.0.1:9"))
        #expect(try await answer("nonsense", from: "10.0.0.1:9") != nil)
        // From here on it is known.
        for _ in 1...5 { _ = try await authority.authenticate(Self.credentials(first, from: "10.0.0.1:9")) }
    }

    @Test func `a chain that the handshake verified is looked at, whatever its address was refused`() async throws {
        let service = try await Self.started {
            $0.refusalsPerAddress = .fixed(1, perSecond: 1)
            $0.newcomers = .fixed(1, perSecond: 1)
        }
        let authority = service.authority
        let leaf = try await service.authority.issueLeaf(for: try await service.caller(), node: "node-1")
        for _ in 0..<3 { _ = try? await authority.authenticate(Self.credentials("nonsense", from: "10.0.0.1:1")) }
        let refusal = try await Self.limited {
            _ = try await authority.authenticate(Self.credentials(try await service.token(), from: "10.0.0.1:1"))
        }
        #expect(refusal?.limit == .refusalsPerAddress)
        let chain = try Service.chain(of: leaf)
        #expect(authority.verifyHandshake(chain: chain, source: "10.0.0.1:2") == nil)
        _ = try await authority.authenticate(
            ProxyCredentials(
                token: nil, peerChain: chain, requiresCertificate: true, nodeID: "node-1", source: "10.0.0.1:2",
                requestID: "r-1"))
    }

    @Test func `a chain whose token was revoked waits like any other that is refused, and costs its address nothing`()
        async throws
    {
        let service = try await Self.started {
            $0.refusalsPerAddress = .fixed(2, perSecond: 1)
            $0.newcomers = .fixed(1, perSecond: 1)
        }
        let authority = service.authority
        func chain() async throws -> [[UInt8]] {
            let caller = try await authority.authenticate(Self.credentials(try await service.token(), from: "unix"))
            return try Service.chain(of: try await authority.issueLeaf(for: caller, node: "node-1"))
        }
        func answer(_ chain: [[UInt8]], _ token: String? = nil, from source: String) async throws -> AuthorityError? {
            try await failure {
                try await authority.authenticate(
                    ProxyCredentials(
                        token: token, peerChain: chain, requiresCertificate: true, nodeID: "node-1", source: source,
                        requestID: "r-1"))
            }
        }
        let revoked = try await chain()
        let id = try #require(try await authority.tokens(TokenQuery(mesh: try MeshName("default"))).items.first?.id)
        #expect(try await answer(revoked, from: "10.0.0.1:1") == nil)
        try await authority.revokeToken(id, by: Service.administrator)
        for port in 1...2 { #expect(try await answer(revoked, from: "10.0.0.1:\(port)")?.reason == "token-revoked") }
        // From wherever, and with whatever beside it; a door without an address is no way round.
        let limited = AuthorityError.limited(LimitRefusal(limit: .refusalsPerAddress, retryAfter: .seconds(1)))
        for source in ["10.0.0.1:3", "10.0.0.2:1", "unix"] { #expect(try await answer(revoked, from: source) == limited) }
        for number in 1...3 { #expect(try await answer(revoked, "nonsense \(number)", from: "10.0.0.1:4") == limited) }
        // Nobody else behind that address is a newcomer: there is one place for those, and these are two.
        let others = try await chain()
        for name in ["proxy-2", "proxy-3"] {
            _ = try await authority.authenticate(Self.credentials(try await service.token(name: name), from: "10.0.0.1:5"))
        }
        #expect(try await answer(others, from: "10.0.0.1:6") == nil)
        service.clock.advance(by: .seconds(1))
        #expect(try await answer(revoked, from: "10.0.0.1:7")?.reason == "token-revoked")
        #expect(try await answer(revoked, from: "10.0.0.1:7") == limited)
    }

    @Test func `what a good chain shows is looked at, however often something else beside it was refused`() async throws {
        let service = try await Self.started { $0.refusalsPerAddress = .fixed(1, perSecond: 1) }
        let authority = service.authority
        let chain = try Service.chain(of: try await authority.issueLeaf(for: try await service.caller(), node: "node-1"))
        func answer(_ token: String?) async throws -> AuthorityError? {
            try await failure { try await authority.authenticate(Service.credentials(token: token, chain: chain)) }
        }
        #expect(try await answer(nil) == nil)
        #expect(try await answer("nonsense")?.reason == "token-invalid")
        #expect(try await answer("nonsense")?.reason == nil)
        #expect(try await answer(nil) == nil)
    }

    @Test func `without an address nobody is shut out by the refusals of others`() async throws {
        let service = try await Self.started { $0.refusalsPerAddress = .fixed(1, perSecond: 1) }
        let token = try await service.token()
        for _ in 0..<20 { _ = try? await service.authority.authenticate(Self.credentials("nonsense", from: "unix")) }
        _ = try await service.authority.authenticate(Self.credentials(token, from: "unix"))
    }

    @Test func `a known proxy that is refused for another reason than its credential costs its address nothing`() async throws {
        let service = try await Self.started { $0.refusalsPerAddress = .fixed(1, perSecond: 1) }
        let token = try await service.token()
        let credentials = Self.credentials(token, from: "10.0.0.1:1")
        for _ in 0..<3 {
            await #expect(throws: AuthorityError.self) {
                try await service.authority.sign(csr: "nonsense", mesh: try MeshName("default"), credentials: credentials)
            }
        }
        _ = try await service.authority.authenticate(credentials)
    }

    @Test func `an administrator's writes have a rate for each token`() async throws {
        let service = try await Self.started { $0.writesPerToken = .fixed(2, perSecond: 1) }
        let admission = service.authority.admission
        func administrator(_ token: String) -> Administrator {
            Administrator(name: "alice", roles: [.admin], source: "10.0.0.1:1", requestID: "r-1", tokenID: token)
        }
        for _ in 0..<2 { try admission.admitWrite(by: administrator("t-1")) }
        #expect(
            try Self.refusal { try admission.admitWrite(by: administrator("t-1")) }
                == LimitRefusal(limit: .writesPerToken, retryAfter: .seconds(1)))
        try admission.admitWrite(by: administrator("t-2"))
        service.clock.advance(by: .seconds(1))
        try admission.admitWrite(by: administrator("t-1"))
    }

    @Test func `a delay is told in whole seconds, never short of it`() {
        let delays: [(Duration, Int64)] = [
            (.zero, 1), (.milliseconds(1), 1), (.seconds(1), 1), (.milliseconds(1001), 2), (.seconds(90), 90),
        ]
        for (delay, seconds) in delays {
            #expect(LimitRefusal(limit: .streams, retryAfter: delay).wholeSeconds == seconds)
        }
    }
}
