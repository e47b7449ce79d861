internal import NIOCore

/// Discovery messages as octets, outside of any connection.
package enum DiscoveryMessage {
    /// What a message from a proxy says; throws for octets that are no message.
    package static func request(_ octets: [UInt8], form: SecretStream.Form) throws -> SecretRequest {
        try form.wire.decode(ByteBuffer(bytes: octets)).1
    }

    /// A response as the proxy is sent it.
    package static func response(_ response: SecretResponse, form: SecretStream.Form, replica: String) throws -> [UInt8] {
        Array(try ResponseEncoder(replica: replica).encode(response, as: form).message)
    }
}
