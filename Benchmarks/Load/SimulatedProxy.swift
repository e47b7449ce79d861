import EnvoyAPI
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix

/// One proxy: a connection, a stream, and an ACK for each response.
struct SimulatedProxy: Sendable {
    private typealias Client = Envoy_Service_Secret_V3_SecretDiscoveryService.Client<HTTP2ClientTransport.Posix>
    private typealias Request = Envoy_Service_Discovery_V3_DiscoveryRequest

    private static let secretType = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"
    /// Both are PEM, and a key stands in an identity alone.
    private static let privateKeyMark = Data("PRIVATE KEY".utf8)
    private static let names = ["default", "ROOTCA"]

    let number: Int
    let port: Int
    let caFile: String
    let token: String
    let tally: Tally

    /// Until it is cancelled, or the server ends the stream; `served` is called once both secrets have come.
    func run(served: @escaping @Sendable () -> Void) async throws {
        let tls = HTTP2ClientTransport.Posix.TransportSecurity.TLS.defaults {
            $0.trustRoots = .certificates([.file(path: caFile, format: .pem)])
        }
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .tls(tls),
            config: .defaults { $0.http2.authority = "localhost" })
        try await withGRPCClient(transport: transport) { client in
            let (requests, post) = AsyncStream.makeStream(of: Request.self)
            post.yield(request { $0.node.id = "load-\(number)" })
            try await Client(wrapping: client).streamSecrets(
                metadata: ["authorization": "Bearer \(token)"],
                requestProducer: { writer in
                    for await request in requests { try await writer.write(request) }
                },
                onResponse: { response in
                    defer { post.finish() }
                    var seen = 0
                    for try await message in response.messages {
                        for resource in message.resources {
                            tally.received(isIdentity: resource.value.range(of: SimulatedProxy.privateKeyMark) != nil)
                        }
                        if seen < SimulatedProxy.names.count {
                            seen += message.resources.count
                            if seen >= SimulatedProxy.names.count {
                                tally.served()
                                served()
                            }
                        }
                        post.yield(
                            request {
                                $0.versionInfo = message.versionInfo
                                $0.responseNonce = message.nonce
                            })
                    }
                })
        }
    }

    private func request(_ fill: (inout Request) -> Void) -> Request {
        var request = Request.with {
            $0.typeURL = SimulatedProxy.secretType
            $0.resourceNames = SimulatedProxy.names
        }
        fill(&request)
        return request
    }
}
