/// A wait that came to its end without its event.
package struct DeadlineExceeded: Error, CustomStringConvertible {
    package let what: String
    package let limit: Duration
    /// The last thing seen while waiting, or empty.
    package let lastSeen: String

    package var description: String {
        "\(what) did not happen within \(limit)" + (lastSeen.isEmpty ? "" : "; last seen: \(lastSeen)")
    }
}

/// Runs `body` and throws `DeadlineExceeded` if it has not ended after `limit`, also where `body` does not heed that it is cancelled.
package func within<Value: Sendable>(
    _ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (outcomes, outcome) = AsyncStream.makeStream(of: Result<Value, any Error>.self)
    let running = Task {
        do { outcome.yield(.success(try await body())) } catch { outcome.yield(.failure(error)) }
    }
    let watch = Task {
        try await Task.sleep(for: limit)
        outcome.yield(.failure(DeadlineExceeded(what: what, limit: limit, lastSeen: "")))
    }
    defer {
        running.cancel()
        watch.cancel()
    }
    // The first one counts; the caller's cancellation ends the wait.
    for await result in outcomes { return try result.get() }
    throw CancellationError()
}

/// Asks a process outside of this one again and again until `probe` has an answer.
///
/// For events that nothing announces, such as an Envoy's statistics. An error of the probe counts as "not yet" and is
/// told if the deadline passes; only the failure of a child process is final.
@discardableResult package func eventually<Value>(
    within limit: Duration, _ what: String, every interval: Duration = .milliseconds(50), _ probe: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    var lastSeen = ""
    while true {
        do {
            if let value = try await probe() { return value }
        } catch let error as CancellationError {
            throw error
        } catch let failure as ChildProcess.Failure {
            throw failure
        } catch {
            lastSeen = String(describing: error)
        }
        guard clock.now < deadline else { throw DeadlineExceeded(what: what, limit: limit, lastSeen: lastSeen) }
        try await Task.sleep(for: interval)
    }
}

/// Asks again and again until `condition` holds.
package func eventually(
    within limit: Duration, _ what: String, every interval: Duration = .milliseconds(50), _ condition: () async throws -> Bool
) async throws {
    try await eventually(within: limit, what, every: interval) { () async throws -> Void? in
        if try await condition() { return () }
        return nil
    }
}
