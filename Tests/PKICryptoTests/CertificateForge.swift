import Crypto
import CryptoExtras
import Foundation
import PKI
import SwiftASN1
import X509

/// What a forged certificate states; a test changes one thing of a sound one and has it signed.
///
/// Made with swift-certificates, so that the verifier is not tested with certificates of its own package's making.
struct CertificateBlueprint {
    var subject: X509.DistinguishedName
    var key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    var serial = Certificate.SerialNumber()
    var version = Certificate.Version.v3
    var notBefore = Forge.now - .seconds(3600)
    var notAfter = Forge.now + .seconds(86_400)
    var basicConstraints: BasicConstraints?
    var keyUsage: KeyUsage?
    var keyUsageIsCritical = true
    var purposes: [ExtendedKeyUsage.Usage]?
    var names: [GeneralName] = []
    var nameConstraints: NameConstraints?
    /// Goes in as it is, in place of any extension above with the same identifier.
    var further: [Certificate.Extension] = []
    /// Of the certificate's own signature; nil: the default of the signer's key.
    var signatureAlgorithm: Certificate.SignatureAlgorithm?

    static func root(_ name: String = "root 01", key: Certificate.PrivateKey? = nil) -> CertificateBlueprint {
        var blueprint = CertificateBlueprint(subject: Forge.name(name))
        blueprint.key = key ?? blueprint.key
        blueprint.basicConstraints = .isCertificateAuthority(maxPathLength: nil)
        blueprint.keyUsage = KeyUsage(keyCertSign: true, cRLSign: true)
        return blueprint
    }

    /// An issuing certificate without name constraints; `Forge.constraints(for:)` gives those that ours have.
    static func issuing(_ name: String = "issuing 01", domain: String = "payments") -> CertificateBlueprint {
        var blueprint = root(name)
        blueprint.basicConstraints = .isCertificateAuthority(maxPathLength: 0)
        blueprint.names = [.uniformResourceIdentifier("spiffe://\(domain)")]
        return blueprint
    }

    static func leaf(_ id: String = "spiffe://payments/api") -> CertificateBlueprint {
        var blueprint = CertificateBlueprint(subject: X509.DistinguishedName())
        blueprint.basicConstraints = .notCertificateAuthority
        blueprint.keyUsage = KeyUsage(digitalSignature: true)
        blueprint.purposes = [.serverAuth, .clientAuth]
        blueprint.names = [.uniformResourceIdentifier(id)]
        return blueprint
    }

    /// Signs with the key of `signer`, and takes its subject as the issuer's name.
    func signed(by signer: CertificateBlueprint) throws -> [UInt8] {
        let begin = Date(timeIntervalSince1970: TimeInterval(notBefore.seconds))
        let end = Date(timeIntervalSince1970: TimeInterval(notAfter.seconds))
        let extensions = try extensions(signer: signer)
        let certificate =
            if let signatureAlgorithm {
                try Certificate(
                    version: version, serialNumber: serial, publicKey: key.publicKey, notValidBefore: begin, notValidAfter: end,
                    issuer: signer.subject, subject: subject, signatureAlgorithm: signatureAlgorithm, extensions: extensions,
                    issuerPrivateKey: signer.key)
            } else {
                try Certificate(
                    version: version, serialNumber: serial, publicKey: key.publicKey, notValidBefore: begin, notValidAfter: end,
                    issuer: signer.subject, subject: subject, extensions: extensions, issuerPrivateKey: signer.key)
            }
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }

    func selfSigned() throws -> [UInt8] { try signed(by: self) }

    private func extensions(signer: CertificateBlueprint) throws -> Certificate.Extensions {
        var all: [Certificate.Extension] = []
        if let basicConstraints { all.append(try .init(basicConstraints, critical: true)) }
        if let keyUsage { all.append(try .init(keyUsage, critical: keyUsageIsCritical)) }
        if let purposes { all.append(try .init(ExtendedKeyUsage(purposes), critical: false)) }
        if !names.isEmpty { all.append(try .init(SubjectAlternativeNames(names), critical: subject.isEmpty)) }
        if let nameConstraints { all.append(try .init(nameConstraints, critical: true)) }
        all.append(try .init(SubjectKeyIdentifier(hash: key.publicKey), critical: false))
        if signer.key.publicKey != key.publicKey {
            let identifier = SubjectKeyIdentifier(hash: signer.key.publicKey).keyIdentifier
            all.append(try .init(AuthorityKeyIdentifier(keyIdentifier: identifier), critical: false))
        }
        all.removeAll { ext in further.contains { $0.oid == ext.oid } }
        return try Certificate.Extensions(all + further)
    }
}

/// The fixed values of the forged certificates.
enum Forge {
    /// 2026-11-21T08:00:00Z: the time of every verification that does not ask for another.
    static let now = Timestamp(seconds: 1_795_248_000)

    static func name(_ commonName: String) -> X509.DistinguishedName {
        X509.DistinguishedName([
            RelativeDistinguishedName(.init(type: .RDNAttributeType.organizationName, utf8String: "Signet")),
            RelativeDistinguishedName(.init(type: .RDNAttributeType.commonName, utf8String: commonName)),
        ])
    }

    /// The name constraints of an issuing certificate: the trust domain's own host, no DNS name, no address.
    static func constraints(for domain: String = "payments") -> NameConstraints {
        NameConstraints(
            excludedDNSDomains: [""],
            excludedIPRanges: [
                ASN1OctetString(contentBytes: ArraySlice([UInt8](repeating: 0, count: 8))),
                ASN1OctetString(contentBytes: ArraySlice([UInt8](repeating: 0, count: 32))),
            ],
            permittedURIDomains: [domain])
    }

    static func address(_ bytes: [UInt8]) -> ASN1OctetString { ASN1OctetString(contentBytes: bytes[...]) }

    static func rsa(bits: Int) throws -> Certificate.PrivateKey {
        Certificate.PrivateKey(try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: bits)))
    }

    static func domain(_ name: String) throws -> TrustDomain { try TrustDomain(name) }

    static func pem(_ der: [UInt8]) -> String { PEM.encode(label: "CERTIFICATE", der: der) }

    /// `der` with the first occurrence of `pattern` replaced by as many other bytes.
    static func replacing(_ pattern: [UInt8], with other: [UInt8], in der: [UInt8]) -> [UInt8] {
        guard let start = der.indices.first(where: { der[$0...].starts(with: pattern) }) else { return der }
        var changed = der
        changed.replaceSubrange(start..<start + pattern.count, with: other)
        return changed
    }
}

/// Root, optional middle CA, issuing certificate and leaf, each sound until a test changes it.
struct CertificateHierarchy {
    var root = CertificateBlueprint.root()
    var middle: CertificateBlueprint?
    var issuing = CertificateBlueprint.issuing()
    var leaf = CertificateBlueprint.leaf()

    /// The leaf first, then what is above it, without the root.
    func chain() throws -> [[UInt8]] {
        var chain = [try leaf.signed(by: issuing), try issuing.signed(by: middle ?? root)]
        if let middle { chain.append(try middle.signed(by: root)) }
        return chain
    }
}
