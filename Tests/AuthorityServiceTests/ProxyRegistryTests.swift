import Authority
import AuthorityService
import PKI
import Testing

@Suite struct ProxyRegistryTests {
    let now = Timestamp(seconds: 1_800_000_000)

    private func caller(_ proxy: String, tags: [String: [String]] = [:]) throws -> Caller {
        Caller(
            mesh: try MeshName("payments"), identity: try SPIFFEID("spiffe://payments/api"), proxy: proxy, tags: tags,
            tokenID: "t")
    }

    private func leaf(until end: Timestamp) -> HeldLeaf {
        HeldLeaf(
            serial: SerialNumber(bytes: [1]), issuer: IssuerID(random: [0, 0, 0, 0, 0, 0, 0, 1]), notAfter: end,
            renewAt: end)
    }

    @Test func `several streams of one proxy are one proxy`() throws {
        let registry = ProxyRegistry(replica: "r")
        let mesh = try MeshName("payments")
        let first = registry.opened(try caller("p"), node: "n", at: now)
        let second = registry.opened(try caller("p"), node: "n", at: now + .seconds(1))
        registry.report(first, SubscriptionStatus(resource: "default", ackedVersion: "1"))
        registry.report(second, SubscriptionStatus(resource: "ROOTCA", ackedVersion: "2"))
        let status = try #require(registry.list(mesh: mesh).first)
        #expect(registry.list(mesh: mesh).count == 1)
        #expect(status.subscriptions.map(\.resource) == ["ROOTCA", "default"])
        #expect(registry.connectedCounts() == [mesh: 1])
        registry.closed(first, at: now + .seconds(2))
        #expect(registry.list(mesh: mesh).first?.isConnected == true)
        registry.closed(second, at: now + .seconds(3))
        let away = try #require(registry.list(mesh: mesh).first)
        #expect(!away.isConnected)
        #expect(away.disconnectedAt == now + .seconds(3))
        #expect(away.subscriptions.count == 2)
    }

