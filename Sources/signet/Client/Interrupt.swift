@preconcurrency import Dispatch
import Foundation

/// Ctrl-C while something is only watched: it ends the watching, and there is time to say what goes on without it.
enum Interrupt {
    /// Runs `body` to its end, or until SIGINT comes: then nil.
    static func ends<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { continuation.finish() }
        source.resume()
        defer { source.cancel() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals {}
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
    }
}
