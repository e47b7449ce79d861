internal import Authority
internal import AuthorityService
internal import GRPCHTTP2
internal import NIOCore
internal import PKI

/// A stream whose proxy is known: its state machine, and how facts reach it.
struct Conversation {
    /// The Envoy node: the same in the registry and in the ledger, so that a leaf is known to be this subscriber's.
    private let node: String
    private let server: SecretServer
    private var stream: SecretStream
    private var log: StreamLog
    private let registration: ProxyRegistry.StreamID
    private let source: String
    private var isHalfClosed = false
    /// Of the mesh, as the stream last saw it.
    private var edition: Int64?
    /// When the request, the change or the renewal came whose pushes are under way.
    private var dueAt: NIODeadline?

    /// Throws where the proxy opens streams too often.
    init(
        server: SecretServer, form: SecretStream.Form, caller: Caller, nodeID: String, call: Call
    ) throws(LimitRefusal) {
        node = Conversation.node(nodeID, of: caller)
        try server.authority.admission.admitStream(of: caller, node: node)
        self.server = server
        stream = SecretStream(
            form: form, caller: caller, nonceTag: String(UInt64.random(in: .min ... .max), radix: 36), limits: server.limits)
        log = StreamLog(server: server)
        registration = server.authority.proxies.opened(caller, node: node, at: server.authority.clock.now)
        source = call.connection.remotePeer
        log.opened(call, by: caller)
    }

    /// The Envoy node, or where it has no name the proxy's.
    static func node(_ nodeID: String, of caller: Caller) -> String {
        LogText.escaped(nodeID.isEmpty ? caller.proxy : nodeID)
    }

    private var caller: Caller { stream.caller }

    /// What a leaf of this proxy's is asked for by.
    var leafRequest: LeafRequest { LeafRequest(caller: caller, node: node) }

    /// Whether the proxy has said all it will, and was given all it asked for.
    var isOver: Bool { isHalfClosed && !stream.isBusy }

    /// How long nothing needs to be looked at, if nothing happens.
    func rest(atMost tick: Duration) -> Duration {
        let now = server.authority.clock.now
        return min(tick, stream.nextWake(after: now).map { $0 - now } ?? tick)
    }

    /// Tells the state machine, and does what it says as far as that needs no waiting: the rest is returned.
    mutating func tell(_ event: StreamEvent, at instant: NIODeadline) -> [Chore] {
        switch event {
        case .cancelled: return [.end(.goingAway)]
        case .halfClosed:
            isHalfClosed = true
            return []
        // Other meshes change too.
        case .changed where edition == server.authority.view().edition(of: stream.caller.mesh): return []
        case .asked, .changed, .issued, .woke, .written: break
        }
        let outlook = server.outlook(for: stream.caller)
        edition = outlook.revision
        let directives: [StreamDirective]
        switch event {
        case .asked(let request):
            dueAt = dueAt ?? instant
            directives = stream.requested(request, in: outlook)
        case .cancelled, .halfClosed:
            directives = []
        case .changed, .woke:
            dueAt = dueAt ?? instant
            directives = stream.noticed(outlook)
        case .issued(.success(let leaf)):
            log.leafIssued()
            directives = stream.leafIssued(leaf, in: outlook)
        case .issued(.failure(.refused(let refusal))):
            directives = stream.leafRefused(refusal, in: outlook)
        case .issued(.failure(let error)):
            log.leafDelayed(error, of: stream.caller)
            directives = stream.leafFailed(jitter: .random(in: 0...1), in: outlook)
        case .written:
            if let dueAt { SDSMetrics.push.recordNanoseconds((instant - dueAt).nanoseconds) }
            directives = stream.written(in: outlook)
        }
        if !stream.isBusy { dueAt = nil }
        return directives.compactMap { obey($0) }
    }

    /// The stream is over; `status` is what the proxy is told, nil when it ended the stream itself.
    func close(_ status: GRPCStatus?) {
        server.authority.proxies.closed(registration, at: server.authority.clock.now)
        log.closed(status ?? .ok, of: stream.caller)
    }

    private mutating func obey(_ directive: StreamDirective) -> Chore? {
        switch directive {
        case .end(let end):
            switch end {
            case .nameTooLong: SDSMetrics.limited("name-bytes")
            case .refused(let refusal): server.authority.note(refusal, caller: caller, source: source)
            case .tooManyNames: SDSMetrics.limited("names-per-stream")
            case .tooManyUnanswered: SDSMetrics.limited("unanswered-per-stream")
            }
            return .end(GRPCStatus(end))
        case .forget(let resource): server.authority.proxies.forget(registration, resource: resource)
        case .issueLeaf(.asked):
            do {
                try server.authority.admission.admitLeaf(for: caller, node: node)
            } catch {
                return .end(GRPCStatus(error))
            }
            return .issueLeaf
        case .issueLeaf(.owed): return .issueLeaf
        case .note(let note):
            log.note(note, of: stream.caller)
            server.audit(note, of: caller, source: source)
        case .report(let status): server.authority.proxies.report(registration, status)
        case .send(let response): return .send(response)
        }
        return nil
    }

    /// What needs waiting for.
    enum Chore {
        case end(GRPCStatus)
        case issueLeaf
        case send(SecretResponse)
    }
}
