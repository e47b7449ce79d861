internal import NIOCore

/// One of the two forms of the xDS protocol: how its messages and `SecretStream`'s become each other.
protocol DiscoveryForm: Sendable {
    /// What a message says, and Envoy's node id: empty when the message names none, as all but the first do.
    static func decode(_ message: ByteBuffer) throws -> (nodeID: String, SecretRequest)
    /// Octets of the response with `secrets` in it, which are the resources of `response`.
    static func size(of response: SecretResponse, _ secrets: [EncodedSecret], from replica: String) -> Int
    static func write(_ response: SecretResponse, _ secrets: [EncodedSecret], from replica: String, to buffer: inout ByteBuffer)
}

extension SecretStream.Form {
    var wire: any DiscoveryForm.Type {
        switch self {
        case .delta: DeltaForm.self
        case .stateOfTheWorld: StateOfTheWorldForm.self
        }
    }
}
