internal import NIOCore

/// Hands on what was read as a copy of its own size.
///
/// TLS decrypts into one buffer of 32 KiB for each connection, and the parser of HTTP/2 frames keeps the last buffer that it was
/// given until the next comes, even when it is used up. So each connection would hold two of them for as long as it is silent,
/// and every read would make another.
final class CopiedReads: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: unwrapInboundIn(data).readableBytesView)))
    }
}
