internal import EnvoyAPI
internal import GRPCCore

/// `envoy.service.secret.v3.SecretDiscoveryService`.
struct SecretDiscovery: Envoy_Service_Secret_V3_SecretDiscoveryService.ServiceProtocol {
    let server: SecretServer

    func streamSecrets(
        request: StreamingServerRequest<Envoy_Service_Discovery_V3_DiscoveryRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Envoy_Service_Discovery_V3_DiscoveryResponse> {
        server.stream(StateOfTheWorldForm.self, request, context)
    }

    func deltaSecrets(
        request: StreamingServerRequest<Envoy_Service_Discovery_V3_DeltaDiscoveryRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Envoy_Service_Discovery_V3_DeltaDiscoveryResponse> {
        server.stream(DeltaForm.self, request, context)
    }

    func fetchSecrets(
        request: ServerRequest<Envoy_Service_Discovery_V3_DiscoveryRequest>, context: ServerContext
    ) async throws -> ServerResponse<Envoy_Service_Discovery_V3_DiscoveryResponse> {
        ServerResponse(message: try await server.fetch(request.message, metadata: request.metadata, context: context))
    }
}
