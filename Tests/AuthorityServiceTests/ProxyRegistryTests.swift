import Authority
import AuthorityService
import PKI
import Testing

@Suite struct ProxyRegistryTests {
    let now = Timestamp(seconds: 1_800_000_000)

    private func caller(_ proxy: String) throws -> Caller {
        Caller(
            mesh: try MeshName("payments"), identity: try SPIFFEID("spiffe://payments/api"), proxy: proxy, tags: [:],
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
}
