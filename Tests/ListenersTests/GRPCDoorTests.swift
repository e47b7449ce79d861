import Foundation
import GRPCCore
import GRPCHTTP2
import GRPCNIOTransportHTTP2Posix
import Listeners
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite struct GRPCDoorTests {
    private static let chain = MethodDescriptor(fullyQualifiedService: "test.Chain", method: "Show")
    private static let forever = MethodDescriptor(fullyQualifiedService: "test.Chain", method: "Wait")

    /// Answers with the verified chain of the caller, one message for each certificate; or with one message, and never ends.
    private final class ChainCall: CallHandler {
        private let call: Call
        private let ends: Bool
        private var rest: [[UInt8]]

        init(_ call: Call, ends: Bool) {
            self.call = call
            self.ends = ends
            rest = ends ? call.connection.peerChain ?? [] : [[1]]
            call.readNext()
        }

        func received(_ message: ByteBuffer) { written() }
        func halfClosed() {}

        func written() {
            if !rest.isEmpty {
                let next = rest.removeFirst()
                call.send(FramedMessage(capacity: next.count) { $0.writeBytes(next) })
            } else if ends {
                call.end(.ok)
            }
        }

        func goingAway() { call.end(.goingAway) }
        func ended() {}
    }

    private static let router = CallRouter([
        "/test.Chain/Show": { call, _ in ChainCall(call, ends: true) },
        "/test.Chain/Wait": { call, _ in ChainCall(call, ends: false) },
    ])

    /// Whether the call has ended.
    private final class End: Sendable {
        let hasCome = Mutex(false)
    }

    private struct Octets: MessageSerializer, MessageDeserializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
    }

    private func door(
        _ open: OpenDoor, _ client: TLSDoor.ClientCertificate, limits: DoorLimits = DoorLimits(), logger: Logger = quiet
    ) throws -> GRPCDoor {
        try GRPCDoor(
            "test", socket: open.socket,
            tls: TLSDoor(
                certificates: open.certificates, clientCertificate: client, minimumVersion: .tls13, applicationProtocol: .grpc),
            router: Self.router, limits: limits, logger: logger)
    }

    private func call(
        _ open: OpenDoor, _ method: MethodDescriptor, as identity: ClientCertificate?,
        onMessage: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let roots = HTTP2ClientTransport.Posix.TransportSecurity.TLS.defaults {
            $0.trustRoots = .certificates([.file(path: open.authorityFile, format: .pem)])
        }
        let security: HTTP2ClientTransport.Posix.TransportSecurity =
            if let identity {
                .mTLS(
                    certificateChain: [.file(path: identity.certificate, format: .pem)],
                    privateKey: .file(path: identity.key, format: .pem)
                ) { $0.trustRoots = roots.trustRoots }
            } else {
                .tls(roots)
            }
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: open.port), transportSecurity: security,
            config: .defaults { $0.http2.authority = "localhost" })
        try await withGRPCClient(transport: transport) { client in
            try await client.serverStreaming(
                request: ClientRequest(message: []), descriptor: method, serializer: Octets(), deserializer: Octets(),
                options: CallOptions.defaults
            ) { response in
                for try await message in response.messages { try await onMessage(message) }
            }
        }
    }

    private func chain(_ open: OpenDoor, as identity: ClientCertificate?) async throws -> [[UInt8]] {
        let (messages, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        try await within(.seconds(20), "the call") {
            try await call(open, Self.chain, as: identity) { continuation.yield($0) }
        }
        continuation.finish()
        return await messages.reduce(into: []) { $0.append($1) }
    }

    @Test func `The verified client chain reaches the RPC as it was sent`() async throws {
        try await Workspace.open("grpc") { workspace in
            let open = try OpenDoor(in: workspace)
            let client = try await ClientCertificate.make("client", in: workspace)
            try await whileServing(door(open, .required { _, _ in true })) { _ async throws in
                let expected = try await client.der()
                #expect(try await chain(open, as: client) == [expected])
            }
        }
    }

    @Test func `Where no certificate is asked for there is no chain`() async throws {
        try await Workspace.open("grpc") { workspace in
            let open = try OpenDoor(in: workspace)
            try await whileServing(door(open, .notAsked)) { _ async throws in
                #expect(try await chain(open, as: nil) == [])
            }
        }
    }

    @Test func `A chain that is refused at the handshake reaches no RPC`() async throws {
        try await Workspace.open("grpc") { workspace in
            let open = try OpenDoor(in: workspace)
            let client = try await ClientCertificate.make("client", in: workspace)
            try await whileServing(door(open, .required { _, _ in false })) { _ async throws in
                await #expect(throws: (any Error).self) {
                    try await within(.seconds(3), "a refusal") {
                        try await call(open, Self.chain, as: client) { _ in Issue.record("a message came") }
                    }
                }
            }
        }
    }

    @Test func `A connection without an RPC is closed, and one with an RPC is not`() async throws {
        try await Workspace.open("grpc") { workspace in
            let open = try OpenDoor(in: workspace)
            var limits = DoorLimits()
            limits.firstCall = .seconds(2)
            limits.handshake = .seconds(60)
            try await whileServing(door(open, .notAsked, limits: limits)) { _ async throws in
                let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
                let end = End()
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        defer { end.hasCome.withLock { $0 = true } }
                        try await call(open, Self.forever, as: nil) { _ in arrival.yield() }
                    }
                    for await _ in arrived { break }
                    // Opened later, so that the other's time is up when this one's is.
                    let silent = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .connect(host: "127.0.0.1", port: open.port).get()
                    try await within(.seconds(10), "the end of the silent connection") { try await silent.closeFuture.get() }
                    // A whole call more, by which time the end of the stream would have been noticed.
                    #expect(try await chain(open, as: nil) == [])
                    #expect(!end.hasCome.withLock { $0 })
                    group.cancelAll()
                    while await group.nextResult() != nil {}
                }
            }
        }
    }

    @Test func `Connections beyond the limit are counted in one line a second`() async throws {
        try await Workspace.open("grpc") { workspace in
            let open = try OpenDoor(in: workspace)
            let log = LogRecord()
            var limits = DoorLimits()
            limits.connections = 1
            limits.handshake = .seconds(60)
            limits.firstCall = .seconds(60)
            let clock = ContinuousClock()
            let start = clock.now
            try await whileServing(door(open, .notAsked, limits: limits, logger: log.logger)) { _ async throws in
                @Sendable func connection() async throws -> any Channel {
                    try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .connect(host: "127.0.0.1", port: open.port).get()
                }
                let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
                try await withThrowingTaskGroup { group in
                    // The one connection that there is room for: its call has arrived, so none of the others takes its place.
                    group.addTask { try await call(open, Self.forever, as: nil) { _ in arrival.yield() } }
                    for await _ in arrived { break }
                    for _ in 0..<50 {
                        let surplus = try await connection()
                        try await within(.seconds(10), "the end of the connection") { try await surplus.closeFuture.get() }
                    }
                    try await eventually(within: .seconds(10), "the lines") { log.counts.reduce(0, +) == 50 }
                    #expect(log.counts.count <= Int((clock.now - start) / .seconds(1)) + 1, "\(log.counts)")
                    group.cancelAll()
                    while await group.nextResult() != nil {}
                }
            }
        }
    }

    @Test func `A stream that never ends does not hold up the end of the service`() async throws {
        try await Workspace.open("grpc") { workspace in
            let open = try OpenDoor(in: workspace)
            let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
            let clock = ContinuousClock()
            let start = clock.now
            try await whileServing(door(open, .notAsked)) { group async throws in
                async let stream: Void = call(open, Self.forever, as: nil) { _ in arrival.yield() }
                for await _ in arrived { break }
                await group.triggerGracefulShutdown()
                try? await stream
            }
            #expect(clock.now - start < .seconds(15))
        }
    }
}
