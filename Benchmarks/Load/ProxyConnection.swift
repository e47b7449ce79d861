import NIOCore
import NIOHPACK
import NIOTLS

/// One connection of one proxy: HTTP/2 and SDS over the TLS handler before it.
///
/// It sends what it can in one write: all of its opening, and after that all acknowledgements of what one read brought.
final class ProxyConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    /// One SDS stream.
    private struct Stream {
        let plan: StreamPlan
        /// What the peer will still take of it.
        var window = HTTP2Frame.initialWindow
        /// The part of a gRPC message that has come.
        var partial: ByteBuffer?
        var awaitsBarrier: Bool
    }

    private let proxy: SimulatedProxy
    private let purpose: LoadPlan.Purpose
    private let attempt: Fleet.Attempt
    private let fleet: Fleet
    private var streams: [Stream]

    private var unread = ByteBuffer()
    private var outgoing = ByteBuffer()
    private var connectionWindow = HTTP2Frame.initialWindow
    /// SETTINGS_INITIAL_WINDOW_SIZE of the peer.
    private var initialWindow = HTTP2Frame.initialWindow
    /// Frames that a window holds back: index of the stream, octets that count, frame.
    private var held: [(stream: Int, count: Int, frame: ByteBuffer)] = []
    private var hasSettings = false
    private var isServed = false
    private var hasIdentity = false
    private var hasBundle = false
    /// All that came, in order: HPACK can be read only from the beginning, and is read only when a stream ends.
    private var headerBlocks: [ByteBuffer] = []
    private var reason: String?

    init(proxy: SimulatedProxy, purpose: LoadPlan.Purpose, attempt: Fleet.Attempt, fleet: Fleet) {
        self.proxy = proxy
        self.purpose = purpose
        self.attempt = attempt
        self.fleet = fleet
        streams = fleet.plan.streams(for: purpose).map { Stream(plan: $0, awaitsBarrier: purpose == .returning) }
    }

    // MARK: Channel

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { open(context) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
        do {
            while let frame = HTTP2Frame(from: &unread) { try receive(frame) }
        } catch {
            close(context, "\(error)")
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if unread.readableBytes == 0 { unread = ByteBuffer() }
        send(context)
        if reason != nil { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(context, "\(error)") }

    func channelInactive(context: ChannelHandlerContext) {
        fleet.closed(attempt, reason ?? "the connection was closed")
        context.fireChannelInactive()
    }

    private func close(_ context: ChannelHandlerContext, _ why: String) {
        reason = reason ?? why
        context.close(promise: nil)
    }

    private func send(_ context: ChannelHandlerContext) {
        guard outgoing.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        outgoing = ByteBuffer()
    }

    // MARK: What is said first

    private func open(_ context: ChannelHandlerContext) {
        outgoing.reserveCapacity(2048)
        HTTP2Frame.writeOpening(to: &outgoing)
        for index in streams.indices {
            streams[index].plan.writeOpening(to: &outgoing)
            let held = purpose == .returning ? proxy.versions[index] : []
            request(on: index, version: held, node: proxy.node)
            if purpose == .returning { request(on: index, version: held) }
        }
        send(context)
    }

    private func request(on index: Int, version: [UInt8], nonce: [UInt8] = [], node: [UInt8] = []) {
        var frame = ByteBuffer()
        // What a proxy that returns asks for first is what it had.
        let withBarrier = streams[index].awaitsBarrier && node.isEmpty
        let count = streams[index].plan.writeRequest(
            version: version, nonce: nonce, node: node, withBarrier: withBarrier, to: &frame)
        held.append((index, count, frame))
        release()
    }

    /// Sends what the windows allow; what is behind a full one waits with it, so that no stream's requests change their order.
    private func release() {
        while let next = held.first, next.count <= connectionWindow, next.count <= streams[next.stream].window {
            connectionWindow -= next.count
            streams[next.stream].window -= next.count
            var frame = next.frame
            outgoing.writeBuffer(&frame)
            held.removeFirst()
        }
    }

    // MARK: Frames

    private func receive(_ frame: HTTP2Frame) throws {
        guard frame.flags & HTTP2Frame.Flag.padded == 0 || frame.kind > HTTP2Frame.Kind.headers else {
            throw Unexpected(description: "the service pads its frames")
        }
        switch frame.kind {
        case HTTP2Frame.Kind.data: try receive(frame.payload, on: frame.stream, isLast: frame.flags & HTTP2Frame.Flag.first != 0)
        case HTTP2Frame.Kind.headers: try receiveHeaders(frame)
        case HTTP2Frame.Kind.settings: receiveSettings(frame)
        case HTTP2Frame.Kind.ping:
            guard frame.flags & HTTP2Frame.Flag.first == 0 else { return }
            var payload = frame.payload
            HTTP2Frame.writeHeader(
                HTTP2Frame.Kind.ping, flags: HTTP2Frame.Flag.first, length: payload.readableBytes, to: &outgoing)
            outgoing.writeBuffer(&payload)
        case HTTP2Frame.Kind.windowUpdate:
            guard let more = frame.payload.getInteger(at: frame.payload.readerIndex, as: UInt32.self) else { return }
            if frame.stream == 0 {
                connectionWindow += Int(more)
            } else if let index = index(of: frame.stream) {
                streams[index].window += Int(more)
            }
            release()
        case HTTP2Frame.Kind.goAway: throw Unexpected(description: "the service goes away")
        case HTTP2Frame.Kind.resetStream: throw Unexpected(description: "the service reset a stream")
        case HTTP2Frame.Kind.continuation: throw Unexpected(description: "the service continues its headers")
        default: break
        }
    }

    private func receiveSettings(_ frame: HTTP2Frame) {
        guard frame.flags & HTTP2Frame.Flag.first == 0 else { return }
        var payload = frame.payload
        while let (identifier, value) = payload.readMultipleIntegers(as: (UInt16, UInt32).self) {
            guard identifier == HTTP2Frame.initialWindowSetting else { continue }
            for index in streams.indices { streams[index].window += Int(value) - initialWindow }
            initialWindow = Int(value)
        }
        HTTP2Frame.writeHeader(HTTP2Frame.Kind.settings, flags: HTTP2Frame.Flag.first, length: 0, to: &outgoing)
        release()
        // With TLS 1.3 a client is through before the service has looked at its certificate: this is the first word of a service
        // that has.
        guard !hasSettings else { return }
        hasSettings = true
        fleet.connected(attempt)
        if purpose == .handshakes { serve() }
    }

    private func receiveHeaders(_ frame: HTTP2Frame) throws {
        headerBlocks.append(frame.payload)
        guard frame.flags & HTTP2Frame.Flag.first != 0 else { return }
        throw Unexpected(description: "the service ended a stream: \(status)")
    }

    /// gRPC's status and message, where the service sent them.
    private var status: String {
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        var last = HPACKHeaders()
        for var block in headerBlocks { last = (try? decoder.decodeHeaders(from: &block)) ?? last }
        return "status \(last.first(name: "grpc-status") ?? "?") \(last.first(name: "grpc-message") ?? "")"
    }

    private func index(of stream: Int) -> Int? { streams.firstIndex { $0.plan.number == stream } }

    // MARK: SDS

    private func receive(_ payload: ByteBuffer, on number: Int, isLast: Bool) throws {
        guard let index = index(of: number), !isLast else { throw Unexpected(description: "the service ended a stream") }
        var bytes = payload
        if var partial = streams[index].partial {
            streams[index].partial = nil
            partial.writeBuffer(&bytes)
            bytes = partial
        }
        while let length = bytes.getInteger(at: bytes.readerIndex + 1, as: UInt32.self), bytes.readableBytes >= 5 + Int(length) {
            bytes.moveReaderIndex(forwardBy: 5)
            guard let message = bytes.readSlice(length: Int(length)) else { break }
            try answer(try DiscoveryAnswer(message), on: index)
        }
        if bytes.readableBytes > 0 { streams[index].partial = bytes }
    }

    private func answer(_ answer: DiscoveryAnswer, on index: Int) throws {
        if answer.hasBarrier { streams[index].awaitsBarrier = false }
        request(on: index, version: answer.version, nonce: answer.nonce)
        if purpose == .seeding {
            guard let leaf = try answer.leaf() else { return }
            fleet.identities.put(leaf, of: proxy.number)
            serve()
            reason = "seeded"
            return
        }
        proxy.versions[index] = answer.version
        if let identity = answer.identity {
            hasIdentity = true
            if identity != proxy.identity {
                if fleet.identities.keeps(proxy.number), let leaf = try answer.leaf() {
                    fleet.identities.put(leaf, of: proxy.number)
                }
                if purpose == .returning, !isServed { fleet.renewed(attempt) }
                fleet.tally.acknowledged(.identity, identity, insteadOf: proxy.identity)
                proxy.identity = identity
            }
        }
        if let bundle = answer.bundle {
            hasBundle = true
            if bundle != proxy.bundle {
                fleet.tally.acknowledged(.bundle, bundle, insteadOf: proxy.bundle)
                proxy.bundle = bundle
            }
        }
        let isComplete =
            purpose == .returning ? !streams.contains { $0.awaitsBarrier } : hasIdentity && hasBundle
        if isComplete { serve() }
    }

    private func serve() {
        guard !isServed else { return }
        isServed = true
        fleet.served(attempt)
    }
}
