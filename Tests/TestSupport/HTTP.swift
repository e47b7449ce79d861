import AsyncHTTPClient

/// Plain requests to the loopback address.
package enum HTTP {
    package struct Answer: Sendable {
        package let status: Int
        package let body: String

        package init(status: Int, body: String) {
            self.status = status
            self.body = body
        }
    }

    /// Limit of a body: an Envoy's statistics are some hundred kilobytes.
    private static let maximumBody = 8 << 20

    package static func fetch(_ url: String, method: String = "GET", timeout: Duration = .seconds(5)) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .RAW(value: method)
        let response = try await HTTPClient.shared.execute(request, timeout: .nanoseconds(Int64(timeout / .nanoseconds(1))))
        return Answer(
            status: Int(response.status.code), body: String(buffer: try await response.body.collect(upTo: maximumBody)))
    }
}
