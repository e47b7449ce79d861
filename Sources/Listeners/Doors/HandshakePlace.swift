internal import NIOCore
internal import NIOTLS

/// Leaves a connection's place among the handshakes under way when the handshake is done, the connection is gone, or the lease
/// is over, and removes itself.
final class HandshakePlace: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any
    typealias InboundOut = Any

    private let queue: HandshakeQueue
    private var lease: Scheduled<Void>?
    private var hasLeft = false

    /// What a handshake needs of two cores that are busy with as many as may be under way, several times over.
    private static let longest = TimeAmount.seconds(1)

    init(in queue: HandshakeQueue) {
        self.queue = queue
    }

    func handlerAdded(context: ChannelHandlerContext) {
        lease = context.eventLoop.assumeIsolated().scheduleTask(in: HandshakePlace.longest) {
            self.leave()
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard case TLSUserEvent.handshakeCompleted = event else { return }
        leave()
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    /// Once; what follows has no effect.
    func leave() {
        lease?.cancel()
        lease = nil
        guard !hasLeft else { return }
        hasLeft = true
        queue.leave()
    }
}
