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
}
