import AdminAPI
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

/// Requests whose body never comes whole.
@Suite struct BrokenBodyTests {
    /// Lets requests through with a body that breaks off after its first bytes.
    private struct BreakingOff: HTTPResponder {
        struct ConnectionGone: Error {}

        let responder: AdminResponder

        func respond(to request: Request, context: AdminRequestContext) async throws -> Response {
            var request = request
            request.body = RequestBody(
                asyncSequence: AsyncThrowingStream<ByteBuffer, any Error> { continuation in
                    continuation.yield(ByteBuffer(string: "{"))
                    continuation.finish(throwing: ConnectionGone())
                })
            return await responder.respond(to: request, context: context)
        }
    }

    /// The levels of all that was logged.
    private final class Levels: Sendable {
        let seen = Mutex<[Logger.Level]>([])
    }

    private struct LevelHandler: LogHandler {
        let levels: Levels
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            levels.seen.withLock { $0.append(event.level) }
        }
    }

    @Test func `a body that breaks off is the client's fault and no error of the service`() async throws {
        try await AdminBench.run { bench in
            let levels = Levels()
            let logger = Logger(label: "test") { _ in LevelHandler(levels: levels) }
            let responder = AdminResponder(authority: bench.authority, version: "1", logger: logger)
            try await Application(responder: BreakingOff(responder: responder)).test(.router) { client in
                let answer = try await client.executeRequest(
                    uri: "/meshes/orders", method: .put,
                    headers: [.authorization: "Bearer \(bench.admin)", .contentType: "application/json"], body: nil)
                #expect(answer.status == .badRequest)
                #expect(String(buffer: answer.body).contains("the body broke off"), "\(String(buffer: answer.body))")
            }
            #expect(levels.seen.withLock { $0 } == [.debug])
        }
    }
}
