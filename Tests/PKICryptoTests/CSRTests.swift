import Crypto
import Foundation
import PKI
import PKICrypto
import Subprocess
import SwiftASN1
import Testing
import X509

@Suite struct `A certificate signing request` {
    private typealias Request = PKICrypto.CertificateSigningRequest

    private let granted: SPIFFEID

    init() throws {
        granted = try SPIFFEID("spiffe://payments/api")
    }

    @Test func `gives its public key and nothing else`() throws {
        let key = P256.Signing.PrivateKey()
        let request = try Request(der: CSRBlueprint(key: .init(key)).der())
        #expect(request.subjectPublicKeyInfo == Array(key.publicKey.derRepresentation))
        #expect(request.keyKind == .ecP256)
        try request.check(granted: granted)
    }

    @Test func `may have a P-384 or RSA key`() throws {
        let p384 = CSRBlueprint(key: .init(P384.Signing.PrivateKey()))
        #expect(try Request(der: p384.der()).keyKind == .ecP384)
        #expect(try Request(der: CSRBlueprint(key: Forge.rsa(bits: 2048)).der()).keyKind == .rsa(bits: 2048))
    }

    @Test func `may have a subject, which is passed over`() throws {
        try Request(der: CSRBlueprint(subject: Forge.name("anything")).der()).check(granted: granted)
    }

    @Test func `may ask for what a leaf has anyway`() throws {
        let blueprint = CSRBlueprint(
            names: [.uniformResourceIdentifier(granted.uri)],
            extensions: [
                try .init(BasicConstraints.notCertificateAuthority, critical: true),
                try .init(KeyUsage(digitalSignature: true), critical: true),
                try .init(ExtendedKeyUsage([.serverAuth, .clientAuth]), critical: false),
            ])
        try Request(der: blueprint.der()).check(granted: granted)
    }

