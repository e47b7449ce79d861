internal import Authority
internal import AuthorityService
internal import GRPCCore
internal import PKI

/// The shell around one `SecretStream`: merges what the proxy says, what changes, and time into facts, and obeys.
///
/// One task owns the state machine and never waits for anything but the next event; reading, writing, issuing and sleeping
/// are its children, each of which ends in an event. So a proxy that stops reading delays nothing but its own responses,
/// and its stream still ends at once when it is revoked. A message is read only when the one before it is dealt with.
struct SecretSession<Form: DiscoveryForm>: Sendable {
    private typealias Event = StreamEvent<Form.Request>

    private let server: SecretServer
    private let metadata: Metadata
    private let context: ServerContext
    private let events: AsyncStream<Event>
    private let post: AsyncStream<Event>.Continuation
    private let clock = ContinuousClock()

    init(server: SecretServer, metadata: Metadata, context: ServerContext) {
        self.server = server
        self.metadata = metadata
        self.context = context
        (events, post) = AsyncStream.makeStream(of: Event.self)
    }

    /// Serves the stream to its end; returns when the proxy half-closed, throws what it is told otherwise.
    func run(
        messages: RPCAsyncSequence<Form.Request, any Error>, writer: RPCWriter<Form.Response>
    ) async throws(RPCError) {
        let outcome = await withRPCCancellationHandler {
            await withDiscardingTaskGroup(returning: Result<Void, RPCError>.self) { group in
                let outcome = await converse(messages, writer, &group)
                group.cancelAll()
                return outcome
            }
        } onCancelRPC: { [post] in
            post.yield(.cancelled)
        }
        try outcome.get()
    }

    private func converse(
        _ messages: RPCAsyncSequence<Form.Request, any Error>, _ writer: RPCWriter<Form.Response>,
        _ group: inout DiscardingTaskGroup
    ) async -> Result<Void, RPCError> {
        let (permits, permit) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        defer { permit.finish() }
        group.addTask { await read(messages, permits) }
        permit.yield()
        var iterator = events.makeAsyncIterator()
        var conversation: Conversation
        var event: Event?
        do {
            guard let first = try await firstRequest(from: &iterator, &group) else { return .success(()) }
            conversation = try await begin(first, &group)
            event = .asked(first)
        } catch {
            return .failure(error)
        }
        // A tick of its own length for each stream, so that thousands do not tick together.
        let tick = server.limits.tick * Double.random(in: 0.8...1)
        var alarm: ContinuousClock.Instant?
        while let happened = event {
            for chore in conversation.tell(happened, decode: Form.decode, at: clock.now) {
                switch chore {
                case .end(let error):
                    conversation.close(error)
                    return .failure(error)
                case .issueLeaf:
                    group.addTask { [caller = conversation.caller, node = conversation.node] in
                        await issueLeaf(for: caller, node: node)
                    }
                case .send(let response):
                    group.addTask { await write(response, to: writer) }
                }
            }
            if conversation.isOver {
                conversation.close(nil)
                return .success(())
            }
            if case .asked = happened { permit.yield() }
            if case .woke(let time) = happened, time == alarm { alarm = nil }
            let due = clock.now + conversation.rest(atMost: tick)
            if alarm.map({ due < $0 }) ?? true {
                alarm = due
                wake(at: due, &group)
            }
            event = await iterator.next()
        }
        // The server's own task was cancelled.
        conversation.close(.goingAway)
        return .failure(.goingAway)
    }

    /// The message that opens the conversation; nil when the proxy half-closes without one.
    private func firstRequest(
        from iterator: inout AsyncStream<Event>.Iterator, _ group: inout DiscardingTaskGroup
    ) async throws(RPCError) -> Form.Request? {
        wake(at: clock.now + server.limits.firstMessageTimeout, &group)
        switch await iterator.next() {
        case .asked(let request): return request
        case .halfClosed: return nil
        case .broken: throw RPCError(code: .cancelled, message: "the stream broke")
        case .woke: throw RPCError(code: .deadlineExceeded, message: "no request within \(server.limits.firstMessageTimeout)")
        case .cancelled, .changed, .issued, .written, nil: throw .goingAway
        }
    }

    private func begin(
        _ request: Form.Request, _ group: inout DiscardingTaskGroup
    ) async throws(RPCError) -> Conversation {
        let nodeID = Form.nodeID(of: request)
        // Listening begins before the judgement, so that no revocation falls between the two.
        let changes = server.authority.changes()
        let caller = try await server.authenticate(metadata: metadata, nodeID: nodeID, context: context)
        group.addTask {
            for await _ in changes { post.yield(.changed) }
        }
        let stream = SecretStream(
            form: Form.form, caller: caller, nonceTag: String(UInt64.random(in: .min ... .max), radix: 36),
            limits: server.limits)
        return Conversation(server: server, stream: stream, nodeID: nodeID, context: context)
    }

    // MARK: Children

    private func read(_ messages: RPCAsyncSequence<Form.Request, any Error>, _ permits: AsyncStream<Void>) async {
        do {
            var iterator = messages.makeAsyncIterator()
            for await _ in permits {
                guard let message = try await iterator.next() else {
                    post.yield(.halfClosed)
                    return
                }
                post.yield(.asked(message))
            }
        } catch {
            post.yield(.broken)
        }
    }

    private func write(_ response: SecretResponse, to writer: RPCWriter<Form.Response>) async {
        do {
            try await writer.write(Form.encode(response, from: server.authority.instance))
            post.yield(.written)
        } catch {
            post.yield(.broken)
        }
    }

    private func issueLeaf(for caller: Caller, node: String) async {
        do {
            post.yield(.issued(.success(try await server.authority.issueLeaf(for: caller, node: node))))
        } catch {
            post.yield(.issued(.failure(error)))
        }
    }

    private func wake(at time: ContinuousClock.Instant, _ group: inout DiscardingTaskGroup) {
        group.addTask {
            do {
                try await Task.sleep(until: time, clock: .continuous)
                post.yield(.woke(time))
            } catch {
                // Cancelled with the stream: nobody waits for the alarm any more.
            }
        }
    }
}
