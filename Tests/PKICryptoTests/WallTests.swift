import CertificateProfiles
import PKI
import PKICrypto
import Testing

/// The walls between two meshes that stand in a chain, each alone: what an issuing certificate of `payments`, its key stolen,
/// can make of `spiffe://orders/web`.
@Suite(.timeLimit(.minutes(5))) struct `The walls between meshes, each alone` {
    private var now: Timestamp { ThrowAwayRoot.now }

    private func stolen(under root: ProvidedAuthority, nameConstraints: Bool) throws -> [[UInt8]] {
        try ProvidedChain(
            under: root, trustDomain: "payments", nameConstraints: nameConstraints, identity: "spiffe://orders/web", now: now
        ).certificates
    }

    private func verifier(payments: ProvidedAuthority, orders: ProvidedAuthority) throws -> ChainVerifier {
        try ChainVerifier(roots: [
            TrustDomain("payments"): [payments.certificate], TrustDomain("orders"): [orders.certificate],
        ])
    }

    /// Both trust domains are bound to the one root, so that only the constraints are left.
    @Test func `name constraints refuse the other mesh's name under a shared root`() async throws {
        let shared = try await ThrowAwayRoot("ec-p256").authority()
        let chain = try stolen(under: shared, nameConstraints: true)
        let verifier = try verifier(payments: shared, orders: shared)
        let refusal = #expect(throws: ChainRefusal.self) { try verifier.verify(chain: chain, at: now) }
        #expect(refusal?.reason == "name-constraint")
        let verdict = try await OpenSSLVerifier().verdict(on: chain, roots: [shared.certificate], at: now)
        #expect(!verdict.accepted)
        #expect(verdict.text.contains("permitted subtree violation"), "openssl said: \(verdict.text)")
    }

    @Test func `without name constraints the other mesh's name passes under a shared root`() async throws {
        let shared = try await ThrowAwayRoot("ec-p256").authority()
        let chain = try stolen(under: shared, nameConstraints: false)
        let verified = try verifier(payments: shared, orders: shared).verify(chain: chain, at: now)
        #expect(verified.identity.uri == "spiffe://orders/web")
        let verdict = try await OpenSSLVerifier().verdict(on: chain, roots: [shared.certificate], at: now)
        #expect(verdict.accepted, "openssl said: \(verdict.text)")
    }

    /// No constraints, and the peer has both roots at hand: only which root is whose is left.
    @Test func `the binding of a trust domain to its own roots refuses a name under the other mesh's root`() async throws {
        let payments = try await ThrowAwayRoot("ec-p256").authority()
        let orders = try await ThrowAwayRoot("ec-p384").authority()
        let chain = try stolen(under: payments, nameConstraints: false)
        let trustDomain = try TrustDomain("orders")
        #expect(throws: ChainRefusal.untrustedRoot(trustDomain)) {
            try verifier(payments: payments, orders: orders).verify(chain: chain, at: now)
        }
        // One merged pool of roots, as a client without the binding has, lets the name through.
        let pool = [payments.certificate, orders.certificate]
        #expect(try ChainVerifier(roots: [trustDomain: pool]).verify(chain: chain, at: now).identity.trustDomain == trustDomain)
        let verdict = try await OpenSSLVerifier().verdict(on: chain, roots: pool, at: now)
        #expect(verdict.accepted, "openssl said: \(verdict.text)")
    }
}
