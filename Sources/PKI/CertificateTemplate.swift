/// A certificate but for what differs from one to the next: compiled once for a profile, a signer and a subject, then
/// filled in with serial number, validity and key.
///
/// Building a certificate field by field costs more than signing it. Here the encoded parts are kept, and a certificate
/// is their concatenation with the new values between them; only the outermost length is computed again, so the forms
/// of the times and the size of the key may differ from one certificate to the next. The commonest shape is kept whole, as a
/// `CertificatePattern`.
///
/// A class, so that threads which issue from one template at once count one reference, not one for each of its parts.
package final class CertificateTemplate: Sendable {
    package let kind: CertificateRecord.Kind
    package let subject: DistinguishedName
    /// The signer's.
    package let signatureAlgorithm: SignatureAlgorithm
    /// The kinds of key that the certificate may hold.
    package let subjectKeys: [KeyAlgorithm]
    /// The subject key identifier of a root that exists already; nil: it follows from the key.
    package let subjectKeyIdentifier: [UInt8]?

    private let parts: TBSCertificateParts
    /// Nil where the profile has no P-256 keys.
    private let pattern: CertificatePattern?

    /// A root, signed by itself with a key of `keyAlgorithm`; `trustDomain` is that of the one mesh that owns it, if one does.
    package convenience init(
        root profile: CertificateProfile, id: IssuerID, trustDomain: TrustDomain?, keyAlgorithm: KeyAlgorithm
    ) throws(CertificateTemplateError) {
        let subject = try CertificateTemplate.subject(of: profile, id: id.text)
        try self.init(
            profile, kind: .root, subject: subject, keys: profile.keys.filter { $0 == keyAlgorithm }, issuer: subject,
            authorityKeyIdentifier: nil, signatureAlgorithm: keyAlgorithm.signatureAlgorithm, uri: trustDomain?.uri)
    }

    /// An issuing certificate under `root`, which signs leaves of `trustDomain`.
    ///
    /// `nameConstraints: false` leaves the critical constraints out, for clients that cannot read them.
    package convenience init(
        issuing profile: CertificateProfile, id: String, under root: SignerDescription, trustDomain: TrustDomain,
        nameConstraints: Bool
    ) throws(CertificateTemplateError) {
        try self.init(
            profile, kind: .issuing, subject: CertificateTemplate.subject(of: profile, id: id), keys: profile.keys,
            issuer: root.subject, authorityKeyIdentifier: root.subjectKeyIdentifier,
            signatureAlgorithm: root.keyAlgorithm.signatureAlgorithm, uri: trustDomain.uri,
            permittedHost: nameConstraints ? trustDomain.name : nil)
    }

    /// A leaf, the X.509-SVID of `identity`, under an issuing certificate.
    package convenience init(
        leaf profile: CertificateProfile, under issuing: SignerDescription, identity: SPIFFEID
    ) throws(CertificateTemplateError) {
        try self.init(
            profile, kind: .leaf, subject: .empty, keys: profile.keys, issuer: issuing.subject,
            authorityKeyIdentifier: issuing.subjectKeyIdentifier,
            signatureAlgorithm: issuing.keyAlgorithm.signatureAlgorithm, uri: identity.uri)
    }

    /// The name and key of the new root, `root`, signed by the root before it, so that whoever knows only that one accepts it.
    ///
    /// The subject key identifier is the new root's own, whatever it was derived from: certificates below refer to it.
    package convenience init(
        cross profile: CertificateProfile, of root: SignerDescription, trustDomain: TrustDomain?,
        under previous: SignerDescription
    ) throws(CertificateTemplateError) {
        try self.init(
            profile, kind: .cross, subject: root.subject, keys: profile.keys.filter { $0 == root.keyAlgorithm },
            subjectKeyIdentifier: root.subjectKeyIdentifier, issuer: previous.subject,
            authorityKeyIdentifier: previous.subjectKeyIdentifier,
            signatureAlgorithm: previous.keyAlgorithm.signatureAlgorithm, uri: trustDomain?.uri)
    }

    private init(
        _ profile: CertificateProfile, kind: CertificateRecord.Kind, subject: DistinguishedName, keys: [KeyAlgorithm],
        subjectKeyIdentifier: [UInt8]? = nil, issuer: DistinguishedName, authorityKeyIdentifier: [UInt8]?,
        signatureAlgorithm: SignatureAlgorithm, uri: String?, permittedHost: String? = nil
    ) throws(CertificateTemplateError) {
        guard profile.kind == kind else { throw .profile(needed: kind, given: profile.kind) }
        let placeholder = [UInt8](repeating: 0, count: CertificateTemplate.keyIdentifierCount)
        if let subjectKeyIdentifier, subjectKeyIdentifier.count != placeholder.count {
            throw .subjectKeyIdentifier(octets: subjectKeyIdentifier.count)
        }
        let identifier = CertificateExtensions.subjectKeyIdentifier(placeholder)
        var following: [UInt8] = CertificateExtensions.basicConstraints(profile.basicConstraints)
        following += CertificateExtensions.keyUsage(profile.keyUsage)
        if !profile.extendedKeyUsage.isEmpty {
            following += CertificateExtensions.extendedKeyUsage(profile.extendedKeyUsage)
        }
        if profile.hasAuthorityKeyIdentifier, let authorityKeyIdentifier {
            following += CertificateExtensions.authorityKeyIdentifier(authorityKeyIdentifier)
        }
        if let uri {
            following += CertificateExtensions.subjectAlternativeName(
                uri: uri, critical: profile.subjectAlternativeName.isCritical)
        }
        if let constraints = profile.nameConstraints, let permittedHost {
            following += CertificateExtensions.nameConstraints(constraints, permittedHost: permittedHost)
        }
        self.kind = kind
        self.subject = subject
        self.signatureAlgorithm = signatureAlgorithm
        self.subjectKeys = keys
        self.subjectKeyIdentifier = subjectKeyIdentifier
        let extensions = DER.context(3, DER.sequence(identifier, following))
        self.parts = TBSCertificateParts(
            beforeValidity: signatureAlgorithm.identifier + issuer.der, subject: subject.der, extensions: extensions,
            subjectKeyIdentifierOffset: extensions.count - following.count - placeholder.count)
        self.pattern = keys.contains(.ecP256) ? parts.pattern : nil
    }

    /// The whole TBSCertificate (RFC 5280 §4.1.2), to be digested, recorded and signed.
    ///
    /// `subjectKeyIdentifier` is 20 octets; a template of a root that exists already has its own and ignores it.
    package func tbsCertificate(
        serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp, publicKey: [UInt8],
        subjectKeyIdentifier identifier: [UInt8]
    ) throws(CertificateTemplateError) -> [UInt8] {
        guard let algorithm = SubjectPublicKeyInfo.algorithm(of: publicKey), subjectKeys.contains(algorithm) else {
            throw .subjectKey(allowed: subjectKeys)
        }
        let identifier = subjectKeyIdentifier ?? identifier
        guard identifier.count == CertificateTemplate.keyIdentifierCount else {
            throw .subjectKeyIdentifier(octets: identifier.count)
        }
        if algorithm == .ecP256, notBefore <= notAfter,
            let bytes = pattern?.filled(
                serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: publicKey, identifier: identifier)
        {
            return bytes
        }
        return try joined(
            serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: publicKey, identifier: identifier)
    }

    /// As `tbsCertificate`, whatever its shape, of a key that is allowed.
    func joined(
        serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp, publicKey: [UInt8], identifier: [UInt8]
    ) throws(CertificateTemplateError) -> [UInt8] {
        var times: [UInt8] = []
        times.reserveCapacity(2 * 17)
        guard notBefore <= notAfter, DER.append(notBefore, to: &times), DER.append(notAfter, to: &times) else {
            throw .validity(notBefore: notBefore, notAfter: notAfter)
        }
        return parts.joined(serial: serial, times: times, publicKey: publicKey, identifier: identifier)
    }

    /// How many octets the certificate (RFC 5280 §4.1) has that a TBSCertificate and its signature become.
    package static func certificateCount(
        tbsCertificate: Int, signatureAlgorithm: SignatureAlgorithm, signature: Int
    ) -> Int {
        let contents = tbsCertificate + afterTBSCertificate(signatureAlgorithm, signature: signature)
        return DER.headerCount(for: contents) + contents
    }

    /// Joins a TBSCertificate and its signature into the certificate (RFC 5280 §4.1), at the beginning of `target`, which must
    /// hold `certificateCount`; gives its octets.
    package static func writeCertificate(
        tbsCertificate: UnsafeRawBufferPointer, signatureAlgorithm: SignatureAlgorithm, signature: UnsafeRawBufferPointer,
        to target: UnsafeMutableRawBufferPointer
    ) -> Int {
        let contents = tbsCertificate.count + afterTBSCertificate(signatureAlgorithm, signature: signature.count)
        var position = 0
        func write(_ bytes: UnsafeRawBufferPointer) {
            UnsafeMutableRawBufferPointer(rebasing: target[position..<position + bytes.count]).copyMemory(from: bytes)
            position += bytes.count
        }
        position = DER.writeHeader(tag: 0x30, count: contents, to: target, at: position)
        write(tbsCertificate)
        signatureAlgorithm.identifier.withUnsafeBytes { write($0) }
        position = DER.writeHeader(tag: 0x03, count: 1 + signature.count, to: target, at: position)
        // A BIT STRING of whole octets.
        target[position] = 0
        position += 1
        write(signature)
        return position
    }

    /// The octets of signatureAlgorithm and signatureValue.
    private static func afterTBSCertificate(_ algorithm: SignatureAlgorithm, signature: Int) -> Int {
        algorithm.identifier.count + DER.headerCount(for: 1 + signature) + 1 + signature
    }

    /// 160 bits of SHA-256 (RFC 7093 §2, method 1).
    package static let keyIdentifierCount = 20

    private static func subject(
        of profile: CertificateProfile, id: String
    ) throws(CertificateTemplateError) -> DistinguishedName {
        switch profile.subject {
        case .asNewRoot, .empty: return .empty
        case .name(let organization, let pattern):
            let commonName = pattern.split(separator: "{id}", omittingEmptySubsequences: false).joined(separator: id)
            do {
                return try DistinguishedName(organization: organization, commonName: commonName)
            } catch {
                throw .name(error)
            }
        }
    }
}
