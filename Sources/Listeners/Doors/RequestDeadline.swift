internal import NIOCore

/// Closes an HTTP connection on which one request takes too long, however slowly it keeps arriving.
///
/// The time runs from a request's first byte: a short one to the end of its headers, and a longer one to the end of its answer.
/// Idle connections are not its business.
final class RequestDeadline: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Sent down the pipeline when a request was answered.
    struct Answered: Sendable {}

    private let headers: TimeAmount
    private let whole: TimeAmount
    private var head = HeadEnd()
    private var deadline: Scheduled<Void>?

    init(headers: Duration, whole: Duration) {
        self.headers = TimeAmount(min(headers, whole))
        self.whole = TimeAmount(whole)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if deadline == nil { close(context.channel, in: headers, for: "header-time") }
        if !head.hasCome, head.comes(in: unwrapInboundIn(data)) {
            deadline?.cancel()
            close(context.channel, in: whole, for: "request-time")
        }
        context.fireChannelRead(data)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Answered else { return context.triggerUserOutboundEvent(event, promise: promise) }
        deadline?.cancel()
        deadline = nil
        head = HeadEnd()
        promise?.succeed()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
    }

    private func close(_ channel: any Channel, in time: TimeAmount, for limit: String) {
        deadline = channel.eventLoop.scheduleTask(in: time) {
            DoorMetrics.limited(limit)
            channel.close(promise: nil)
        }
    }

    /// Finds the empty line that ends the headers, in whatever pieces it comes.
    struct HeadEnd {
        private(set) var hasCome = false
        /// Empty lines before the request line end nothing (RFC 9112 §2.2).
        private var hasBegun = false
        /// Whether nothing but a CR stands in the line that is being read.
        private var isLineEmpty = false

        /// Whether the headers end in `buffer`.
        mutating func comes(in buffer: ByteBuffer) -> Bool {
            for octet in buffer.readableBytesView {
                switch octet {
                case UInt8(ascii: "\n"):
                    if isLineEmpty {
                        hasCome = true
                        return true
                    }
                    isLineEmpty = hasBegun
                case UInt8(ascii: "\r"): break
                default:
                    hasBegun = true
                    isLineEmpty = false
                }
            }
            return false
        }
    }
}
