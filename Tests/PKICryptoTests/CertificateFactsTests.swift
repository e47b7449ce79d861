import Crypto
import Foundation
import PKI
import PKICrypto
import SwiftASN1
import Testing
import X509

@Suite struct `The facts of a certificate` {
    @Test func `are what the certificate states`() throws {
        let issuing = CertificateBlueprint.issuing()
        let leaf = CertificateBlueprint.leaf()
        let der = try leaf.signed(by: issuing)
        let facts = try CertificateFacts(der: der)
        let parsed = try Certificate(derEncoded: der)
        #expect(facts.subject == "")
        #expect(facts.issuer == "CN=issuing 01,O=Signet")
        #expect(facts.serial.bytes == Array(leaf.serial.bytes))
        #expect(facts.notBefore == leaf.notBefore)
        #expect(facts.notAfter == leaf.notAfter)
        #expect(facts.identity?.uri == "spiffe://payments/api")
        #expect(!facts.isCA)
        #expect(facts.fingerprint.bytes == Array(SHA256.hash(data: der)))
        #expect(facts.digest.bytes == Array(SHA256.hash(data: parsed.tbsCertificateBytes)))
        #expect(try facts.subjectKeyIdentifier == parsed.extensions.subjectKeyIdentifier.map { Array($0.keyIdentifier) })
        #expect(try facts.authorityKeyIdentifier == parsed.extensions.authorityKeyIdentifier?.keyIdentifier.map(Array.init))
        #expect(facts.keyAlgorithm == "EC-P256")
    }

    @Test func `of a CA have no identity`() throws {
        let facts = try CertificateFacts(der: CertificateBlueprint.issuing().selfSigned())
        #expect(facts.isCA)
        #expect(facts.identity == nil)
        #expect(facts.authorityKeyIdentifier == nil)
    }

    @Test func `name the key`() throws {
        var root = CertificateBlueprint.root()
        root.key = try Forge.rsa(bits: 2048)
        #expect(try CertificateFacts(der: root.selfSigned()).keyAlgorithm == "RSA-2048")
        root.key = Certificate.PrivateKey(P384.Signing.PrivateKey())
        #expect(try CertificateFacts(der: root.selfSigned()).keyAlgorithm == "EC-P384")
        root.key = Certificate.PrivateKey(Curve25519.Signing.PrivateKey())
        #expect(try CertificateFacts(der: root.selfSigned()).keyAlgorithm == "1.3.101.112")
    }

    @Test(
        arguments: [0, 951_782_400, 951_868_800, 1_709_164_800, 2_524_607_999, 2_524_608_000, 4_102_444_800, 253_402_300_799]
            as [Int64])
    func `have the time to the second, in either form`(_ seconds: Int64) throws {
        var root = CertificateBlueprint.root()
        root.notBefore = Timestamp(seconds: seconds)
        root.notAfter = Timestamp(seconds: seconds)
        let facts = try CertificateFacts(der: root.selfSigned())
        #expect(facts.notBefore == Timestamp(seconds: seconds))
        #expect(facts.notAfter == Timestamp(seconds: seconds))
    }

    @Test func `have the serial number without the octet of its sign`() throws {
        var root = CertificateBlueprint.root()
        root.serial = Certificate.SerialNumber(bytes: [0x80, 0x01])
        #expect(try CertificateFacts(der: root.selfSigned()).serial.bytes == [0x80, 0x01])
        root.serial = Certificate.SerialNumber(bytes: [0x00])
        #expect(try CertificateFacts(der: root.selfSigned()).serial.bytes == [0x00])
        root.serial = Certificate.SerialNumber(bytes: [UInt8](repeating: 0x7F, count: 21))
        #expect(throws: ChainRefusal.undecodable(detail: "a serial number of over 20 octets")) {
            try CertificateFacts(der: root.selfSigned())
        }
    }

    @Test func `are read from each certificate of a PEM text`() throws {
        let chain = try CertificateHierarchy().chain()
        #expect(try CertificateFacts.ders(pem: "text\n" + chain.map(Forge.pem).joined(separator: "\n")) == chain)
        #expect(throws: ChainRefusal.undecodable(detail: "there is no block '-----BEGIN CERTIFICATE-----'")) {
            try CertificateFacts.ders(pem: "")
        }
        #expect(throws: ChainRefusal.self) { try CertificateFacts.ders(pem: String(repeating: "a", count: 1_048_577)) }
    }
}
