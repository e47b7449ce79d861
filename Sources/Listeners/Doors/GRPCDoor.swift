package import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Glibc
package import Logging
internal import NIOCore
import ServiceLifecycle
import Synchronization

/// gRPC services behind one listening socket, with TLS or, on a unix socket, without.
///
/// gRPC runs on a plaintext transport, and this door's own TLS handler stands before it: that gives TLS 1.3 as the
/// minimum, and tickets that die with the decisions that they rest on.
package struct GRPCDoor: Service, CustomStringConvertible {
    package let description: String
    private let server: GRPCServer<HTTP2ServerTransport.Posix>
    private let connections: OpenConnections
    private let limits: DoorLimits

    /// Serves on `socket`, which must not be served yet. `tls` is nil for a unix socket alone.
    package init(
        _ name: String, socket: BoundSocket, tls: TLSDoor?, services: [any RegistrableRPCService], limits: DoorLimits,
        logger: Logger
    ) throws(DoorFailure) {
        guard let descriptor = socket.take() else {
            throw .addressInUse(address: socket.address.description, key: name)
        }
        let connections = OpenConnections(limit: limits.connections)
        let surplus = SurplusConnections(door: name, logger: logger)
        let config = HTTP2ServerTransport.Posix.Config.defaults { config in
            config.connection.maxIdleTime = limits.idle
            config.connection.maxGraceTime = limits.shutdownGrace
            config.connection.keepalive.time = limits.keepalive
            config.connection.keepalive.timeout = limits.keepaliveTimeout
            config.connection.keepalive.clientBehavior.minPingIntervalWithoutCalls = limits.clientPingInterval
            config.connection.keepalive.clientBehavior.allowWithoutCalls = true
            config.http2.maxConcurrentStreams = limits.streamsPerConnection
            config.rpc.maxRequestPayloadSize = limits.messageBytes
            config.channelDebuggingCallbacks.onBindTCPListener = { channel in
                // NIO listens again, with a queue of 128, on a socket that it is given.
                listen(descriptor, BoundSocket.backlog)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            // gRPC's handlers are in place already and must see the channel to its end, so an unwelcome connection is closed
            // and not reported as a failed one.
            config.channelDebuggingCallbacks.onAcceptTCPConnection = { channel in
                guard connections.admits(channel) else {
                    surplus.count(on: channel.eventLoop)
                    channel.close(promise: nil)
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                do {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(FirstCallDeadline(limits.firstCall), position: .first)
                    guard let tls else { return channel.eventLoop.makeSucceededVoidFuture() }
                    let handler = try tls.handler(for: channel)
                    try pipeline.addHandler(handler, position: .first)
                    try pipeline.addHandler(HandshakeDeadline(limits.handshake), position: .after(handler))
                } catch {
                    logger.error("a connection could not be prepared", metadata: ["door": "\(name)", "error": "\(error)"])
                    channel.close(promise: nil)
                }
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            config.channelDebuggingCallbacks.onAcceptHTTP2Stream = { stream in
                FirstCallDeadline.callOpened(on: stream)
                return stream.eventLoop.makeSucceededVoidFuture()
            }
        }
        self.description = "gRPC on \(socket.address)"
        self.connections = connections
        self.limits = limits
        self.socket = socket
        server = GRPCServer(
            transport: HTTP2ServerTransport.Posix(
                listeningSocketDescriptor: Int(descriptor), transportSecurity: .plaintext, config: config),
            services: services)
    }

    /// Keeps the unix socket's lock for as long as the door is served.
    private let socket: BoundSocket

    /// Serves until the service stops; then no connection is accepted, and each has the grace time to end.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await server.serve()
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
            connections.finish(within: limits.shutdownGrace)
        }
    }
}
