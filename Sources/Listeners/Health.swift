package import Hummingbird

/// `/healthz`, `/readyz` and `/metrics`.
package enum Health {
    package enum Readiness: Sendable, Hashable {
        /// The sentence says what is waited for.
        case notReady(String)
        case ready
    }

    /// Liveness never depends on the database: a restart would not mend that, and would cost the proxies their streams.
    package static func responder(
        metrics: MetricsRegistry, readiness: @escaping @Sendable () -> Readiness
    ) -> some HTTPResponder<BasicRequestContext> {
        let router = Router()
        router.get("healthz") { _, _ in text(.ok, "ok\n") }
        router.get("readyz") { _, _ in
            switch readiness() {
            case .ready: text(.ok, "ready\n")
            case .notReady(let reason): text(.serviceUnavailable, "not ready: \(reason)\n")
            }
        }
        router.get("metrics") { _, _ in
            text(.ok, metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        return router.buildResponder()
    }

    private static func text(
        _ status: HTTPResponse.Status, _ body: String, type: String = "text/plain; charset=utf-8"
    ) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: body)))
    }
}
