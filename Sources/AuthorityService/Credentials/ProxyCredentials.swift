/// What a proxy came with, through whichever door.
package struct ProxyCredentials: Sendable {
    /// The dataplane token, without `Bearer `.
    package var token: String?
    /// The client certificate chain, DER, leaf first; nil where the door asks for none.
    package var peerChain: [[UInt8]]?
    /// Whether the door lets nobody in without a certificate.
    package var requiresCertificate: Bool
    /// Envoy's node id; may be empty.
    package var nodeID: String
    /// The remote address, for the log and the audit trail.
    package var source: String
    package var requestID: String

    package init(
        token: String?, peerChain: [[UInt8]]?, requiresCertificate: Bool, nodeID: String, source: String, requestID: String
    ) {
        self.token = token
        self.peerChain = peerChain
        self.requiresCertificate = requiresCertificate
        self.nodeID = nodeID
        self.source = source
        self.requestID = requestID
    }
}

extension ProxyCredentials: CustomStringConvertible {
    /// Never the token.
    package var description: String { "credentials from \(source)" }
}
