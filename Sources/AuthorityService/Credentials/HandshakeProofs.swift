internal import PKI
internal import PKICrypto
import Synchronization

/// What handshakes have proved and no call has asked for yet: so a chain is verified once, and not again moments later.
///
/// A proof is good for one call, and for no more than it was made from: the same octets, the same snapshot of the roots, and
/// time that has not gone back, nor beyond the first end of validity on the path. What else a call is judged by, the ledger's
/// record, mesh and revocation, is looked at in every case.
final class HandshakeProofs: Sendable {
    private struct Proof {
        let generation: Int64
        let provedAt: Timestamp
        let chain: VerifiedChain
    }

    private let proofs = Mutex<[[[UInt8]]: Proof]>([:])

    /// As many as one door has connections at most: ten thousand proxies that come at once shake hands before the first of them
    /// is heard. Beyond it all are forgotten, and whoever they were for is verified again.
    private static let mostProofs = 16_000

    func put(_ verified: VerifiedChain, of chain: [[UInt8]], generation: Int64, at now: Timestamp) {
        proofs.withLock { proofs in
            if proofs.count >= HandshakeProofs.mostProofs { proofs = [:] }
            proofs[chain] = Proof(generation: generation, provedAt: now, chain: verified)
        }
    }

    /// What the handshake with `chain` proved, if it still holds; nil: verify.
    func take(_ chain: [[UInt8]], generation: Int64, at now: Timestamp) -> VerifiedChain? {
        guard let proof = proofs.withLock({ $0.removeValue(forKey: chain) }), proof.generation == generation,
            proof.provedAt <= now, now < proof.chain.notAfterOfPath
        else { return nil }
        return proof.chain
    }
}
