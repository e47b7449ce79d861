internal import EnvoyAPI

/// `DeltaDiscoveryRequest` and `DeltaDiscoveryResponse`.
enum DeltaForm: DiscoveryForm {
    static let form = SecretStream.Form.delta

    static func nodeID(of request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) -> String { request.node.id }

    static func decode(_ request: Envoy_Service_Discovery_V3_DeltaDiscoveryRequest) -> SecretRequest {
        SecretRequest(
            typeURL: request.typeURL, nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? request.errorDetail.message : nil,
            names: .delta(
                subscribe: request.resourceNamesSubscribe, unsubscribe: request.resourceNamesUnsubscribe,
                held: request.initialResourceVersions))
    }

    static func encode(
        _ response: SecretResponse, from replica: String
    ) throws -> Envoy_Service_Discovery_V3_DeltaDiscoveryResponse {
        try Envoy_Service_Discovery_V3_DeltaDiscoveryResponse.with {
            $0.resources = try response.resources.map { resource in
                try Envoy_Service_Discovery_V3_Resource.with {
                    $0.name = resource.name
                    $0.version = resource.version
                    $0.resource = try SecretEncoder.any(resource)
                }
            }
            $0.typeURL = SecretStream.typeURL
            $0.nonce = response.nonce
            $0.removedResources = response.removed
            $0.controlPlane.identifier = replica
        }
    }
}
