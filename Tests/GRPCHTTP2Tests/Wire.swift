import GRPCHTTP2
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2

/// A client and the server's side of a connection, joined by hand: every frame that the client gets is a line.
final class Wire {
    let loop = EmbeddedEventLoop()
    let server: EmbeddedChannel
    let client: EmbeddedChannel
    /// The handlers of the calls, in the order in which they were opened.
    private let opened: Box

    private final class Box {
        var calls: [Recorder] = []
        var exceeded: [ExceededLimit] = []
    }

    static let path = "/test.Echo/Say"
    static let limits = ConnectionLimits(
        streams: 4, messageBytes: 1000, handshake: nil, firstCall: .seconds(20), idle: .seconds(60), keepalive: .seconds(30),
        keepaliveTimeout: .seconds(20), clientPingInterval: .seconds(5))

    init(
        limits: ConnectionLimits = Wire.limits, clientSettings: HTTP2Settings = [],
        chain: @escaping () -> [[UInt8]]? = { nil }
    ) throws {
        let opened = NIOLoopBound(Box(), eventLoop: loop)
        self.opened = opened.value
        server = EmbeddedChannel(loop: loop)
        client = EmbeddedChannel(loop: loop)
        let router = CallRouter([
            Wire.path: { call, _ in
                let recorder = Recorder(call)
                opened.value.calls.append(recorder)
                return recorder
            }
        ])
        let acceptor = ConnectionAcceptor(router: router, limits: limits) { opened.value.exceeded.append($0) }
        try acceptor.accept(server, chain: chain)
        try client.pipeline.syncOperations.addHandler(
            NIOHTTP2Handler(mode: .client, initialSettings: clientSettings, headerBlockValidation: .disabled))
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        server.connect(to: address, promise: nil)
        client.connect(to: address, promise: nil)
    }

    deinit {
        client.close(promise: nil)
        server.close(promise: nil)
        loop.run()
    }

    var calls: [Recorder] { opened.calls }
    /// The limits that the client went beyond, in order.
    var exceeded: [ExceededLimit] { opened.exceeded }

    // MARK: The client

    static let head: HPACKHeaders = [
        ":method": "POST", ":scheme": "http", ":path": path, ":authority": "test", "content-type": "application/grpc",
        "te": "trailers",
    ]

    /// Not waited for: what the windows or the limit of streams have no room for stays with the client until they have.
    func write(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) throws {
        var outcome: Result<Void, any Error>?
        let written = client.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { outcome = $0 }
        client.writeAndFlush(HTTP2Frame(streamID: id, payload: payload), promise: written)
        try outcome?.get()
    }

    /// Opens a call whatever the client's own HTTP/2 thinks of it.
    func force(_ id: HTTP2StreamID, _ head: HPACKHeaders = Wire.head) throws {
        var encoder = HPACKEncoder(allocator: ByteBufferAllocator(), maxDynamicTableSize: 0)
        var block = ByteBuffer()
        try encoder.encode(headers: head, to: &block)
        // RFC 9113 §6.2 and §6.10: a length of 24 bits, HEADERS or CONTINUATION, END_HEADERS at the last, the stream.
        var type: UInt32 = 1
        while block.readableBytes > 0 {
            var part = block.readSlice(length: min(block.readableBytes, 16_000)) ?? ByteBuffer()
            var frame = ByteBuffer()
            frame.writeInteger(UInt32(part.readableBytes) << 8 | type)
            frame.writeInteger(UInt8(block.readableBytes == 0 ? 4 : 0))
            frame.writeInteger(UInt32(Int(id)))
            frame.writeBuffer(&part)
            try server.writeInbound(frame)
            type = 9
        }
    }

    /// Opens a call; returns what came of it.
    @discardableResult func open(
        _ id: HTTP2StreamID, _ head: HPACKHeaders = Wire.head, endStream: Bool = false
    ) throws -> [String] {
        try write(id, .headers(.init(headers: head, endStream: endStream)))
        return try exchange()
    }

    func data(_ id: HTTP2StreamID, _ octets: [UInt8], endStream: Bool = false) throws {
        try write(id, .data(.init(data: .byteBuffer(ByteBuffer(bytes: octets)), endStream: endStream)))
    }

    /// Says one message in a frame of its own; returns what came of it.
    @discardableResult func say(_ id: HTTP2StreamID, _ text: String, endStream: Bool = false) throws -> [String] {
        try data(id, Wire.framed(text), endStream: endStream)
        return try exchange()
    }

    static func framed(_ text: String, flag: UInt8 = 0) -> [UInt8] {
        var buffer = ByteBuffer()
        buffer.writeInteger(flag)
        buffer.writeInteger(UInt32(text.utf8.count))
        buffer.writeString(text)
        return Array(buffer.readableBytesView)
    }

    /// Carries octets both ways until there are none; returns the frames that reached the client, but for those that every
    /// connection begins with.
    @discardableResult func exchange() throws -> [String] {
        var lines: [String] = []
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            while case .byteBuffer(let octets)? = try client.readOutbound(as: IOData.self) {
                isQuiet = false
                try server.writeInbound(octets)
            }
            while case .byteBuffer(let octets)? = try server.readOutbound(as: IOData.self) {
                isQuiet = false
                try client.writeInbound(octets)
            }
        }
        while let frame = try client.readInbound(as: HTTP2Frame.self) {
            if let line = Wire.text(of: frame) { lines.append(line) }
        }
        return lines
    }

    /// Lets time pass, then carries octets.
    func pass(_ time: TimeAmount) throws -> [String] {
        loop.advanceTime(by: time)
        return try exchange()
    }

    var isOpen: Bool { server.isActive }

    private static func text(of frame: HTTP2Frame) -> String? {
        let id = Int(frame.streamID)
        switch frame.payload {
        case .settings: return nil
        case .headers(let headers):
            let fields = headers.headers.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
            return "\(id) headers \(fields)\(headers.endStream ? " end" : "")"
        case .data(let data):
            guard case .byteBuffer(let buffer) = data.data else { return "\(id) file" }
            let whole = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self).map { Int($0) == buffer.readableBytes - 5 }
            let text =
                whole == true && buffer.readableBytes < 100
                ? "[\(String(buffer: buffer.getSlice(at: 5, length: buffer.readableBytes - 5) ?? ByteBuffer()))]"
                : "\(buffer.readableBytes) octets"
            return "\(id) data \(text)\(data.endStream ? " end" : "")"
        case .rstStream(let code): return "\(id) reset \(name(code))"
        case .windowUpdate(let size): return "\(id) window +\(size)"
        case .ping(_, let ack): return ack ? "pong" : "ping"
        case .goAway(let last, let code, let data):
            return "away \(Int(last)) \(name(code))\(data.map { " \(String(buffer: $0))" } ?? "")"
        default: return "\(id) other"
        }
    }

    private static func name(_ code: HTTP2ErrorCode) -> String {
        switch code {
        case .noError: "none"
        case .cancel: "cancel"
        case .protocolError: "protocol"
        case .refusedStream: "refused"
        case .enhanceYourCalm: "calm"
        case .flowControlError: "window"
        default: "\(code)"
        }
    }
}
