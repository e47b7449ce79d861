internal import NIOSSL

/// The client certificate chain that was verified in the handshake of a connection. Bound to its event loop.
///
/// Kept as octets: a chain of certificates that TLS has parsed is several times as large, for as long as the connection lives.
final class PeerChain {
    /// DER, leaf first; nil where the door asks for no certificate, and where a session was resumed, since then nothing was
    /// verified.
    private(set) var certificates: [[UInt8]]?

    /// Takes what a handshake brought, if `verify` accepts it.
    func take(_ chain: [NIOSSLCertificate], if verify: ([[UInt8]]) -> Bool) -> Bool {
        let octets = chain.compactMap { try? $0.toDERBytes() }
        guard !octets.isEmpty, octets.count == chain.count, verify(octets) else { return false }
        certificates = octets
        return true
    }
}
