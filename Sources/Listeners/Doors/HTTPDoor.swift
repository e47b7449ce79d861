import Glibc
package import Hummingbird
import HummingbirdCore
package import Logging
internal import NIOCore
import NIOPosix
import ServiceLifecycle

/// HTTP/1.1 routes behind one listening socket, with TLS or, for the health port, without.
package struct HTTPDoor<Responder: HTTPResponder>: Service, CustomStringConvertible
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    package let description: String
    /// The configuration key of its address.
    private let name: String
    private let socket: BoundSocket
    private let descriptor: CInt
    private let tls: TLSDoor?
    private let child: HTTP1Channel
    private let connections: OpenConnections
    private let surplus: SurplusConnections
    private let limits: DoorLimits
    private let logger: Logger

    /// Serves on `socket`, which must not be served yet.
    package init(
        _ name: String, socket: BoundSocket, tls: TLSDoor?, responder: Responder, limits: DoorLimits, logger: Logger
    ) throws(DoorFailure) {
        guard let descriptor = socket.take() else {
            throw .addressInUse(address: socket.address.description, key: name)
        }
        self.name = name
        description = "HTTP on \(socket.address)"
        self.socket = socket
        self.descriptor = descriptor
        self.tls = tls
        self.limits = limits
        self.logger = logger
        connections = OpenConnections(limit: limits.connections, perAddress: limits.connectionsPerAddress)
        surplus = SurplusConnections(door: name, logger: logger)
        // 16 KiB hold any header that this API reads, tokens included.
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 100)
        child = HTTP1Channel(
            responder: { request, writer, channel in
                try await answer(request, writer, channel, responder: responder, logger: logger)
            },
            configuration: HTTP1Channel.Configuration(
                idleTimeout: TimeAmount(limits.idle), httpDecoderConfiguration: decoder))
    }

    /// Serves until the service stops; then no connection is accepted, and requests in progress are finished.
    package func run() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                listen(descriptor, BoundSocket.backlog)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(NIOBSDSocket.Handle(descriptor)) { channel in
                prepare(channel).flatMap { child.setup(channel: channel, logger: logger) }
            }
        try await withGracefulShutdownHandler {
            try await listener.executeThenClose { inbound in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in inbound {
                        group.addTask { await child.handle(value: connection, logger: logger) }
                    }
                }
            }
        } onGracefulShutdown: {
            listener.channel.close(promise: nil)
            connections.finish(within: limits.shutdownGrace)
        }
    }

    /// Closes the channel when it fails: nobody else does.
    private func prepare(_ channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            do {
                try connections.admit(channel)
                let pipeline = channel.pipeline.syncOperations
                if let tls {
                    try pipeline.addHandlers([try tls.handler(for: channel), HandshakeDeadline(limits.handshake)])
                }
                try pipeline.addHandler(RequestDeadline(headers: limits.headers, whole: limits.request))
            } catch let error as OpenConnections.Surplus {
                surplus.count(error, on: channel.eventLoop)
                channel.close(promise: nil)
                throw error
            } catch {
                logger.warning("a connection was closed", metadata: ["door": "\(name)", "error": "\(error)"])
                channel.close(promise: nil)
                throw error
            }
        }
    }
}

/// Answers one request; what a responder throws is answered with 500 and never with its text.
private func answer<Responder: HTTPResponder>(
    _ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel, responder: Responder, logger: Logger
) async throws where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    var logger = logger
    logger[metadataKey: "hb.request.id"] = "\(RequestID())"
    var response: Response
    do {
        response = try await responder.respond(
            to: request, context: Responder.Context(source: ApplicationRequestContextSource(channel: channel, logger: logger)))
    } catch {
        logger.error("a request failed", metadata: ["error": "\(error)"])
        response = Response(status: .internalServerError)
    }
    response.headers[.date] = HTTPDate.now()
    try await writer.write(response: response.head, body: response.body)
    channel.triggerUserOutboundEvent(RequestDeadline.Answered(), promise: nil)
}
