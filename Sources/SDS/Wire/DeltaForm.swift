internal import EnvoyAPI
internal import NIOCore

/// `DeltaDiscoveryRequest` and `DeltaDiscoveryResponse`.
enum DeltaForm: DiscoveryForm {
    static func decode(_ message: ByteBuffer) throws -> (nodeID: String, SecretRequest) {
        let request = try Envoy_Service_Discovery_V3_DeltaDiscoveryRequest(serializedBytes: Array(message.readableBytesView))
        return (
            request.node.id,
            SecretRequest(
                typeURL: request.typeURL, nonce: request.responseNonce,
                rejection: request.hasErrorDetail ? request.errorDetail.message : nil,
                names: .delta(
                    subscribe: request.resourceNamesSubscribe, unsubscribe: request.resourceNamesUnsubscribe,
                    held: request.initialResourceVersions))
        )
    }

    static func size(of response: SecretResponse, _ secrets: [EncodedSecret], from replica: String) -> Int {
        zip(response.resources, secrets).reduce(0) { $0 + WireField.size(Field.resources, size(of: $1.0, $1.1)) }
            + WireField.size(Field.typeURL, SecretStream.typeURL) + WireField.size(Field.nonce, response.nonce)
            + response.removed.reduce(0) { $0 + WireField.size(Field.removedResources, $1.utf8.count) }
            + WireField.size(Field.controlPlane, WireField.size(Field.identifier, replica))
    }

    static func write(
        _ response: SecretResponse, _ secrets: [EncodedSecret], from replica: String, to buffer: inout ByteBuffer
    ) {
        for (resource, secret) in zip(response.resources, secrets) {
            buffer.writeField(Field.resources, size(of: resource, secret))
            buffer.writeField(Field.version, resource.version)
            buffer.writeField(Field.resource, secret.packedSize)
            secret.writePacked(to: &buffer)
            buffer.writeField(Field.name, resource.name)
        }
        buffer.writeField(Field.typeURL, SecretStream.typeURL)
        buffer.writeField(Field.nonce, response.nonce)
        for name in response.removed { buffer.writeField(Field.removedResources, Array(name.utf8)) }
        buffer.writeField(Field.controlPlane, WireField.size(Field.identifier, replica))
        buffer.writeField(Field.identifier, replica)
    }

    /// Octets of a `Resource`.
    private static func size(of resource: SecretResource, _ secret: EncodedSecret) -> Int {
        WireField.size(Field.version, resource.version) + WireField.size(Field.resource, secret.packedSize)
            + WireField.size(Field.name, resource.name)
    }

    /// Of `DeltaDiscoveryResponse`, of `Resource`, and of `ControlPlane`.
    private enum Field {
        static let resources = 2
        static let typeURL = 4
        static let nonce = 5
        static let removedResources = 6
        static let controlPlane = 7
        static let version = 1
        static let resource = 2
        static let name = 3
        static let identifier = 1
    }
}
