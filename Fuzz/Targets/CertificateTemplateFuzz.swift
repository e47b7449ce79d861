import CertificateProfiles
import Crypto
import Foundation
import PKI
import SwiftASN1
import X509

/// A template of any kind filled in with any values, beside the same certificate built field by field by swift-certificates.
///
/// Law: what a template gives is, octet for octet, what the other encoder gives of the same values; what it refuses is a key,
/// a time or a name that no certificate of its profile has.
struct CertificateTemplateFuzz {
    private let kind: CertificateRecord.Kind
    private let identity: SPIFFEID
    /// Of a root: P-256 or P-384. Of a cross certificate: whatever a root may have.
    private let algorithm: KeyAlgorithm
    /// Name constraints in an issuing certificate, the trust domain in a root.
    private let isSoleOwner: Bool
    private let serial: SerialNumber
    private let notBefore: Timestamp
    private let notAfter: Timestamp
    private let publicKey: [UInt8]
    private let keys: FuzzKeys

    static func run(_ bytes: [UInt8]) throws -> FuzzTarget.Verdict {
        var input = FuzzInput(bytes)
        let fuzz = try CertificateTemplateFuzz(&input)
        let template = try fuzz.template()
        let filled: [UInt8]
        do throws(CertificateTemplateError) {
            filled = try template.tbsCertificate(
                serial: fuzz.serial, notBefore: fuzz.notBefore, notAfter: fuzz.notAfter, publicKey: fuzz.publicKey,
                subjectKeyIdentifier: fuzz.subjectKeyIdentifier)
        } catch {
            try fuzz.confirm(error, template)
            return .refused
        }
        // A template takes keys whose form is right; that they are keys was seen where they came in.
        guard let key = try? Certificate.PublicKey(derEncoded: fuzz.publicKey) else { return .refused }
        let built = try fuzz.built(template, key)
        try BrokenInvariant.require(
            filled == built, "template and encoder differ:\n\(Hex.encode(filled))\n\(Hex.encode(built))")
        return .accepted
    }

    private init(_ input: inout FuzzInput) throws {
        let flags = input.byte()
        let kinds: [CertificateRecord.Kind] = [.leaf, .issuing, .root, .cross]
        kind = kinds[Int(flags & 3)]
        isSoleOwner = flags & 4 == 0
        let algorithms: [KeyAlgorithm] = kind == .cross ? KeyAlgorithm.allCases : [.ecP256, .ecP384]
        algorithm = algorithms[Int(flags >> 3) % algorithms.count]
        keys = try FuzzKeys.shared.get()
        serial = SerialNumber(bytes: (0...input.byte() % 20).map { _ in input.byte() })
        // Milliseconds would be lost in a certificate; half of the inputs are near the seams of the forms of time.
        func time() -> Timestamp {
            let seams: [Int64] = [-62_135_596_800, -631_152_000, 0, 2_524_608_000, 253_402_300_799]
            let seam = input.byte()
            guard seam >= 128 else { return Timestamp(seconds: input.number() % 400_000_000_000) }
            return Timestamp(seconds: seams[Int(seam) % seams.count] + Int64(Int8(bitPattern: input.byte())))
        }
        notBefore = time()
        notAfter = time()
        let choice = input.byte()
        switch choice % 4 {
        case 0, 1: publicKey = Array(keys.subject.publicKey.derRepresentation)
        case 2: publicKey = Array(try Self.p384().publicKey.derRepresentation)
        default: publicKey = input.block()
        }
        let usual = try SPIFFEID("spiffe://payments/api")
        identity = (try? SPIFFEID(String(decoding: input.remainder(), as: UTF8.self))) ?? usual
    }

    private var subjectKeyIdentifier: [UInt8] { Array(Insecure.SHA1.hash(data: publicKey)) }
    private var signer: SignerDescription {
        get throws {
            SignerDescription(
                subject: try DistinguishedName(organization: "Signet", commonName: FuzzKeys.issuingName),
                subjectKeyIdentifier: Array(Insecure.SHA1.hash(data: keys.issuing.publicKey.derRepresentation)),
                keyAlgorithm: .ecP256)
        }
    }
    private let id = IssuerID(random: [UInt8](repeating: 0xAB, count: 8))

