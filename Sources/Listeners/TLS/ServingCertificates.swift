import Synchronization

/// The serving certificate of now: doors read it at each handshake, whoever renews it replaces it.
package final class ServingCertificates: Sendable {
    private let state: Mutex<State>

    private struct State {
        var certificate: ServingCertificate
        var generation = 0
    }

    package init(_ certificate: ServingCertificate) {
        state = Mutex(State(certificate: certificate))
    }

    /// The certificate and how often it was replaced before: a cache's key.
    package var current: (certificate: ServingCertificate, generation: Int) {
        state.withLock { ($0.certificate, $0.generation) }
    }

    package func replace(with certificate: ServingCertificate) {
        state.withLock { state in
            state.certificate = certificate
            state.generation += 1
        }
    }
}
