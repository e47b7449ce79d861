import Foundation
import PKI
import PKICrypto
import Testing

@Suite struct `Chain verification` {
    @Test(arguments: ChainVerifierCase.accepted)
    func `accepts a chain without a defect`(_ sample: ChainVerifierCase) throws {
        let scenario = try sample.scenario()
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): scenario.roots])
        let chain = try verifier.verify(chain: scenario.chain, at: scenario.time)
        #expect(chain.identity.uri == ChainVerifierCase.leafName)
        #expect(chain.anchor == (try CertificateFacts(der: scenario.roots[0]).fingerprint))
    }

    @Test(arguments: ChainVerifierCase.refused + ChainVerifierCase.undecodable)
    func `refuses a chain for its one defect`(_ sample: ChainVerifierCase) throws {
        let scenario = try sample.scenario()
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): scenario.roots])
        #expect(throws: try #require(try sample.refusal())) {
            try verifier.verify(chain: scenario.chain, at: scenario.time)
        }
    }

    @Test func `every refusal is shown by a case`() throws {
        let shown = Set(try (ChainVerifierCase.refused + ChainVerifierCase.undecodable).compactMap { try $0.refusal()?.reason })
        // The budget is spent by a graph, in the suite of the path search.
        #expect(shown.count == 20)
        #expect(!shown.contains("too-many-signatures"))
    }

    @Test func `tells the leaf, the path and the end of the proof`() throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing.notAfter = Forge.now + .seconds(600)
        let chain = try hierarchy.chain()
        let root = try hierarchy.root.selfSigned()
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [root]])
        let verified = try verifier.verify(chain: chain, at: Forge.now)
        let facts = try CertificateFacts(der: chain[0])
        #expect(verified.serial == facts.serial)
        #expect(verified.digest == facts.digest)
        #expect(verified.notBefore == hierarchy.leaf.notBefore)
        #expect(verified.notAfter == hierarchy.leaf.notAfter)
        #expect(verified.notAfterOfPath == Forge.now + .seconds(600))
        #expect(try verified.path == (chain + [root]).map { try CertificateFacts(der: $0).fingerprint })
        #expect(verified.anchor == verified.path.last)
    }

    @Test func `binds a trust domain to its own roots`() throws {
        let payments = CertificateHierarchy()
        var orders = CertificateHierarchy()
        orders.root = .root("root 02")
        orders.leaf = .leaf("spiffe://orders/api")
        let verifier = try ChainVerifier(roots: [
            Forge.domain("payments"): [try payments.root.selfSigned()],
            Forge.domain("orders"): [try orders.root.selfSigned()],
        ])
        #expect(try verifier.verify(chain: orders.chain(), at: Forge.now).identity.uri == "spiffe://orders/api")
        var forged = orders
        forged.leaf = .leaf("spiffe://payments/api")
        #expect(throws: ChainRefusal.untrustedRoot(try Forge.domain("payments"))) {
            try verifier.verify(chain: forged.chain(), at: Forge.now)
        }
    }

    @Test func `tells apart two trust domains under one root by the issuing certificate`() throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing.nameConstraints = Forge.constraints(for: "payments")
        let root = try hierarchy.root.selfSigned()
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [root], Forge.domain("orders"): [root]])
        #expect(try verifier.verify(chain: hierarchy.chain(), at: Forge.now).identity.trustDomain.name == "payments")
        hierarchy.leaf = .leaf("spiffe://orders/api")
        #expect(throws: ChainRefusal.nameConstraint(subject: ChainVerifierCase.issuingName, name: "spiffe://orders/api")) {
            try verifier.verify(chain: hierarchy.chain(), at: Forge.now)
        }
    }

    @Test func `trusts nobody without roots`() throws {
        let chain = try CertificateHierarchy().chain()
        let domain = try Forge.domain("payments")
        #expect(throws: ChainRefusal.unknownTrustDomain(domain)) {
            try ChainVerifier(roots: [:]).verify(chain: chain, at: Forge.now)
        }
        #expect(throws: ChainRefusal.unknownTrustDomain(domain)) {
            try ChainVerifier(roots: [domain: []]).verify(chain: chain, at: Forge.now)
        }
    }

    @Test func `refuses a root that is no certificate`() throws {
        let domain = try Forge.domain("payments")
        #expect(throws: ChainRefusal.undecodable(detail: "truncatedASN1Field")) {
            try ChainVerifier(roots: [domain: [[0x30]]])
        }
    }

    @Test func `a message cannot be made to lie by a name`() throws {
        var hierarchy = CertificateHierarchy()
        hierarchy.issuing = .issuing("x\nINFO accepted \u{202E}," + String(repeating: "a", count: 300))
        hierarchy.issuing.keyUsage = nil
        let verifier = try ChainVerifier(roots: [Forge.domain("payments"): [try hierarchy.root.selfSigned()]])
        let refusal = #expect(throws: ChainRefusal.self) { try verifier.verify(chain: hierarchy.chain(), at: Forge.now) }
        let text = try #require(refusal).description
        #expect(text.hasPrefix("CN=x\\u{a}INFO accepted \\u{202e}\\,aaa"))
        #expect(text.count < 260)
    }
}