    private func template() throws -> CertificateTemplate {
        let profiles = try CertificateTemplateFuzz.profiles.get()
        switch kind {
        case .leaf: return try CertificateTemplate(leaf: profiles.leaf, under: signer, identity: identity)
        case .issuing:
            return try CertificateTemplate(
                issuing: profiles.issuing, id: id.text, under: signer, trustDomain: identity.trustDomain,
                nameConstraints: isSoleOwner)
        case .root:
            return try CertificateTemplate(
                root: profiles.root, id: id, trustDomain: isSoleOwner ? identity.trustDomain : nil,
                keyAlgorithm: algorithm)
        case .cross:
            return try CertificateTemplate(
                cross: profiles.cross,
                of: SignerDescription(
                    subject: DistinguishedName(organization: "Signet", commonName: FuzzKeys.rootName),
                    subjectKeyIdentifier: [UInt8](repeating: 7, count: 20), keyAlgorithm: algorithm),
                trustDomain: isSoleOwner ? identity.trustDomain : nil, under: signer)
        }
    }

    private static func p384() throws -> P384.Signing.PrivateKey {
        try P384.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 0x55, count: 48))
    }

    private static let profiles = Result { try ProfileCatalog.embedded() }

    /// The TBSCertificate of the same values, by swift-certificates.
    private func built(_ template: CertificateTemplate, _ key: Certificate.PublicKey) throws -> [UInt8] {
        func date(_ time: Timestamp) -> Date { Date(timeIntervalSince1970: TimeInterval(time.seconds)) }
        let isP384 = kind == .root && algorithm == .ecP384
        let issuer = kind == .root ? try Self.name(template.subject) : try Self.name(signer.subject)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(bytes: serial.bytes),
            publicKey: key, notValidBefore: date(notBefore),
            notValidAfter: date(notAfter), issuer: issuer, subject: Self.name(template.subject),
            signatureAlgorithm: isP384 ? .ecdsaWithSHA384 : .ecdsaWithSHA256, extensions: try extensions(template),
            issuerPrivateKey: isP384 ? .init(Self.p384()) : .init(keys.issuing))
        return Array(certificate.tbsCertificateBytes)
    }

    /// As `pki/README.md` has them, in the order in which templates write them.
    private func extensions(_ template: CertificateTemplate) throws -> Certificate.Extensions {
        let identifier = template.subjectKeyIdentifier ?? subjectKeyIdentifier
        var all: [Certificate.Extension] = [try .init(SubjectKeyIdentifier(keyIdentifier: identifier[...]), critical: false)]
        let isLeaf = kind == .leaf
        let constraints: BasicConstraints =
            isLeaf ? .notCertificateAuthority : .isCertificateAuthority(maxPathLength: kind == .issuing ? 0 : nil)
        all.append(try .init(constraints, critical: true))
        let usage = isLeaf ? KeyUsage(digitalSignature: true) : KeyUsage(keyCertSign: true, cRLSign: true)
        all.append(try .init(usage, critical: true))
        if isLeaf { all.append(try .init(ExtendedKeyUsage([.serverAuth, .clientAuth]), critical: false)) }
        if kind != .root {
            all.append(
                try .init(AuthorityKeyIdentifier(keyIdentifier: signer.subjectKeyIdentifier[...]), critical: false))
        }
        let uri = isLeaf ? identity.uri : kind == .issuing || isSoleOwner ? identity.trustDomain.uri : nil
        if let uri { all.append(try .init(SubjectAlternativeNames([.uniformResourceIdentifier(uri)]), critical: isLeaf)) }
        if kind == .issuing, isSoleOwner {
            let constraints = NameConstraints(
                excludedDNSDomains: [""],
                excludedIPRanges: [8, 32].map { ASN1OctetString(contentBytes: [UInt8](repeating: 0, count: $0)[...]) },
                permittedURIDomains: [identity.trustDomain.name])
            all.append(try .init(constraints, critical: true))
        }
        return try Certificate.Extensions(all)
    }

    private static func name(_ name: PKI.DistinguishedName) throws -> X509.DistinguishedName {
        try X509.DistinguishedName(derEncoded: SwiftASN1.DER.parse(name.der))
    }

    /// A refusal must be for a value that is outside of what the profile allows.
    private func confirm(_ error: CertificateTemplateError, _ template: CertificateTemplate) throws {
        try SpokenText.check("\(error)")
        switch error {
        case .subjectKey:
            guard let algorithm = SubjectPublicKeyInfo.algorithm(of: publicKey) else { return }
            try BrokenInvariant.require(!template.subjectKeys.contains(algorithm), "refused a key that is allowed")
        case .validity:
            let years = Int64(-62_135_596_800)...253_402_300_799
            try BrokenInvariant.require(
                notBefore > notAfter || !years.contains(notBefore.seconds) || !years.contains(notAfter.seconds),
                "refused a validity that can be stated")
        case .name, .profile, .subjectKeyIdentifier: throw BrokenInvariant("refused for \(error)")
        }
    }
}
