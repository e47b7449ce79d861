package import NIOCore
internal import NIOHPACK
package import NIOHTTP2
internal import NIOTLS

/// The server's side of one HTTP/2 connection that carries gRPC calls.
///
/// It takes the frames of all streams from `NIOHTTP2Handler` itself: no channel, no pipeline and no task for a stream, for a
/// proxy is two streams that stay silent for hours, and thousands of them are what the memory is planned by. That handler
/// keeps the protocol's state, compresses headers, honours the client's windows and answers pings; here are the calls, the
/// windows of what comes in, and time: handshake, first call, idleness, keepalive, going away.
///
/// What does not fit: a frame for a call that is over is dropped, since ours and theirs may cross; an error of a stream ends
/// that stream, and one of the connection, which `NIOHTTP2Handler` has answered with GOAWAY, closes it.
package final class GRPCConnection: ChannelInboundHandler, Sleeper {
    package typealias InboundIn = HTTP2Frame
    package typealias OutboundOut = HTTP2Frame

    package let eventLoop: any EventLoop
    /// The client's address, such as `ipv4:127.0.0.1:45796` or `unix:`.
    package let remotePeer: String
    /// For whoever serves its calls.
    package let wheel: AlarmWheel
    package var alarm = Alarm()

    let limits: ConnectionLimits
    private let router: CallRouter
    private let chain: () -> [[UInt8]]?
    /// Of all connections of the door on this event loop.
    let partials: PartialMessages
    /// Told when the client goes beyond a limit.
    let exceeded: (ExceededLimit) -> Void
    private var context: ChannelHandlerContext?
    private var calls: [HTTP2StreamID: Call] = [:]
    private var companion: AnyObject?
    private var pings: PingPolicy

    private var state = State.handshaking
    private let openedAt: NIODeadline
    private var heardAt: NIODeadline
    private var pingedAt: NIODeadline?
    /// Since when there is no call; nil: before the first, and while there is one.
    private var idleSince: NIODeadline?
    private var newestCall = HTTP2StreamID.rootStream
    /// Between a read and its end: what is written meanwhile is flushed once, at the end.
    private var isReading = false
    private var isGoingAway = false
    /// Whether `NIOHTTP2Handler` has given the connection up.
    private var isBroken = false

    private enum State {
        case handshaking
        /// Nobody has asked for anything yet.
        case silent
        case serving
        case closed
    }

    /// HTTP/2's own initial window for streams and connections (RFC 9113 §6.9.2): messages here are a few hundred octets.
    static let window = 65_535

    /// `chain` gives the client certificate chain that was verified in the handshake, DER, leaf first.
    init(
        channel: any Channel, router: CallRouter, limits: ConnectionLimits, wheel: AlarmWheel,
        chain: @escaping () -> [[UInt8]]?, partials: PartialMessages, exceeded: @escaping (ExceededLimit) -> Void
    ) {
        eventLoop = channel.eventLoop
        remotePeer = GRPCConnection.text(of: channel.remoteAddress)
        self.router = router
        self.limits = limits
        self.wheel = wheel
        self.chain = chain
        self.partials = partials
        self.exceeded = exceeded
        pings = PingPolicy(interval: limits.clientPingInterval)
        openedAt = wheel.now
        heardAt = openedAt
        if limits.handshake == nil { state = .silent }
    }

    // MARK: For handlers of calls

    /// DER, leaf first; nil where the door asks for no certificate, and where a session was resumed, since then nothing was
    /// verified.
    package var peerChain: [[UInt8]]? { chain() }

    /// What the calls of this connection share, made at the first call.
    package func shared<Companion: AnyObject>(_ make: () -> Companion) -> Companion {
        if let companion = companion as? Companion { return companion }
        let made = make()
        companion = made
        return made
    }

    // MARK: For its calls

    var heldBytes: Int { calls.values.reduce(0) { $0 + $1.heldBytes } }

    func write(_ payload: HTTP2Frame.FramePayload, on id: HTTP2StreamID, promise: EventLoopPromise<Void>? = nil) {
        guard let context else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        if id != .rootStream { pings.sentSomething() }
        context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: payload)), promise: promise)
    }

    func flush() {
        if !isReading { context?.flush() }
    }

    // MARK: Frames

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        wheel.set(self, at: openedAt + min(limits.handshake ?? limits.firstCall, limits.firstCall))
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        closed()
        self.context = nil
    }

    package func channelInactive(context: ChannelHandlerContext) {
        closed()
        context.fireChannelInactive()
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        heardAt = wheel.now
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .data(let data):
            guard case .byteBuffer(let buffer) = data.data else { return }
            calls[frame.streamID]?.received(buffer, isLast: data.endStream)
        case .headers(let headers):
            if let call = calls[frame.streamID] {
                if headers.endStream { call.clientIsDone() }
            } else {
                open(frame.streamID, headers)
            }
        case .ping(_, ack: false):
            if pings.received(at: heardAt) {
                exceeded(.pings)
                giveUp(.enhanceYourCalm, "too_many_pings")
            }
        case .goAway:
            goAway()
        case .alternativeService, .origin, .ping, .priority, .pushPromise, .rstStream, .settings, .windowUpdate:
            // Dealt with by `NIOHTTP2Handler`; a reset arrives as a closed stream.
            break
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.flush()
        context.fireChannelReadComplete()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let window as NIOHTTP2WindowUpdatedEvent: windowChanged(window)
        case let closed as StreamClosedEvent:
            if let call = calls.removeValue(forKey: closed.streamID) {
                call.closed()
                callEnded()
            }
        case TLSUserEvent.handshakeCompleted:
            if state == .handshaking {
                state = .silent
                wheel.set(self, at: openedAt + limits.firstCall)
            }
        case is ChannelShouldQuiesceEvent: goAway()
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let limit = ExceededLimit(error) { exceeded(limit) }
        // An error of one stream has been answered with a reset. TLS and the socket close the channel themselves.
        if isBroken { context.close(promise: nil) }
    }

    private func windowChanged(_ event: NIOHTTP2WindowUpdatedEvent) {
        guard let size = event.inboundWindowSize else { return }
        guard event.streamID == .rootStream else {
            calls[event.streamID]?.windowChanged(to: size)
            return
        }
        // What the calls hold is bounded by itself, so that one that is not read does not stop the others.
        guard size <= GRPCConnection.window / 2 else { return }
        write(.windowUpdate(windowSizeIncrement: GRPCConnection.window - size), on: .rootStream)
        flush()
    }

    // MARK: Calls

    private func open(_ id: HTTP2StreamID, _ frame: HTTP2Frame.FramePayload.Headers) {
        newestCall = max(newestCall, id)
        state = .serving
        idleSince = nil
        let head: CallHead
        do {
            head = try CallHead(frame.headers)
        } catch {
            write(.headers(.init(headers: error.headers, endStream: true)), on: id)
            if !frame.endStream { write(.rstStream(.noError), on: id) }
            flush()
            return callEnded()
        }
        let call = Call(id: id, path: head.path, connection: self)
        calls[id] = call
        guard let opening = router[head.path] else {
            return call.end(GRPCStatus(code: .unimplemented, message: "there is no \(head.path.prefix(200))"))
        }
        if let timeout = head.timeout {
            eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak call] in call?.deadlinePassed() }
        }
        call.begin(with: opening(call, frame.headers), isComplete: frame.endStream)
    }

    private func callEnded() {
        guard calls.isEmpty, state != .closed else { return }
        if isGoingAway {
            close()
        } else {
            let now = wheel.now
            idleSince = now
            wheel.set(self, at: min(now + limits.idle, heardAt + limits.keepalive))
        }
    }

    // MARK: Time

    package func woke(at now: NIODeadline) {
        var next: [NIODeadline] = []
        switch state {
        case .closed: return
        case .handshaking:
            let end = openedAt + min(limits.handshake ?? limits.firstCall, limits.firstCall)
            guard now < end else {
                exceeded(.handshakeTime)
                return close()
            }
            next.append(end)
        case .silent:
            guard now < openedAt + limits.firstCall else {
                exceeded(.firstCallTime)
                return close()
            }
            next.append(openedAt + limits.firstCall)
        case .serving:
            if let idleSince {
                guard now < idleSince + limits.idle else { return goAway() }
                next.append(idleSince + limits.idle)
            }
            guard let end = keepAlive(at: now) else { return close() }
            next.append(end)
        }
        if let first = next.min() { wheel.set(self, at: first) }
    }

    /// Pings when nothing was heard for long; gives when to look again, or nil when the client is gone.
    private func keepAlive(at now: NIODeadline) -> NIODeadline? {
        if let pinged = pingedAt {
            if heardAt > pinged {
                pingedAt = nil
            } else {
                return now < pinged + limits.keepaliveTimeout ? pinged + limits.keepaliveTimeout : nil
            }
        }
        guard now >= heardAt + limits.keepalive else { return heardAt + limits.keepalive }
        pingedAt = now
        write(.ping(HTTP2PingData(), ack: false), on: .rootStream)
        flush()
        return now + limits.keepaliveTimeout
    }

    // MARK: The end

    /// Accepts no more calls, asks those that there are to end, and closes when they have.
    private func goAway() {
        guard !isGoingAway, state != .closed else { return }
        isGoingAway = true
        guard state == .serving else { return close() }
        // Calls above this one were not begun, and may be made again elsewhere.
        write(.goAway(lastStreamID: newestCall, errorCode: .noError, opaqueData: nil), on: .rootStream)
        flush()
        for call in Array(calls.values) { call.goingAway() }
        if calls.isEmpty { close() }
    }

    private func giveUp(_ code: HTTP2ErrorCode, _ reason: String) {
        isGoingAway = true
        let text = ByteBuffer(string: reason)
        write(.goAway(lastStreamID: newestCall, errorCode: code, opaqueData: text), on: .rootStream)
        context?.flush()
        close()
    }

    private func close() {
        context?.close(promise: nil)
    }

    private func closed() {
        guard state != .closed else { return }
        state = .closed
        wheel.clear(self)
        let open = Array(calls.values)
        calls = [:]
        for call in open { call.closed() }
        companion = nil
    }

    private static func text(of address: SocketAddress?) -> String {
        guard let address else { return "unknown" }
        switch address {
        case .v4: return "\(address.ipAddress ?? ""):\(address.port ?? 0)"
        case .v6: return "[\(address.ipAddress ?? "")]:\(address.port ?? 0)"
        case .unixDomainSocket: return "unix"
        }
    }
}

extension GRPCConnection: NIOHTTP2FrameDelegate {
    /// A GOAWAY that is not this connection's own is the answer to an error after which nothing more is read.
    package func wroteFrame(_ frame: HTTP2Frame) {
        if case .goAway = frame.payload, !isGoingAway { isBroken = true }
    }
}
