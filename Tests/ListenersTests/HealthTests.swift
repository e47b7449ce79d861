import Listeners
import Synchronization
import TestSupport
import Testing

@Suite struct HealthTests {
    @Test func `Liveness, readiness with its reason, and metrics are told`() async throws {
        let socket = try BoundSocket.tcp(ListenAddress(host: "127.0.0.1", port: 0), key: "listen.health")
        let metrics = MetricsRegistry()
        metrics.makeCounter(label: "signet_nacks_total", dimensions: [("mesh", "m")]).increment(by: 3)
        let isReady = Mutex(false)
        let responder = Health.responder(metrics: metrics) {
            isReady.withLock { $0 } ? .ready : .notReady("the database does not answer")
        }
        let door = try HTTPDoor("health", socket: socket, tls: nil, responder: responder, limits: DoorLimits(), logger: quiet)
        try await whileServing(door) { _ async throws in
            let base = "http://127.0.0.1:\(socket.address.port)"
            #expect(try await HTTP.fetch("\(base)/healthz").body == "ok\n")
            let early = try await HTTP.fetch("\(base)/readyz")
            #expect(early.status == 503 && early.body == "not ready: the database does not answer\n")
            isReady.withLock { $0 = true }
            #expect(try await HTTP.fetch("\(base)/readyz").status == 200)
            #expect(try await HTTP.fetch("\(base)/metrics").body.contains("signet_nacks_total{mesh=\"m\"} 3\n"))
            #expect(try await HTTP.fetch("\(base)/meshes").status == 404)
        }
    }
}
