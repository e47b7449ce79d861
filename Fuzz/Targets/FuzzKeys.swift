import Crypto
import Foundation
import PKI
import SwiftASN1
import X509

/// Keys that everyone knows, so that an input need not be signed: the targets sign what the fuzzer has made.
struct FuzzKeys {
    let root: P256.Signing.PrivateKey
    let issuing: P256.Signing.PrivateKey
    /// Of leaves and requests.
    let subject: P256.Signing.PrivateKey
    let token: P256.Signing.PrivateKey
    /// DER. Only name and key count: the signature is another one in each process.
    let rootCertificate: [UInt8]
    let issuingCertificate: [UInt8]

    /// The time of every verdict: 2026-11-21T08:00:00Z.
    static let now = Timestamp(seconds: 1_795_248_000)
    static let rootName = "fuzz root"
    static let issuingName = "fuzz issuing"

    static let shared = Result { try FuzzKeys() }

    private init() throws {
        func key(_ octet: UInt8) throws -> P256.Signing.PrivateKey {
            try P256.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: octet, count: 32))
        }
        root = try key(0x11)
        issuing = try key(0x22)
        subject = try key(0x33)
        token = try key(0x44)
        rootCertificate = try FuzzKeys.authority(
            FuzzKeys.rootName, key: root, pathLength: nil, issuer: FuzzKeys.rootName, signer: root)
        issuingCertificate = try FuzzKeys.authority(
            FuzzKeys.issuingName, key: issuing, pathLength: 0, issuer: FuzzKeys.rootName, signer: root)
    }

    /// The certificate or request that `body` becomes by the signature of `key`, ECDSA with SHA-256.
    static func signed(_ body: [UInt8], with key: P256.Signing.PrivateKey) throws -> [UInt8] {
        let signature = try key.signature(for: body)
        return PKI.DER.sequence(
            body, SignatureAlgorithm.ecdsaWithSHA256.identifier, PKI.DER.bitString(Array(signature.derRepresentation)))
    }

    static func name(_ commonName: String) throws -> X509.DistinguishedName {
        try X509.DistinguishedName { CommonName(commonName) }
    }

    private static func authority(
        _ name: String, key: P256.Signing.PrivateKey, pathLength: Int?, issuer: String, signer: P256.Signing.PrivateKey
    ) throws -> [UInt8] {
        let begin = Date(timeIntervalSince1970: TimeInterval(now.seconds - 3600))
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(bytes: [1, 2, 3]), publicKey: .init(key.publicKey),
            notValidBefore: begin, notValidAfter: begin + 864_000, issuer: FuzzKeys.name(issuer), subject: FuzzKeys.name(name),
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: pathLength))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            issuerPrivateKey: .init(signer))
        var serializer = SwiftASN1.DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}
