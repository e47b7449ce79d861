package import GRPCCore

/// How a connection came in, as far as the services must know it.
package struct Door: Sendable {
    /// Whether nobody gets in without a client certificate: the mTLS port.
    package var requiresCertificate: Bool
    /// The client certificate chain that was verified in the connection's handshake, DER, leaf first; nil: there is none.
    package var peerChain: @Sendable (ServerContext) -> [[UInt8]]?

    package init(requiresCertificate: Bool, peerChain: @escaping @Sendable (ServerContext) -> [[UInt8]]?) {
        self.requiresCertificate = requiresCertificate
        self.peerChain = peerChain
    }

    /// A door that only a token opens: TLS without client certificates, or the unix socket.
    package static let token = Door(requiresCertificate: false, peerChain: { _ in nil })
}
