internal import Authority
internal import AuthorityService
internal import GRPCHTTP2
internal import NIOCore
internal import NIOHPACK

/// The shell around one `SecretStream`: what the proxy says, what changes, and time become facts, and what the stream says
/// is done.
///
/// It lives on the event loop of its connection and waits for nothing: writing, issuing and judging end in an event. So a
/// proxy that stops reading delays nothing but its own responses, and its stream still ends at once when it is revoked. A
/// message is read only when the one before it is dealt with.
final class SecretSession: CallHandler, Sleeper {
    var alarm = Alarm()

    private let call: Call
    private let server: SecretServer
    private let form: SecretStream.Form
    private let sessions: LoopSessions
    private var phase: Phase
    /// While it is conversing: in a place of its own, where it is changed and not copied.
    private var conversation: Conversation?
    private var order: LeafOrder?
    /// Of its own length for each stream, so that thousands do not tick together.
    private let tick: Duration
    /// Events that came while another was being dealt with.
    private var later: [StreamEvent] = []
    private var isTelling = false

    private enum Phase {
        /// Nothing was asked yet.
        case opened(token: String?)
        case judging
        case conversing
        case ended
    }

    init(_ form: SecretStream.Form, call: Call, headers: HPACKHeaders, server: SecretServer) {
        self.form = form
        self.call = call
        self.server = server
        phase = .opened(token: SecretServer.token(in: headers))
        tick = server.limits.tick * Double.random(in: 0.8...1)
        sessions = server.sessions.value(on: call.connection.eventLoop)
        sessions.add(self)
        let wheel = call.connection.wheel
        wheel.set(self, at: wheel.now + TimeAmount(server.limits.firstMessageTimeout))
        call.readNext()
    }

    // MARK: What happens

    func received(_ message: ByteBuffer) {
        let nodeID: String
        let request: SecretRequest
        do {
            (nodeID, request) = try form.wire.decode(message)
        } catch {
            return end(GRPCStatus(code: .invalidArgument, message: "the message is no discovery request"))
        }
        guard case .opened(let token) = phase else { return tell(.asked(request)) }
        if let refusal = server.refusal(ofNodeID: nodeID) { return end(refusal) }
        phase = .judging
        let callers = call.connection.shared { ConnectionCallers() }
        callers.judge(.init(token: token, nodeID: nodeID), of: call.connection, by: server) { outcome in
            self.judged(outcome, nodeID: nodeID, request: request)
        }
    }

    func halfClosed() {
        if case .opened = phase { return end(.ok) }
        tell(.halfClosed)
    }

    func written() { tell(.written) }

    func goingAway() { end(.goingAway) }

    /// The authority's state changed.
    func changed() { tell(.changed) }

    func issued(_ outcome: Result<DeliveredLeaf, AuthorityError>) {
        order = nil
        tell(.issued(outcome))
    }

    func woke(at now: NIODeadline) {
        if case .opened = phase {
            SDSMetrics.limited("first-message-time")
            return end(
                GRPCStatus(code: .deadlineExceeded, message: "no request within \(server.limits.firstMessageTimeout)"))
        }
        tell(.woke)
    }

    func ended() { finish(nil) }

    private func judged(_ outcome: Result<Caller, GRPCStatus>, nodeID: String, request: SecretRequest) {
        guard case .judging = phase else { return }
        switch outcome {
        case .failure(let status): end(status)
        case .success(let caller):
            do {
                conversation = try Conversation(server: server, form: form, caller: caller, nodeID: nodeID, call: call)
            } catch {
                return end(GRPCStatus(error))
            }
            phase = .conversing
            tell(.asked(request))
        }
    }

    // MARK: What follows

    /// One event at a time: what is done for one may bring about the next.
    private func tell(_ event: StreamEvent) {
        guard case .conversing = phase else { return }
        guard !isTelling else { return later.append(event) }
        isTelling = true
        follow(event)
        while !later.isEmpty { follow(later.removeFirst()) }
        isTelling = false
    }

    private func follow(_ event: StreamEvent) {
        let wheel = call.connection.wheel
        guard let chores = conversation?.tell(event, at: wheel.now) else { return }
        for chore in chores {
            switch chore {
            case .end(let status): return end(status)
            case .issueLeaf: askForLeaf()
            case .send(let response): send(response)
            }
        }
        // None, if a response could not be encoded.
        guard let isOver = conversation?.isOver, let rest = conversation?.rest(atMost: tick) else { return }
        if isOver { return end(.ok) }
        wheel.set(self, at: wheel.now + TimeAmount(rest))
        if case .asked = event { call.readNext() }
    }

    private func askForLeaf() {
        guard let request = conversation?.leafRequest else { return }
        let order = LeafOrder(request, for: self, on: call.connection.eventLoop)
        self.order = order
        server.leaves.put(order)
    }

    private func send(_ response: SecretResponse) {
        do {
            call.send(try server.encoder.encode(response, as: form))
        } catch {
            end(GRPCStatus(code: .internalError, message: "internal: a secret could not be encoded"))
        }
    }

    private func end(_ status: GRPCStatus) {
        call.end(status)
        finish(status)
    }

    private func finish(_ status: GRPCStatus?) {
        phase = .ended
        conversation?.close(status)
        conversation = nil
        later = []
        order?.withdraw()
        order = nil
        call.connection.wheel.clear(self)
        sessions.remove(self)
    }
}
