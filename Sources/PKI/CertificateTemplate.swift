/// A certificate but for what differs from one to the next: compiled once for a profile, a signer and a subject, then
/// filled in with serial number, validity and key.
///
/// Building a certificate field by field costs more than signing it. Here the encoded parts are kept, and a certificate
/// is their concatenation with the new values between them; only the outermost length is computed again, so the forms
/// of the times and the size of the key may differ from one certificate to the next.
package struct CertificateTemplate: Hashable, Sendable {
    package let kind: CertificateRecord.Kind
    package let subject: DistinguishedName
    /// The signer's.
    package let signatureAlgorithm: SignatureAlgorithm
    /// The kinds of key that the certificate may hold.
    package let subjectKeys: [KeyAlgorithm]
    /// The subject key identifier of a root that exists already; nil: it follows from the key.
    package let subjectKeyIdentifier: [UInt8]?

    /// `signature` and `issuer` of the TBSCertificate.
    private let beforeValidity: [UInt8]
    /// `extensions`, with 20 zero octets in place of the subject key identifier.
    private let extensions: [UInt8]
    /// Where in `extensions` the subject key identifier is.
    private let subjectKeyIdentifierOffset: Int

    /// A root, signed by itself with a key of `keyAlgorithm`; `trustDomain` is that of the one mesh that owns it, if one does.
    package init(
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
    package init(
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
    package init(
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
    package init(
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
        self.beforeValidity = signatureAlgorithm.identifier + issuer.der
        self.extensions = DER.context(3, DER.sequence(identifier, following))
        self.subjectKeyIdentifierOffset = extensions.count - following.count - placeholder.count
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
        var times: [UInt8] = []
        times.reserveCapacity(2 * 17)
        guard notBefore <= notAfter, DER.append(notBefore, to: &times), DER.append(notAfter, to: &times) else {
            throw .validity(notBefore: notBefore, notAfter: notAfter)
        }
        // What is made here is minimal as it stands; anything else is brought into DER's form.
        let number = serial.bytes.first.map { (1..<0x80).contains($0) } ?? false ? serial.bytes : minimal(serial)

        var count = CertificateTemplate.version.count + 2 + number.count + beforeValidity.count
        count += 2 + times.count + subject.der.count + publicKey.count + extensions.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + DER.headerCount(for: count))
        DER.appendHeader(tag: 0x30, count: count, to: &bytes)
        bytes += CertificateTemplate.version
        DER.appendHeader(tag: 0x02, count: number.count, to: &bytes)
        bytes += number
        bytes += beforeValidity
        DER.appendHeader(tag: 0x30, count: times.count, to: &bytes)
        bytes += times
        bytes += subject.der
        bytes += publicKey
        let start = bytes.count + subjectKeyIdentifierOffset
        bytes += extensions
        bytes.replaceSubrange(start..<start + identifier.count, with: identifier)
        return bytes
    }

    /// The contents of the INTEGER: positive, and in the fewest octets.
    private func minimal(_ serial: SerialNumber) -> [UInt8] { Array(DER.integer(serial.bytes).dropFirst(2)) }

    /// Joins a TBSCertificate and its signature into the certificate (RFC 5280 §4.1).
    package static func certificate(
        tbsCertificate: [UInt8], signatureAlgorithm: SignatureAlgorithm, signature: [UInt8]
    ) -> [UInt8] {
        let identifier = signatureAlgorithm.identifier
        let bits = 1 + signature.count
        let count = tbsCertificate.count + identifier.count + DER.headerCount(for: bits) + bits
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + DER.headerCount(for: count))
        DER.appendHeader(tag: 0x30, count: count, to: &bytes)
        bytes += tbsCertificate
        bytes += identifier
        DER.appendHeader(tag: 0x03, count: bits, to: &bytes)
        bytes.append(0)
        bytes += signature
        return bytes
    }

    /// 160 bits of SHA-256 (RFC 7093 §2, method 1).
    package static let keyIdentifierCount = 20

    /// v3.
    private static let version = DER.context(0, DER.integer(2))

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