    struct Sample: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let refusal: CSRRefusal
        let blueprint: @Sendable () throws -> CSRBlueprint
    }

    static let beyondALeaf: [Sample] = [
        .init(testDescription: "a challenge password", refusal: .attributeNotAllowed(oid: "1.2.840.113549.1.9.7")) {
            CSRBlueprint(attributes: [
                .init(oid: [1, 2, 840, 113549, 1, 9, 7], values: [try ASN1Any(erasing: ASN1UTF8String("secret"))])
            ])
        },
        .init(testDescription: "the CA flag", refusal: .caRequested) {
            CSRBlueprint(extensions: [try .init(BasicConstraints.isCertificateAuthority(maxPathLength: nil), critical: true)])
        },
        .init(testDescription: "code signing", refusal: .extendedKeyUsageRequested) {
            CSRBlueprint(extensions: [try .init(ExtendedKeyUsage([.serverAuth, .codeSigning]), critical: false)])
        },
        .init(testDescription: "any extended key usage", refusal: .extendedKeyUsageRequested) {
            CSRBlueprint(extensions: [try .init(ExtendedKeyUsage([.any]), critical: false)])
        },
        .init(testDescription: "name constraints", refusal: .extensionNotAllowed(oid: "2.5.29.30")) {
            CSRBlueprint(extensions: [try .init(Forge.constraints(), critical: true)])
        },
        .init(testDescription: "an extension of its own", refusal: .extensionNotAllowed(oid: "1.3.6.1.4.1.99999.1")) {
            CSRBlueprint(extensions: [.init(oid: [1, 3, 6, 1, 4, 1, 99_999, 1], critical: false, value: [0x05, 0x00])])
        },
        .init(testDescription: "an RSA-1024 key", refusal: .keyNotAccepted(algorithm: "1.2.840.113549.1.1.1")) {
            CSRBlueprint(key: try Forge.rsa(bits: 1024))
        },
        .init(testDescription: "an Ed25519 key", refusal: .keyNotAccepted(algorithm: "1.3.101.112")) {
            CSRBlueprint(key: .init(Curve25519.Signing.PrivateKey()))
        },
        .init(testDescription: "keyCertSign", refusal: .keyUsageRequested) {
            CSRBlueprint(extensions: [try .init(KeyUsage(digitalSignature: true, keyCertSign: true), critical: true)])
        },
        .init(testDescription: "a signature with SHA-1", refusal: .weakAlgorithm) {
            CSRBlueprint(key: try Forge.rsa(bits: 2048), signatureAlgorithm: .sha1WithRSAEncryption)
        },
    ]

    @Test(arguments: beyondALeaf)
    func `is refused when it asks for more than a leaf has`(_ sample: Sample) throws {
        let der = try sample.blueprint().der()
        #expect(throws: sample.refusal) { try Request(der: der) }
    }

    static let foreignNames: [[GeneralName]] = [
        [.uniformResourceIdentifier("spiffe://payments/web")],
        [.uniformResourceIdentifier("spiffe://payments/api/")],
        [.uniformResourceIdentifier("SPIFFE://payments/api")],
        [.uniformResourceIdentifier("spiffe://payments/api"), .uniformResourceIdentifier("spiffe://payments/api")],
        [.uniformResourceIdentifier("spiffe://payments/api"), .dnsName("api")],
        [.dnsName("spiffe://payments/api")],
        [.rfc822Name("spiffe://payments/api")],
        [.ipAddress(Forge.address([10, 0, 0, 1]))],
    ]

    @Test(arguments: foreignNames)
    func `is refused when it asks for a name that is not the granted one`(_ names: [GeneralName]) throws {
        let request = try Request(der: CSRBlueprint(names: names).der())
        let refusal = #expect(throws: CSRRefusal.self) { try request.check(granted: granted) }
        #expect(refusal?.reason == "csr-subject-alt-name-not-granted")
    }

    @Test func `is refused when its signature is not by its own key`() throws {
        let blueprint = CSRBlueprint()
        let other = CSRBlueprint()
        let point = Array(blueprint.key.publicKey.subjectPublicKeyInfoBytes)
        let stolen = Forge.replacing(point, with: Array(other.key.publicKey.subjectPublicKeyInfoBytes), in: try blueprint.der())
        #expect(throws: CSRRefusal.proofOfPossession) { try Request(der: stolen) }
    }

    @Test func `is refused when its key is no point of the curve`() throws {
        let blueprint = CSRBlueprint()
        let point = Array(blueprint.key.publicKey.subjectPublicKeyInfoBytes)
        let nowhere = Forge.replacing(point, with: [4] + [UInt8](repeating: 1, count: 64), in: try blueprint.der())
        #expect(throws: CSRRefusal.keyNotAccepted(algorithm: "EC-P256")) { try Request(der: nowhere) }
    }

    @Test func `is bounded before it is parsed`() throws {
        let bytes = [UInt8](repeating: 0x30, count: 65_537)
        #expect(throws: CSRRefusal.tooLarge(bytes: 65_537, limit: 65_536)) { try Request(der: bytes) }
        let text = String(repeating: "a", count: 65_537)
        #expect(throws: CSRRefusal.tooLarge(bytes: 65_537, limit: 65_536)) { try Request(pem: text) }
    }

    @Test func `is refused when it is something else`() throws {
        let certificate = Forge.pem(try CertificateBlueprint.root().selfSigned())
        #expect(throws: CSRRefusal.undecodable(detail: "there is no block '-----BEGIN CERTIFICATE REQUEST-----'")) {
            try Request(pem: certificate)
        }
        let der = try CSRBlueprint().der()
        let pem = PEM.encode(label: "CERTIFICATE REQUEST", der: der)
        #expect(throws: CSRRefusal.undecodable(detail: "2 requests where one is expected")) { try Request(pem: pem + pem) }
        #expect(throws: CSRRefusal.undecodable(detail: "invalidASN1Object")) { try Request(der: der + [0]) }
        #expect(throws: CSRRefusal.self) { try Request(der: []) }
    }

    @Test func `by the openssl tool is read`() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "signet-csr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "request.pem").path
        let result = try await run(
            .name("openssl"),
            arguments: [
                "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null",
                "-subj", "/CN=api", "-addext", "subjectAltName=URI:\(granted.uri)", "-out", file,
            ], output: .string(limit: 65_536), error: .string(limit: 65_536))
        try #require(result.terminationStatus.isSuccess, "openssl is needed: 'apt-get install openssl'")
        let request = try Request(pem: String(contentsOfFile: file, encoding: .utf8))
        #expect(request.keyKind == .ecP256)
        try request.check(granted: granted)
        #expect(
            throws: CSRRefusal.subjectAltNameNotGranted(requested: granted.uri, granted: try SPIFFEID("spiffe://payments/web"))
        ) {
            try request.check(granted: SPIFFEID("spiffe://payments/web"))
        }
    }
}
