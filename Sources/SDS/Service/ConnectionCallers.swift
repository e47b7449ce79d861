internal import Authority
internal import GRPCHTTP2
internal import NIOCore

/// Who is calling over one connection: streams that ask in the same moment with the same credentials are judged together.
///
/// Envoy opens a stream for each secret, all at once, and after a restart of the service thousands of proxies do. What was
/// judged before is not used again: credentials are judged when they come. Bound to the connection's event loop.
final class ConnectionCallers {
    /// All that one judgement rests on, but for the connection itself.
    struct Credentials: Hashable {
        var token: String?
        var nodeID: String
    }

    typealias Completion = (Result<Caller, GRPCStatus>) -> Void

    /// Those that wait for a judgement that is under way.
    private var waiting: [Credentials: [Completion]] = [:]

    /// Judges, or joins who is being judged; `completion` is called on the event loop.
    func judge(
        _ credentials: Credentials, of connection: GRPCConnection, by server: SecretServer,
        completion: @escaping Completion
    ) {
        guard waiting[credentials] == nil else {
            waiting[credentials]?.append(completion)
            return
        }
        waiting[credentials] = []
        let reply = NIOLoopBound(
            { (outcome: Result<Caller, GRPCStatus>) in
                let others = self.waiting.removeValue(forKey: credentials) ?? []
                completion(outcome)
                for other in others {
                    switch outcome {
                    case .success: other(outcome)
                    // A refusal is counted and audited for each.
                    case .failure: self.judge(credentials, of: connection, by: server, completion: other)
                    }
                }
            }, eventLoop: connection.eventLoop)
        let shown = server.credentials(over: connection, token: credentials.token, nodeID: credentials.nodeID)
        server.tasks.run {
            let outcome = await server.authenticate(shown)
            reply.eventLoop.execute { reply.value(outcome) }
        }
    }
}
