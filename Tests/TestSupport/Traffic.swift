import AsyncHTTPClient
import NIOCore
import Synchronization

/// HTTP/1.1 requests at a constant rate, each on a connection of its own, so that behind a TCP proxy each is a handshake.
package final class Traffic: Sendable {
    /// One place that is called, and the answer that counts as success.
    package struct Target: Sendable {
        package let port: Int
        package let answer: String

        package init(port: Int, answer: String) {
            self.port = port
            self.answer = answer
        }
    }

    private let report = Mutex(TrafficReport())
    private let isStopping = Atomic(false)

    /// What happened so far.
    package var soFar: TrafficReport { report.withLock { $0 } }

    /// Waits until that many more requests have succeeded.
    package func waitForSuccesses(_ count: Int, within limit: Duration = .seconds(30)) async throws {
        let goal = soFar.succeeded + count
        try await eventually(within: limit, "\(count) successful requests") { soFar.succeeded >= goal }
    }

    /// Calls every target each `interval` while `body` runs, then waits for the answers that are still due.
    ///
    /// At most 64 requests are in flight for each target: a hanging proxy shows as failures, not as a flood. Nothing is
    /// tried twice.
    package static func run<Value: Sendable>(
        to targets: [Target], every interval: Duration = .milliseconds(50), _ body: (Traffic) async throws -> Value
    ) async throws -> (value: Value, report: TrafficReport) {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        configuration.timeout.connect = .seconds(5)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let traffic = Traffic()
        do {
            let value = try await withThrowingTaskGroup(of: Void.self) { group in
                for target in targets {
                    group.addTask { await traffic.generate(to: target, every: interval, with: client) }
                }
                let value: Value
                do {
                    value = try await body(traffic)
                } catch {
                    group.cancelAll()
                    throw error
                }
                traffic.isStopping.store(true, ordering: .relaxed)
                try await group.waitForAll()
                return value
            }
            try await client.shutdown()
            return (value, traffic.soFar)
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private func generate(to target: Target, every interval: Duration, with client: HTTPClient) async {
        let clock = ContinuousClock()
        await withDiscardingTaskGroup { group in
            let inFlight = Counter()
            var next = clock.now
            while !isStopping.load(ordering: .relaxed) {
                next += interval
                do { try await clock.sleep(until: next) } catch { return group.cancelAll() }
                guard inFlight.value < 64 else {
                    report.withLock { $0.failed("64 requests are unanswered") }
                    continue
                }
                inFlight.add(1)
                group.addTask {
                    await self.request(target, with: client)
                    inFlight.add(-1)
                }
            }
        }
    }

    private func request(_ target: Target, with client: HTTPClient) async {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(target.port)/")
        request.headers.add(name: "connection", value: "close")
        do {
            let response = try await client.execute(request, timeout: .seconds(10))
            let body = String(buffer: try await response.body.collect(upTo: 4096))
            if response.status == .ok, body == target.answer + "\n" {
                report.withLock { $0.succeeded += 1 }
            } else {
                report.withLock { $0.failed("\(response.status.code) \(body.prefix(80)) from port \(target.port)") }
            }
        } catch is CancellationError {
            return
        } catch {
            report.withLock { $0.failed("\(error) at port \(target.port)") }
        }
    }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add(_ amount: Int) { count.add(amount, ordering: .relaxed) }
    }
}
