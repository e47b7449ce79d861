import Foundation
import PKI
import PKICrypto
import Testing

/// Path validation at the edges of RFC 5280, judged by the verifier and by `openssl verify -x509_strict`, side by side.
///
/// `differences.md` says where the two disagree, and why that is right; it is held to be complete and true.
@Suite struct LimboTests {
    @Test(arguments: LimboCase.all)
    func `the verdict is what the standard calls for, and OpenSSL's, or differs for a reason that is written down`(
        _ sample: LimboCase
    ) async throws {
        let scenario = try sample.scenario()
        let verdict = try verdict(on: scenario)
        #expect(verdict == sample.expected, "\(sample.source)")
        let peer = try await OpenSSLVerifier().verdict(on: scenario.chain, roots: scenario.roots, at: scenario.time)
        let difference = try LimboDifference.all()[sample.id]
        if (verdict == .accepted) == peer.accepted {
            #expect(difference == nil, "there is no difference any more: take the line out of \(LimboDifference.file)")
        } else {
            let found = "| `\(sample.id)` | \(verdict) | \(peer.accepted ? "accepted" : "refused") | why |"
            let difference = try #require(
                difference, "\(LimboDifference.file) does not explain \(found): openssl said \(peer.text)")
            #expect(difference.verdict == verdict.description)
            #expect(difference.peerAccepts == peer.accepted, "openssl said \(peer.text)")
        }
    }

    @Test func `every case is called by a name of its own, and every explained one is there`() throws {
        let ids = LimboCase.all.map(\.id)
        #expect(Set(ids).count == ids.count)
        #expect(Set(try LimboDifference.all().keys).subtracting(ids).isEmpty)
        #expect(ids.count >= 60)
    }

    @Test func `every reason to refuse a chain that can be told by a certificate is met by a case`() {
        let met = Set(
            LimboCase.all.compactMap { sample in
                if case .refused(let reason) = sample.expected { reason } else { nil }
            })
        // The one that is missing is of a peer that sent no certificate at all.
        #expect(met.count == 20)
        #expect(!met.contains("no-certificate"))
    }

    private func verdict(on scenario: LimboCase.Scenario) throws -> LimboCase.Verdict {
        do {
            let verifier = try ChainVerifier(roots: [TrustDomain(scenario.domain): scenario.roots])
            _ = try verifier.verify(chain: scenario.chain, at: scenario.time)
            return .accepted
        } catch let refusal as ChainRefusal {
            return .refused(refusal.reason)
        }
    }
}
