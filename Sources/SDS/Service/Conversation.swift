internal import Authority
internal import AuthorityService
internal import GRPCCore
internal import PKI

/// A stream whose proxy is known: its state machine, and how facts reach it.
struct Conversation {
    /// The Envoy node: the same in the registry and in the ledger, so that a leaf is known to be this subscriber's.
    let node: String
    private let server: SecretServer
    private var stream: SecretStream
    private var log: StreamLog
    private let registration: ProxyRegistry.StreamID
    private let source: String
    private var isHalfClosed = false
    /// When the request, the change or the renewal came whose pushes are under way.
    private var dueAt: ContinuousClock.Instant?

    init(server: SecretServer, stream: SecretStream, nodeID: String, context: ServerContext) {
        self.server = server
        self.stream = stream
        log = StreamLog(
            logger: server.logger(for: stream.caller), mesh: stream.caller.mesh, mostLines: server.limits.mostLogLines)
        node = LogText.escaped(nodeID.isEmpty ? stream.caller.proxy : nodeID)
        registration = server.authority.proxies.opened(stream.caller, node: node, at: server.authority.clock.now)
        source = context.remotePeer
        log.opened(by: context)
    }

    var caller: Caller { stream.caller }

    /// Whether the proxy has said all it will, and was given all it asked for.
    var isOver: Bool { isHalfClosed && !stream.isBusy }

    /// How long nothing needs to be looked at, if nothing happens.
    func rest(atMost tick: Duration) -> Duration {
        let now = server.authority.clock.now
        return min(tick, stream.nextWake(after: now).map { $0 - now } ?? tick)
    }

    /// Tells the state machine, and does what it says as far as that needs no waiting: the rest is returned.
    mutating func tell<Request>(
        _ event: StreamEvent<Request>, decode: (Request) -> SecretRequest, at instant: ContinuousClock.Instant
    ) -> [Chore] {
        let outlook = server.outlook(for: stream.caller)
        let directives: [StreamDirective]
        switch event {
        case .asked(let request):
            dueAt = dueAt ?? instant
            directives = stream.requested(decode(request), in: outlook)
        case .broken:
            return [.end(RPCError(code: .cancelled, message: "the stream broke"))]
        case .cancelled:
            return [.end(.goingAway)]
        case .changed:
            dueAt = dueAt ?? instant
            directives = stream.noticed(outlook)
        case .halfClosed:
            isHalfClosed = true
            return []
        case .issued(.success(let leaf)):
            log.leafIssued()
            directives = stream.leafIssued(leaf, in: outlook)
        case .issued(.failure(.refused(let refusal))):
            directives = stream.leafRefused(refusal, in: outlook)
        case .issued(.failure(let error)):
            log.leafDelayed(error)
            directives = stream.leafFailed(jitter: .random(in: 0...1), in: outlook)
        case .woke:
            dueAt = dueAt ?? instant
            directives = stream.noticed(outlook)
        case .written:
            if let dueAt { SDSMetrics.push.record(duration: dueAt.duration(to: instant)) }
            directives = stream.written(in: outlook)
        }
        if !stream.isBusy { dueAt = nil }
        return directives.compactMap { obey($0) }
    }

    /// The stream is over; `error` is what the proxy is told.
    func close(_ error: RPCError?) {
        server.authority.proxies.closed(registration, at: server.authority.clock.now)
        log.closed(error)
    }

    private mutating func obey(_ directive: StreamDirective) -> Chore? {
        switch directive {
        case .end(let end):
            if case .refused(let refusal) = end { server.authority.note(refusal, caller: caller, source: source) }
            return .end(RPCError(end))
        case .forget(let resource): server.authority.proxies.forget(registration, resource: resource)
        case .issueLeaf: return .issueLeaf
        case .note(let note):
            log.note(note)
            server.audit(note, of: caller, source: source)
        case .report(let status): server.authority.proxies.report(registration, status)
        case .send(let response): return .send(response)
        }
        return nil
    }

    /// What needs waiting for.
    enum Chore: Sendable {
        case end(RPCError)
        case issueLeaf
        case send(SecretResponse)
    }
}
