internal import EnvoyAPI

/// `DiscoveryRequest` and `DiscoveryResponse`.
enum StateOfTheWorldForm: DiscoveryForm {
    static let form = SecretStream.Form.stateOfTheWorld

    static func nodeID(of request: Envoy_Service_Discovery_V3_DiscoveryRequest) -> String { request.node.id }

    static func decode(_ request: Envoy_Service_Discovery_V3_DiscoveryRequest) -> SecretRequest {
        SecretRequest(
            typeURL: request.typeURL, nonce: request.responseNonce,
            rejection: request.hasErrorDetail ? request.errorDetail.message : nil,
            names: .stateOfTheWorld(request.resourceNames, version: request.versionInfo))
    }

    static func encode(
        _ response: SecretResponse, from replica: String
    ) throws -> Envoy_Service_Discovery_V3_DiscoveryResponse {
        try Envoy_Service_Discovery_V3_DiscoveryResponse.with {
            $0.versionInfo = response.version
            $0.resources = try response.resources.map(SecretEncoder.any)
            $0.typeURL = SecretStream.typeURL
            $0.nonce = response.nonce
            $0.controlPlane.identifier = replica
        }
    }
}
