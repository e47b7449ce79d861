import PKI
import PKICrypto
import Testing
import X509

@Suite struct `The search for a path` {
    /// Two roots in a rotation: the new one also stands in a cross certificate that the old one signed.
    private struct Rotation {
        var old = CertificateBlueprint.root("root 01")
        var new = CertificateBlueprint.root("root 02")
        var issuing = CertificateBlueprint.issuing()
        var leaf = CertificateBlueprint.leaf()

        func cross(_ change: (inout CertificateBlueprint) -> Void = { _ in }) throws -> [UInt8] {
            var cross = new
            cross.serial = Certificate.SerialNumber()
            change(&cross)
            return try cross.signed(by: old)
        }

        func chain() throws -> [[UInt8]] { [try leaf.signed(by: issuing), try issuing.signed(by: new)] }
    }

    private func verified(_ chain: [[UInt8]], roots: [[UInt8]]) throws -> VerifiedChain {
        try ChainVerifier(roots: [Forge.domain("payments"): roots]).verify(chain: chain, at: Forge.now)
    }

    @Test func `leads through a cross certificate to the old root`() throws {
        let rotation = Rotation()
        let root = try rotation.old.selfSigned()
        let chain = try verified(rotation.chain() + [rotation.cross()], roots: [root])
        #expect(chain.path.count == 4)
        #expect(chain.anchor == (try CertificateFacts(der: root).fingerprint))
    }

    @Test func `leads past a cross certificate to the new root`() throws {
        let rotation = Rotation()
        let chain = try rotation.chain() + [rotation.cross()]
        #expect(try verified(chain, roots: [rotation.new.selfSigned()]).path.count == 3)
        #expect(try verified(chain, roots: [rotation.old.selfSigned(), rotation.new.selfSigned()]).path.count == 3)
        #expect(try verified(chain, roots: [rotation.new.selfSigned(), rotation.old.selfSigned()]).path.count == 3)
    }

    @Test func `ends nowhere without the cross certificate when only the old root is trusted`() throws {
        let rotation = Rotation()
        #expect(throws: ChainRefusal.untrustedRoot(try Forge.domain("payments"))) {
            try verified(rotation.chain(), roots: [rotation.old.selfSigned()])
        }
    }

    @Test func `takes the other way when the first root has expired`() throws {
        var rotation = Rotation()
        let cross = try rotation.cross()
        rotation.new.notAfter = Forge.now - .seconds(1)
        let chain = try rotation.chain() + [cross]
        #expect(try verified(chain, roots: [rotation.new.selfSigned(), rotation.old.selfSigned()]).path.count == 4)
    }

    @Test func `names what is wrong with the cross certificate`() throws {
        let rotation = Rotation()
        let end = Forge.now - .seconds(1)
        let expired = try rotation.chain() + [rotation.cross { $0.notAfter = end }]
        #expect(throws: ChainRefusal.expired(subject: "CN=root 02,O=Signet", notAfter: end)) {
            try verified(expired, roots: [rotation.old.selfSigned()])
        }
        let short = try rotation.chain() + [rotation.cross { $0.basicConstraints = .isCertificateAuthority(maxPathLength: 0) }]
        #expect(throws: ChainRefusal.pathLength(subject: "CN=root 02,O=Signet", limit: 0)) {
            try verified(short, roots: [rotation.old.selfSigned()])
        }
    }

    @Test func `takes the certificates behind the leaf in any order`() throws {
        let rotation = Rotation()
        let chain = try rotation.chain() + [rotation.cross(), rotation.old.selfSigned()]
        for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
            let shuffled = [chain[0]] + order.map { chain[$0] }
            #expect(try verified(shuffled, roots: [rotation.old.selfSigned()]).path.count == 4)
        }
    }

    @Test func `does not take the leaf from another place than the first`() throws {
        let rotation = Rotation()
        let chain = try rotation.chain()
        #expect(throws: ChainRefusal.leafIsCA) { try verified(chain.reversed(), roots: [rotation.new.selfSigned()]) }
    }

    @Test func `never ends at a self-signed certificate of the peer`() throws {
        let rotation = Rotation()
        let chain = try rotation.chain() + [rotation.new.selfSigned()]
        #expect(throws: ChainRefusal.untrustedRoot(try Forge.domain("payments"))) {
            try verified(chain, roots: [rotation.old.selfSigned()])
        }
        // The same name as the trusted root's does not help either.
        let namesake = CertificateBlueprint.root("root 02")
        #expect(throws: ChainRefusal.signature(subject: ChainVerifierCase.issuingName)) {
            try verified(chain, roots: [namesake.selfSigned()])
        }
    }

    @Test func `a root that is trusted under another certificate of the same name and key is the same root`() throws {
        let rotation = Rotation()
        var renewed = rotation.new
        renewed.serial = Certificate.SerialNumber()
        #expect(try verified(rotation.chain(), roots: [renewed.selfSigned()]).path.count == 3)
    }

    @Test func `comes out of a circle of certificates`() throws {
        let first = CertificateBlueprint.root("first")
        let second = CertificateBlueprint.root("second")
        let leaf = try CertificateBlueprint.leaf().signed(by: first)
        let chain = [leaf, try first.signed(by: second), try second.signed(by: first)]
        #expect(throws: ChainRefusal.untrustedRoot(try Forge.domain("payments"))) {
            try verified(chain, roots: [CertificateBlueprint.root("root 01").selfSigned()])
        }
    }

    @Test func `passes over nine certificates that lead nowhere`() throws {
        let root = CertificateBlueprint.root()
        let leaf = try CertificateBlueprint.leaf().signed(by: root)
        let unrelated = try (0..<9).map { try CertificateBlueprint.root("junk \($0)").selfSigned() }
        #expect(try verified([leaf] + unrelated, roots: [root.selfSigned()]).path.count == 2)
        let namesakes = try (0..<8).map { _ in try CertificateBlueprint.issuing().signed(by: .root("junk")) }
        let hierarchy = CertificateHierarchy()
        let chain = try [hierarchy.chain()[0]] + namesakes + [hierarchy.issuing.signed(by: hierarchy.root)]
        #expect(try verified(chain, roots: [hierarchy.root.selfSigned()]).path.count == 3)
    }

    @Test func `gives up on a maze after 32 signature checks`() throws {
        // Three keys under one name, each certified by all three: every way on is open at every step.
        let keys = (0..<3).map { _ in CertificateBlueprint.root("maze") }
        let certificates = try keys.flatMap { subject in
            try keys.map { signer in
                var variant = subject
                variant.serial = Certificate.SerialNumber()
                return try variant.signed(by: signer)
            }
        }
        let leaf = try CertificateBlueprint.leaf().signed(by: keys[0])
        #expect(throws: ChainRefusal.tooManySignatures(limit: 32)) {
            try verified([leaf] + certificates, roots: [CertificateBlueprint.root().selfSigned()])
        }
    }

    @Test func `a self-issued certificate does not count towards a path length`() throws {
        // The root's name with a new key, signed by the root: RFC 5280 §4.2.1.9 leaves it out of the count.
        var hierarchy = CertificateHierarchy()
        hierarchy.root.basicConstraints = .isCertificateAuthority(maxPathLength: 1)
        hierarchy.middle = .root("root 01")
        #expect(try verified(hierarchy.chain(), roots: [hierarchy.root.selfSigned()]).path.count == 4)
    }
}
