internal import NIOCore
internal import NIOSSL
import Synchronization

/// The TLS of one door: one type for every port.
///
/// A session ticket is a decision kept by the client. Where a client certificate is the credential, each connection has a
/// TLS context of its own, so that no ticket outlives its connection and every handshake asks for the certificate and
/// verifies it. Elsewhere the token is judged with every RPC and a session carries no identity; one context serves until
/// the serving certificate is replaced.
package final class TLSDoor: Sendable {
    package enum ClientCertificate: Sendable {
        case notAsked
        /// A chain must be sent, and `verify` (DER, leaf first; the remote address) must accept it. Called on the event
        /// loop: it must not block.
        case required(verify: @Sendable (_ chain: [[UInt8]], _ source: String) -> Bool)
    }

    package enum MinimumVersion: String, Sendable, CaseIterable {
        case tls12 = "1.2"
        case tls13 = "1.3"
    }

    package enum ApplicationProtocol: String, Sendable {
        case grpc = "h2"
        case http = "http/1.1"
    }

    private let certificates: ServingCertificates
    private let clientCertificate: ClientCertificate
    private let minimumVersion: MinimumVersion
    private let applicationProtocol: ApplicationProtocol
    private let cached = Mutex<(generation: Int, context: NIOSSLContext)?>(nil)

    package init(
        certificates: ServingCertificates, clientCertificate: ClientCertificate, minimumVersion: MinimumVersion,
        applicationProtocol: ApplicationProtocol
    ) {
        self.certificates = certificates
        self.clientCertificate = clientCertificate
        self.minimumVersion = minimumVersion
        self.applicationProtocol = applicationProtocol
    }

    /// The handler that speaks TLS on `channel`, and puts the client's chain, once it is verified, into `peer`; must become the
    /// first of its pipeline.
    func handler(for channel: any Channel, peer: PeerChain = PeerChain()) throws -> NIOSSLServerHandler {
        switch clientCertificate {
        case .notAsked:
            return NIOSSLServerHandler(context: try sharedContext())
        case .required(let verify):
            let source = TLSDoor.source(of: channel)
            return NIOSSLServerHandler(
                context: try freshContext(certificates.current.certificate),
                customVerificationCallback: { certificates, promise in
                    promise.succeed(peer.take(certificates) { verify($0, source) } ? .certificateVerified : .failed)
                })
        }
    }

    /// `127.0.0.1:45796`, as the log and the audit trail name a caller.
    private static func source(of channel: any Channel) -> String {
        guard let address = channel.remoteAddress else { return "unknown" }
        guard let ip = address.ipAddress, let port = address.port else { return "unix" }
        return ListenAddress(host: ip, port: port).description
    }

    private func sharedContext() throws -> NIOSSLContext {
        let (certificate, generation) = certificates.current
        return try cached.withLock { cached in
            if let cached, cached.generation == generation { return cached.context }
            let context = try freshContext(certificate)
            cached = (generation, context)
            return context
        }
    }

    private func freshContext(_ certificate: ServingCertificate) throws -> NIOSSLContext {
        var configuration = certificate.configuration()
        switch minimumVersion {
        case .tls12: configuration.minimumTLSVersion = .tlsv12
        case .tls13: configuration.minimumTLSVersion = .tlsv13
        }
        configuration.applicationProtocols = [applicationProtocol.rawValue]
        switch clientCertificate {
        case .notAsked: configuration.certificateVerification = .none
        case .required: configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
