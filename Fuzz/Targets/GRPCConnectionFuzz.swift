import GRPCHTTP2
import NIOCore
import NIOEmbedded

/// What a client sends on one connection, from HTTP/2's preface on: in blocks, each as one read. The first octet of each block
/// says how much time goes by before it.
///
/// Laws of the calls that it makes: no message before the handler asked for one, none that is too long, and none after the end;
/// `halfClosed` and `ended` at most once, and every call is over when the connection is.
enum GRPCConnectionFuzz {
    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        var input = FuzzInput(bytes)
        let watch = Watch()
        let router = CallRouter(["/echo": { call, _ in EchoCall(call, watch: watch) }])
        let channel = EmbeddedChannel()
        try ConnectionAcceptor(router: router, limits: limits).accept(channel)
        channel.connect(to: try SocketAddress(unixDomainSocketPath: "/fuzz"), promise: nil)
        while !input.isAtEnd, channel.isActive {
            let block = input.block()
            guard let pause = block.first else { continue }
            channel.embeddedEventLoop.advanceTime(by: .milliseconds(Int64(pause) * Int64(pause)))
            // An error has been answered with a reset or a GOAWAY.
            _ = try? channel.writeInbound(ByteBuffer(bytes: block.dropFirst()))
            channel.embeddedEventLoop.run()
            while try channel.readOutbound(as: ByteBuffer.self) != nil {}
        }
        channel.close(promise: nil)
        // Until the last alarm has let go of what it was to wake: what lives longer is a leak.
        for _ in 0..<3 { channel.embeddedEventLoop.advanceTime(by: .seconds(60)) }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        if let law = watch.broken { throw BrokenInvariant(law) }
        try BrokenInvariant.require(watch.open == 0, "\(watch.open) calls outlive their connection")
        return FuzzTarget.Verdict(watch.messages > 0)
    }

    private static let limits = ConnectionLimits(
        streams: 10, messageBytes: Watch.longest, handshake: nil, firstCall: .seconds(15), idle: .seconds(60),
        keepalive: .seconds(30), keepaliveTimeout: .seconds(10), clientPingInterval: .seconds(10))
}

/// What the calls of one connection have seen. Everything happens on the one thread of an embedded event loop.
private final class Watch: @unchecked Sendable {
    /// Octets of the longest message; small, so that the fuzzer reaches it.
    static let longest = 4096

    var open = 0
    var messages = 0
    var broken: String?
}

/// Answers each message with itself, and ends when the client has said all.
private final class EchoCall: CallHandler {
    private let call: Call
    private let watch: Watch
    private var isWaiting = false
    private var isHalfClosed = false
    private var isOver = false

    init(_ call: Call, watch: Watch) {
        self.call = call
        self.watch = watch
        watch.open += 1
        // Not before the transport has taken the handler.
        call.connection.eventLoop.assumeIsolated().execute { self.readNext() }
    }

    private func readNext() {
        guard !isOver else { return }
        isWaiting = true
        call.readNext()
    }

    private func require(_ holds: Bool, _ law: String) {
        if !holds, watch.broken == nil { watch.broken = law }
    }

    private func finish() {
        isOver = true
        watch.open -= 1
    }

    func received(_ message: ByteBuffer) {
        require(!isOver, "a message after the end")
        require(isWaiting, "a message that nobody asked for")
        require(!isHalfClosed, "a message after the client has said all")
        require(message.readableBytes <= Watch.longest, "a message of \(message.readableBytes) octets")
        isWaiting = false
        watch.messages += 1
        call.send(FramedMessage(capacity: message.readableBytes) { $0.writeImmutableBuffer(message) })
    }

    func written() {
        require(!isOver, "told of a write after the end")
        readNext()
    }

    func halfClosed() {
        require(!isOver && !isHalfClosed, "told twice that the client has said all")
        isHalfClosed = true
        finish()
        call.end(.ok)
    }

    func goingAway() { require(!isOver, "told to go away after the end") }

    func ended() {
        require(!isOver, "ended twice")
        finish()
    }
}
