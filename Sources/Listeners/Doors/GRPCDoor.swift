package import GRPCHTTP2
import Glibc
package import Logging
internal import NIOCore
import NIOPosix
internal import NIOSSL
import ServiceLifecycle

/// gRPC calls behind one listening socket, with TLS or, on a unix socket, without.
///
/// The door's own TLS handler stands before HTTP/2: that gives TLS 1.3 as the minimum, and tickets that die with the
/// decisions that they rest on.
package struct GRPCDoor: Service, CustomStringConvertible {
    package let description: String
    /// The configuration key of its address.
    private let name: String
    /// Keeps the unix socket's lock for as long as the door is served.
    private let socket: BoundSocket
    private let descriptor: CInt
    private let tls: TLSDoor?
    private let acceptor: ConnectionAcceptor
    private let connections: OpenConnections
    private let surplus: SurplusConnections
    private let handshakes: HandshakeQueue
    private let limits: DoorLimits
    private let logger: Logger

    /// Serves on `socket`, which must not be served yet. `tls` is nil for a unix socket alone.
    package init(
        _ name: String, socket: BoundSocket, tls: TLSDoor?, router: CallRouter, limits: DoorLimits, logger: Logger
    ) throws(DoorFailure) {
        guard let descriptor = socket.take() else {
            throw .addressInUse(address: socket.address.description, key: name)
        }
        self.name = name
        description = "gRPC on \(socket.address)"
        self.socket = socket
        self.descriptor = descriptor
        self.tls = tls
        self.limits = limits
        self.logger = logger
        connections = OpenConnections(limit: limits.connections, perAddress: limits.connectionsPerAddress)
        handshakes = HandshakeQueue(limit: limits.handshakes)
        surplus = SurplusConnections(door: name, logger: logger)
        acceptor = ConnectionAcceptor(
            router: router,
            limits: ConnectionLimits(
                streams: limits.streamsPerConnection, messageBytes: limits.messageBytes,
                handshake: tls == nil ? nil : TimeAmount(limits.handshake), firstCall: TimeAmount(limits.firstCall),
                idle: TimeAmount(limits.idle), keepalive: TimeAmount(limits.keepalive),
                keepaliveTimeout: TimeAmount(limits.keepaliveTimeout),
                clientPingInterval: TimeAmount(limits.clientPingInterval), heldBytesPerLoop: limits.heldBytes)
        ) { DoorMetrics.limited($0.rawValue) }
    }

    /// Serves until the service stops; then no connection is accepted, calls are asked to end, and each connection has the
    /// grace time to do so.
    package func run() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelInitializer { channel in
                // NIO listens again, with a queue of 128, on a socket that it is given.
                listen(descriptor, BoundSocket.backlog)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            // A buffer of each connection's own is kept for the next read: messages have a few hundred octets, and a larger one
            // is read in pieces.
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 8192)
            )
            // Until the future is there, nothing is read from the connection.
            .childChannelInitializer { channel in admit(channel) }
            .withBoundSocket(NIOBSDSocket.Handle(descriptor)).get()
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                try? await listener.closeFuture.get()
                await connections.end()
            } onGracefulShutdown: {
                listener.close(promise: nil)
                connections.finish(within: limits.shutdownGrace)
                handshakes.end()
            }
        } onCancel: {
            listener.close(promise: nil)
            connections.finish(within: .zero)
            handshakes.end()
        }
    }

    /// Lets a connection in, when it is its turn.
    private func admit(_ channel: any Channel) -> EventLoopFuture<Void> {
        do {
            try connections.admit(channel)
        } catch {
            surplus.count(error, on: channel.eventLoop)
            channel.close(promise: nil)
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        guard tls != nil, let turn = handshakes.enter(ClientAddress(channel.remoteAddress), on: channel.eventLoop) else {
            prepare(channel)
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        return turn.map { prepare(channel) }
    }

    /// The connection has a place among the handshakes, where there are any.
    private func prepare(_ channel: any Channel) {
        do {
            guard let tls else { return try acceptor.accept(channel) }
            let peer = PeerChain()
            let pipeline = channel.pipeline.syncOperations
            let place = HandshakePlace(in: handshakes)
            do {
                try pipeline.addHandler(try tls.handler(for: channel, peer: peer))
                try pipeline.addHandler(place)
            } catch {
                place.leave()
                throw error
            }
            try acceptor.accept(channel) { peer.certificates }
        } catch {
            // While it waited, the door or the client may have closed it.
            if !connections.isClosing {
                logger.error("a connection could not be prepared", metadata: ["door": "\(name)", "error": "\(error)"])
            }
            channel.close(promise: nil)
        }
    }
}
