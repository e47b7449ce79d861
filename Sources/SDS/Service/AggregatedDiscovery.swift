internal import EnvoyAPI
internal import GRPCCore

/// `envoy.service.discovery.v3.AggregatedDiscoveryService`, for secrets alone: other types are never answered.
struct AggregatedDiscovery: Envoy_Service_Discovery_V3_AggregatedDiscoveryService.ServiceProtocol {
    let server: SecretServer

    func streamAggregatedResources(
        request: StreamingServerRequest<Envoy_Service_Discovery_V3_DiscoveryRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Envoy_Service_Discovery_V3_DiscoveryResponse> {
        server.stream(StateOfTheWorldForm.self, request, context)
    }

    func deltaAggregatedResources(
        request: StreamingServerRequest<Envoy_Service_Discovery_V3_DeltaDiscoveryRequest>, context: ServerContext
    ) async throws -> StreamingServerResponse<Envoy_Service_Discovery_V3_DeltaDiscoveryResponse> {
        server.stream(DeltaForm.self, request, context)
    }
}
