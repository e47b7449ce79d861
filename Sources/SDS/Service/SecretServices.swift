package import AuthorityService
package import GRPCCore
package import Logging

/// The gRPC services that proxies call, all forms of SDS, for one door.
package func services(
    authority: MeshAuthority, door: Door, limits: StreamLimits = StreamLimits(), logger: Logger
) -> [any RegistrableRPCService] {
    let server = SecretServer(authority: authority, door: door, limits: limits, logger: logger)
    return [SecretDiscovery(server: server), AggregatedDiscovery(server: server)]
}

extension SecretServer {
    /// Serves one stream of either service.
    func stream<Form: DiscoveryForm>(
        _ form: Form.Type, _ request: StreamingServerRequest<Form.Request>, _ context: ServerContext
    ) -> StreamingServerResponse<Form.Response> {
        StreamingServerResponse { writer in
            let session = SecretSession<Form>(server: self, metadata: request.metadata, context: context)
            try await session.run(messages: request.messages, writer: writer)
            return [:]
        }
    }
}
