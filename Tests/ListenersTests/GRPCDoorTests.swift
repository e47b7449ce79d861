import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Listeners
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct GRPCDoorTests {
    /// Answers with the verified chain of the caller, each certificate after its length; or never.
    private struct ChainService: RegistrableRPCService {
        static let chain = MethodDescriptor(fullyQualifiedService: "test.Chain", method: "Show")
        static let forever = MethodDescriptor(fullyQualifiedService: "test.Chain", method: "Wait")

        func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
            router.registerHandler(forMethod: Self.chain, deserializer: Octets(), serializer: Octets()) { _, context in
                let certificates = PeerChain.verified(for: context)
                return StreamingServerResponse { writer in
                    for certificate in certificates ?? [] { try await writer.write(certificate) }
                    return [:]
                }
            }
            router.registerHandler(forMethod: Self.forever, deserializer: Octets(), serializer: Octets()) { _, context in
                StreamingServerResponse { writer in
                    try await writer.write([1])
                    try await context.cancellation.cancelled
                    return [:]
                }
            }
        }
    }

    private struct Octets: MessageSerializer, MessageDeserializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
    }

    private func door(_ open: OpenDoor, _ client: TLSDoor.ClientCertificate, limits: DoorLimits = DoorLimits()) throws -> GRPCDoor
    {
        try GRPCDoor(
            "test", socket: open.socket,
            tls: TLSDoor(
                certificates: open.certificates, clientCertificate: client, minimumVersion: .tls13, applicationProtocol: .grpc),
            services: [ChainService()], limits: limits, logger: quiet)
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
            try await call(open, ChainService.chain, as: identity) { continuation.yield($0) }
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
                        try await call(open, ChainService.chain, as: client) { _ in Issue.record("a message came") }
                    }
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
                async let stream: Void = call(open, ChainService.forever, as: nil) { _ in arrival.yield() }
                for await _ in arrived { break }
                await group.triggerGracefulShutdown()
                try? await stream
            }
            #expect(clock.now - start < .seconds(15))
        }
    }
}
