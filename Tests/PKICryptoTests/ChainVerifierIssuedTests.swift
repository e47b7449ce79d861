import PKI
import PKICrypto
import Testing

/// Certificates made the way that the service makes them, before the verifier that the service uses.
@Suite struct `Chain verification of issued certificates` {
    @Test(arguments: KeyAlgorithm.allCases)
    func `accepts them under the old root, the new one and both`(_ algorithm: KeyAlgorithm) throws {
        let issued = try IssuedHierarchy(rootKey: algorithm)
        func verified(_ chain: [[UInt8]], roots: [[UInt8]]) throws -> VerifiedChain {
            try ChainVerifier(roots: [issued.identity.trustDomain: roots]).verify(chain: chain, at: issued.now)
        }
        let root = issued.root.certificate
        let next = issued.nextRoot.certificate
        let chain = [issued.leaf, issued.issuing.certificate]
        let nextChain = [issued.nextLeaf, issued.nextIssuing.certificate]
        #expect(try verified(chain, roots: [root]).identity == issued.identity)
        #expect(try verified(chain, roots: [root, next]).path.count == 3)
        #expect(try verified(nextChain + [issued.cross], roots: [root]).path.count == 4)
        #expect(try verified(nextChain + [issued.cross], roots: [next]).path.count == 3)
        #expect(try verified(nextChain + [issued.cross], roots: [root, next]).path.count == 3)
        #expect(throws: ChainRefusal.untrustedRoot(issued.identity.trustDomain)) { try verified(nextChain, roots: [root]) }
        #expect(throws: ChainRefusal.untrustedRoot(issued.identity.trustDomain)) { try verified(chain, roots: [next]) }
    }

    @Test func `reads from them what was asked for`() throws {
        let issued = try IssuedHierarchy(rootKey: .ecP256)
        let facts = try CertificateFacts(der: issued.leaf)
        #expect(facts.identity == issued.identity)
        #expect(facts.serial.bytes.count == SerialNumber.count)
        #expect(facts.notBefore == issued.now.wholeSeconds - .seconds(10))
        #expect(facts.notAfter == issued.now.wholeSeconds + .seconds(86_400))
        #expect(facts.subjectKeyIdentifier == issued.leafKey.subjectKeyIdentifier)
        #expect(facts.authorityKeyIdentifier == issued.issuing.key.subjectKeyIdentifier)
    }
}
