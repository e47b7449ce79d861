package import NIOCore
internal import NIOHTTP2

/// Makes a channel speak gRPC: what all connections of one door share.
package final class ConnectionAcceptor: Sendable {
    private let router: CallRouter
    private let limits: ConnectionLimits
    private let exceeded: @Sendable (ExceededLimit) -> Void
    private let partials: LoopLocal<PartialMessages>
    private let wheels = LoopLocal { AlarmWheel(eventLoop: $0) }

    /// `exceeded` is told of each time that a client goes beyond a limit, on its event loop.
    package init(
        router: CallRouter, limits: ConnectionLimits, exceeded: @escaping @Sendable (ExceededLimit) -> Void = { _ in }
    ) {
        self.router = router
        self.limits = limits
        self.exceeded = exceeded
        partials = LoopLocal { _ in PartialMessages(limit: limits.heldBytesPerLoop) }
    }

    /// Adds HTTP/2 and gRPC at the end of the channel's pipeline; to be called on its event loop.
    ///
    /// `chain` gives the client certificate chain that was verified in the handshake, DER, leaf first.
    package func accept(_ channel: any Channel, chain: @escaping () -> [[UInt8]]? = { nil }) throws {
        let connection = GRPCConnection(
            channel: channel, router: router, limits: limits, wheel: wheels.value(on: channel.eventLoop), chain: chain,
            partials: partials.value(on: channel.eventLoop), exceeded: exceeded)
        let http2 = NIOHTTP2Handler(
            mode: .server, frameDelegate: connection, connectionConfiguration: connectionConfiguration,
            streamConfiguration: ConnectionAcceptor.streamConfiguration)
        try channel.pipeline.syncOperations.addHandlers(CopiedReads(), http2, connection)
    }

    private var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.streams),
            // A token of 8 KiB, and as much for all else.
            HTTP2Setting(parameter: .maxHeaderListSize, value: 16 << 10),
            // A connection has a handful of calls in its life: a table would save little, and keep their tokens in memory.
            HTTP2Setting(parameter: .headerTableSize, value: 0),
        ]
        // Answers to pings and settings that a client who does not read lets pile up: what comes in a second or two of both.
        configuration.maximumBufferedControlFrames = 200
        // Keepalive is two frames a minute, and a client that measures the path sends one for each message that it gets.
        configuration.controlFrameRateLimit.maximumCount = 100
        return configuration
    }

    private static let streamConfiguration: NIOHTTP2Handler.StreamConfiguration = {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        // Each of these reserves eight octets for every frame that it allows. Envoy resets a stream when it is done with it, a
        // handful in the life of a connection.
        configuration.streamResetFrameRateLimit.maximumCount = 100
        configuration.streamErrorRateLimit.maximumCount = 50
        return configuration
    }()
}
