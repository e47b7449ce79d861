internal import EnvoyAPI
internal import NIOCore

/// `DiscoveryRequest` and `DiscoveryResponse`.
enum StateOfTheWorldForm: DiscoveryForm {
    static func decode(_ message: ByteBuffer) throws -> (nodeID: String, SecretRequest) {
        let request = try Envoy_Service_Discovery_V3_DiscoveryRequest(serializedBytes: Array(message.readableBytesView))
        return (
            request.node.id,
            SecretRequest(
                typeURL: request.typeURL, nonce: request.responseNonce,
                rejection: request.hasErrorDetail ? request.errorDetail.message : nil,
                names: .stateOfTheWorld(request.resourceNames, version: request.versionInfo))
        )
    }

    static func size(of response: SecretResponse, _ secrets: [EncodedSecret], from replica: String) -> Int {
        WireField.size(Field.versionInfo, response.version)
            + secrets.reduce(0) { $0 + WireField.size(Field.resources, $1.packedSize) }
            + WireField.size(Field.typeURL, SecretStream.typeURL) + WireField.size(Field.nonce, response.nonce)
            + WireField.size(Field.controlPlane, WireField.size(Field.identifier, replica))
    }

    static func write(
        _ response: SecretResponse, _ secrets: [EncodedSecret], from replica: String, to buffer: inout ByteBuffer
    ) {
        buffer.writeField(Field.versionInfo, response.version)
        for secret in secrets {
            buffer.writeField(Field.resources, secret.packedSize)
            secret.writePacked(to: &buffer)
        }
        buffer.writeField(Field.typeURL, SecretStream.typeURL)
        buffer.writeField(Field.nonce, response.nonce)
        buffer.writeField(Field.controlPlane, WireField.size(Field.identifier, replica))
        buffer.writeField(Field.identifier, replica)
    }

    /// Of `DiscoveryResponse`, and of `ControlPlane`.
    private enum Field {
        static let versionInfo = 1
        static let resources = 2
        static let typeURL = 4
        static let nonce = 5
        static let controlPlane = 6
        static let identifier = 1
    }
}
