internal import EnvoyAPI

/// One of the two forms of the xDS protocol: how its messages and `SecretStream`'s become each other.
protocol DiscoveryForm: Sendable {
    associatedtype Request: Sendable
    associatedtype Response: Sendable

    static var form: SecretStream.Form { get }
    /// Envoy's node id; empty when the message names none, as all but the first do.
    static func nodeID(of request: Request) -> String
    static func decode(_ request: Request) -> SecretRequest
    static func encode(_ response: SecretResponse, from replica: String) throws -> Response
}
