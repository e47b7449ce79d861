package import GRPCCore
import GRPCNIOTransportHTTP2Posix
import X509

/// The client certificate chain that was verified in the handshake of an RPC's connection.
package enum PeerChain {
    /// DER, leaf first; nil where the door asks for no certificate, and where a session was resumed, since then nothing was
    /// verified.
    package static func verified(for context: ServerContext) -> [[UInt8]]? {
        guard
            let chain = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificateChain
        else { return nil }
        return try? chain.map { try $0.serializeAsPEM().derBytes }
    }
}
