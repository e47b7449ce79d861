internal import NIOCore

/// Closes a gRPC connection on which no RPC is opened in time, and removes itself at the first.
///
/// On a door for tokens nobody has shown a credential before the first RPC: whoever connects and stays silent would
/// otherwise hold a place that a proxy needs.
final class FirstCallDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let limit: TimeAmount
    private var deadline: Scheduled<Void>?

    /// The time runs from when the handler is added.
    init(_ limit: Duration) {
        self.limit = TimeAmount(limit)
    }

    /// To be told of each HTTP/2 stream, on its event loop.
    static func callOpened(on stream: any Channel) {
        guard let pipeline = stream.parent?.pipeline.syncOperations,
            let deadline = try? pipeline.handler(type: FirstCallDeadline.self)
        else { return }
        _ = pipeline.removeHandler(deadline)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        deadline = context.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        deadline?.cancel()
    }
}
