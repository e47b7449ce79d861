import Foundation
import PKI
import PKICrypto
import Testing

@Suite struct SignedChainTests {
    @Test(arguments: KeyAlgorithm.allCases)
    func `the chain in PEM is the certificate and what is above it, and openssl verifies it`(algorithm: KeyAlgorithm) async throws
    {
        let hierarchy = try IssuedHierarchy(rootKey: algorithm)
        let template = try hierarchy.leafTemplate()
        var keys = try FreshKeys().take(1)
        let above = [UInt8](hierarchy.issuing.certificate.pem.utf8)
        let extra = [UInt8](hierarchy.cross.pem.utf8)
        let prepared = try template.prepare(
            serial: .random(), notBefore: hierarchy.now, notAfter: hierarchy.now + .seconds(3600),
            publicKey: keys.subjectPublicKeyInfo(at: 0))
        let digest = prepared.digest
        let chain = try prepared.signChain(with: hierarchy.issuing.key, issuers: above, extra)
        let text = String(decoding: chain, as: UTF8.self)
        let blocks = try PEM.decode(text, label: "CERTIFICATE")
        #expect(blocks.count == 3)
        #expect(text == blocks.map(\.pem).joined())
        #expect(chain.suffix(extra.count) == extra[...])
        // The TBSCertificate that was recorded is the one that was signed.
        #expect(try CertificateFacts(der: blocks[0]).digest == digest)
        let scratch = try ScratchDirectory()
        let root = try scratch.write("root.pem", hierarchy.root.certificate.pem)
        let untrusted = try scratch.write("issuing.pem", above)
        let leaf = try scratch.write("leaf.pem", blocks[0].pem)
        let verified = try await ExternalTool.openssl(["verify", "-x509_strict", "-CAfile", root, "-untrusted", untrusted, leaf])
        #expect(verified.isSuccess, "\(verified.text)")
        // Certificate and key belong together.
        let secret = keys.withdrawPrivateKey(at: 0)
        let keyFile = try scratch.write("key.pem", secret.withUnsafeBytes { Array($0) })
        let ofKey = try await ExternalTool.openssl(["pkey", "-in", keyFile, "-pubout"])
        let ofLeaf = try await ExternalTool.openssl(["x509", "-in", leaf, "-noout", "-pubkey"])
        #expect(ofKey.isSuccess && ofKey.text == ofLeaf.text)
    }

    @Test func `a key of another kind than the certificate was prepared for signs no chain`() throws {
        let hierarchy = try IssuedHierarchy(rootKey: .ecP256)
        let other = try PrivateKey.generate(.rsa2048)
        #expect(throws: CryptoFailure.self) {
            try hierarchy.leafTemplate().prepare(
                serial: .random(), notBefore: hierarchy.now, notAfter: hierarchy.now + .seconds(3600),
                publicKey: hierarchy.leafKey.subjectPublicKeyInfo
            ).signChain(with: other)
        }
    }
}