    @Test func `two Envoys with one token are two proxies, each with what it acknowledged`() throws {
        let registry = ProxyRegistry(replica: "r")
        let mesh = try MeshName("payments")
        let second = registry.opened(try caller("p"), node: "n2", at: now)
        let first = registry.opened(try caller("p"), node: "n1", at: now)
        registry.report(first, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "1"))
        registry.report(second, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "2"))
        #expect(registry.list(mesh: mesh).map { "\($0.proxy) \($0.node)" } == ["p n1", "p n2"])
        #expect(registry.list(mesh: mesh).map { $0.subscriptions.map(\.ackedVersion) } == [["1"], ["2"]])
        #expect(registry.connectedCount(meshes: [mesh]) == 2 && registry.connectedCounts() == [mesh: 2])
        registry.closed(first, at: now)
        #expect(registry.connected(mesh: mesh).map(\.node) == ["n2"])
        #expect(registry.connectedCount(meshes: [mesh]) == 1 && registry.connectedCounts() == [mesh: 1])
        registry.closed(first, at: now)
        registry.closed(second, at: now)
        #expect(registry.connectedCount(meshes: [mesh]) == 0)
    }

    @Test func `a subscriber keeps what its closed streams acknowledged, until a stream asks for the name again`() throws {
        let registry = ProxyRegistry(replica: "r")
        let gone = registry.opened(try caller("p"), node: "n", at: now)
        registry.report(gone, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "1"))
        registry.report(gone, SubscriptionStatus(resource: "default", meaning: .identity, ackedVersion: "leaf1"))
        // Refused and never had; and refused a renewal of what it has.
        registry.report(gone, SubscriptionStatus(resource: "other", refusal: "secret-unknown: no"))
        registry.report(
            gone, SubscriptionStatus(resource: "peers", meaning: .peers, ackedVersion: "7", refusal: "secret-empty: none"))
        registry.closed(gone, at: now)
        let away = try #require(registry.subscribers().first)
        #expect(!away.isConnected)
        #expect(away.subscriptions.map { "\($0.resource) \($0.ackedVersion ?? "")" } == ["ROOTCA 1", "default leaf1", "peers 7"])
        let back = registry.opened(try caller("p"), node: "n", at: now)
        registry.report(back, SubscriptionStatus(resource: "default", meaning: .identity))
        let here = try #require(registry.subscribers().first)
        #expect(registry.subscribers().count == 1 && here.isConnected)
        #expect(here.subscriptions.map { "\($0.resource) \($0.ackedVersion ?? "")" } == ["ROOTCA 1", "default ", "peers 7"])
    }

    @Test func `a name on two open streams counts twice, and is shown once, as the newest has it`() throws {
        let registry = ProxyRegistry(replica: "r")
        let old = registry.opened(try caller("p"), node: "n", at: now)
        let new = registry.opened(try caller("p"), node: "n", at: now)
        registry.report(new, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "2"))
        registry.report(old, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "1"))
        let subscriber = try #require(registry.subscribers().first)
        #expect(Set(subscriber.subscriptions.map(\.ackedVersion)) == ["1", "2"])
        #expect(registry.list(mesh: try MeshName("payments")).first?.subscriptions.map(\.ackedVersion) == ["2"])
    }

    @Test func `a subscriber's caller is that of its newest open stream`() throws {
        let registry = ProxyRegistry(replica: "r")
        let callers = try ["a", "b"].map { try caller("p", tags: ["kuma.io/service": [$0]]) }
        let streams = callers.map { registry.opened($0, node: "n", at: now) }
        #expect(registry.subscribers().map(\.caller) == [callers[1]])
        registry.closed(streams[1], at: now)
        #expect(registry.subscribers().map(\.caller) == [callers[0]])
        registry.closed(streams[0], at: now)
        #expect(registry.subscribers().map(\.caller) == [callers[0]])
    }

    @Test func `subscribers of all meshes are listed, until their certificates have ended`() throws {
        let registry = ProxyRegistry(replica: "r")
        for (index, name) in ["payments", "orders"].enumerated() {
            let who = Caller(
                mesh: try MeshName(name), identity: try SPIFFEID("spiffe://\(name)/api"), proxy: "p", tags: [:], tokenID: "t")
            let stream = registry.opened(who, node: "n", at: now)
            let end = now + .seconds(60 * Int64(index + 1))
            registry.report(stream, SubscriptionStatus(resource: "default", meaning: .identity, leaf: leaf(until: end)))
            registry.closed(stream, at: now)
        }
        #expect(Set(registry.subscribers().map(\.caller.mesh.name)) == ["orders", "payments"])
        registry.sweep(at: now + .seconds(60))
        #expect(registry.subscribers().map(\.caller.mesh.name) == ["orders"])
        registry.sweep(at: now + .seconds(120))
        #expect(registry.subscribers().isEmpty)
    }

    @Test func `ten thousand subscribers are listed while others report`() throws {
        let registry = ProxyRegistry(replica: "r")
        let mesh = try MeshName("payments")
        let streams = try (0..<10_000).map { registry.opened(try caller("p"), node: "n\($0)", at: now) }
        for stream in streams {
            registry.report(stream, SubscriptionStatus(resource: "ROOTCA", meaning: .meshTrust, ackedVersion: "1"))
            registry.report(stream, SubscriptionStatus(resource: "default", meaning: .identity, ackedVersion: "leaf"))
        }
        let elapsed = ContinuousClock().measure {
            for stream in streams.prefix(10) {
                #expect(registry.subscribers().count == 10_000)
                registry.closed(stream, at: now)
            }
        }
        #expect(registry.connectedCount(meshes: [mesh]) == 9990)
        // Well under a second even unoptimized; the rest is room for a busy machine.
        #expect(elapsed < .seconds(20), "ten lists took \(elapsed)")
    }

    @Test func `a proxy that is away is remembered until its certificate ends`() throws {
        let registry = ProxyRegistry(replica: "r")
        let mesh = try MeshName("payments")
        let stream = registry.opened(try caller("p"), node: "n", at: now)
        registry.report(stream, SubscriptionStatus(resource: "default", leaf: leaf(until: now + .seconds(60))))
        registry.closed(stream, at: now)
        registry.sweep(at: now + .seconds(59))
        #expect(registry.list(mesh: mesh).count == 1)
        registry.sweep(at: now + .seconds(60))
        #expect(registry.list(mesh: mesh).isEmpty)
    }

    @Test func `beyond its bound the registry forgets who left first`() throws {
        let registry = ProxyRegistry(replica: "r", mostRemembered: 2)
        let mesh = try MeshName("payments")
        for index in 0..<4 {
            let stream = registry.opened(try caller("p\(index)"), node: "n", at: now)
            registry.report(stream, SubscriptionStatus(resource: "default", leaf: leaf(until: now + .seconds(600))))
            registry.closed(stream, at: now + .seconds(Int64(index)))
        }
        registry.sweep(at: now + .seconds(10))
        #expect(registry.list(mesh: mesh).map(\.proxy) == ["p2", "p3"])
    }

    @Test func `an unsubscribed name is no longer shown`() throws {
        let registry = ProxyRegistry(replica: "r")
        let stream = registry.opened(try caller("p"), node: "n", at: now)
        registry.report(stream, SubscriptionStatus(resource: "default"))
        registry.forget(stream, resource: "default")
        #expect(registry.list(mesh: try MeshName("payments")).first?.subscriptions.isEmpty == true)
    }

    @Test func `streams that come and go leave no more names behind than one stream may have`() throws {
        let registry = ProxyRegistry(replica: "r")
        let mesh = try MeshName("payments")
        let staying = registry.opened(try caller("p"), node: "n", at: now)
        for round in 0..<50 {
            let stream = registry.opened(try caller("p"), node: "n", at: now)
            for index in 0..<50 {
                registry.report(stream, SubscriptionStatus(resource: "known-\(round)-\(index)", ackedVersion: "1"))
                registry.report(stream, SubscriptionStatus(resource: "refused-\(round)-\(index)", refusal: "secret-unknown"))
            }
            registry.closed(stream, at: now)
        }
        let kept = try #require(registry.list(mesh: mesh).first).subscriptions
        #expect(kept.count <= 100)
        #expect(kept.allSatisfy { $0.refusal == nil })
        registry.closed(staying, at: now)
    }

    @Test func `one mesh's crowd pushes no proxy of another mesh out`() throws {
        let registry = ProxyRegistry(replica: "r", mostRemembered: 2)
        let lone = Caller(
            mesh: try MeshName("orders"), identity: try SPIFFEID("spiffe://orders/api"), proxy: "lone", tags: [:], tokenID: "t")
        for (index, who) in ([lone] + (try (0..<5).map { try caller("p\($0)") })).enumerated() {
            let stream = registry.opened(who, node: "n", at: now)
            registry.report(stream, SubscriptionStatus(resource: "default", leaf: leaf(until: now + .seconds(600))))
            registry.closed(stream, at: now + .seconds(Int64(index)))
        }
        registry.sweep(at: now + .seconds(10))
        #expect(registry.list(mesh: try MeshName("orders")).map(\.proxy) == ["lone"])
        #expect(registry.list(mesh: try MeshName("payments")).count == 2)
    }

    @Test func `a stream that was closed says nothing any more, though its place is used again`() throws {
        let registry = ProxyRegistry(replica: "r")
        let mesh = try MeshName("payments")
        let first = registry.opened(try caller("p"), node: "n", at: now)
        registry.report(first, SubscriptionStatus(resource: "ROOTCA", ackedVersion: "1"))
        registry.closed(first, at: now)
        let second = registry.opened(try caller("q"), node: "n", at: now)
        registry.report(first, SubscriptionStatus(resource: "ROOTCA", ackedVersion: "late"))
        registry.forget(first, resource: "ROOTCA")
        registry.closed(first, at: now + .seconds(1))
        registry.report(second, SubscriptionStatus(resource: "ALL", ackedVersion: "2"))
        let rows = registry.list(mesh: mesh)
        #expect(rows.map(\.proxy) == ["p", "q"] && rows.map(\.isConnected) == [false, true])
        #expect(rows.map { $0.subscriptions.map { "\($0.resource) \($0.ackedVersion ?? "")" } } == [["ROOTCA 1"], ["ALL 2"]])
        #expect(rows[0].disconnectedAt == now && registry.connectedCount(meshes: [mesh]) == 1)
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func `whatever comes and goes, the counts are those of the list`(seed: UInt64) throws {
        var random = seed
        func draw(_ count: UInt64) -> UInt64 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (random >> 33) % count
        }
        let registry = ProxyRegistry(replica: "r", mostRemembered: 3)
        let meshes = try ["payments", "orders"].map { try MeshName($0) }
        var open: [ProxyRegistry.StreamID] = []
        var time = now
        for _ in 0..<400 {
            switch draw(10) {
            case 0..<4:
                let mesh = meshes[Int(draw(2))]
                let who = Caller(
                    mesh: mesh, identity: try SPIFFEID("spiffe://\(mesh)/api"), proxy: "p\(draw(6))", tags: [:], tokenID: "t")
                open.append(registry.opened(who, node: "n", at: time))
            case 4..<7:
                guard !open.isEmpty else { continue }
                registry.closed(open.remove(at: Int(draw(UInt64(open.count)))), at: time)
            case 7..<9:
                guard !open.isEmpty else { continue }
                registry.report(
                    open[Int(draw(UInt64(open.count)))],
                    SubscriptionStatus(
                        resource: "r\(draw(3))", ackedVersion: "\(draw(9))", leaf: leaf(until: time + .seconds(60))))
            default:
                time = time + .seconds(Int64(draw(50)))
                registry.sweep(at: time)
            }
            let lists = meshes.map { registry.list(mesh: $0) }
            #expect(zip(meshes, lists).allSatisfy { registry.connectedCount(meshes: [$0]) == $1.filter(\.isConnected).count })
            #expect(registry.subscribers().count == lists.joined().count)
            #expect(lists.allSatisfy { list in Set(list.map(\.proxy)).count == list.count })
            #expect(Set(registry.connectedCounts().keys) == Set(zip(meshes, lists).filter { !$1.isEmpty }.map(\.0)))
            for list in lists where draw(10) == 9 {
                #expect(registry.subscribers(of: list.first.map { [$0.mesh] } ?? []).count == list.count)
            }
        }
    }
}
