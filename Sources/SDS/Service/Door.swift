package import GRPCHTTP2

/// How a connection came in, as far as the services must know it.
package struct Door: Sendable {
    /// Whether nobody gets in without a client certificate: the mTLS port.
    package var requiresCertificate: Bool
    /// The client certificate chain that was verified in the connection's handshake, DER, leaf first; nil: there is none.
    package var peerChain: @Sendable (GRPCConnection) -> [[UInt8]]?

    package init(
        requiresCertificate: Bool, peerChain: @escaping @Sendable (GRPCConnection) -> [[UInt8]]? = { $0.peerChain }
    ) {
        self.requiresCertificate = requiresCertificate
        self.peerChain = peerChain
    }

    /// A door that only a token opens: TLS without client certificates, or the unix socket.
    package static let token = Door(requiresCertificate: false, peerChain: { _ in nil })

    /// The mTLS port.
    package static let certificate = Door(requiresCertificate: true)
}
