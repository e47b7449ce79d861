package import PKI

/// What a certificate states, for people and for the ledger; it proves nothing.
package struct CertificateFacts: Hashable, Sendable {
    /// RFC 4514, printable and bounded; empty for a leaf of ours.
    package let subject: String
    package let issuer: String
    /// The subject byte for byte, as the issuer of what it signs has to state it.
    package let subjectName: DistinguishedName
    package let serial: SerialNumber
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// The SPIFFE ID, if there is exactly one URI name and it is one; a CA's, which has no path, is none.
    package let identity: SPIFFEID?
    package let isCA: Bool
    /// How many intermediate certificates may follow below it; nil: as many as there are.
    package let pathLength: Int?
    /// SHA-256 of the whole DER.
    package let fingerprint: Fingerprint
    /// SHA-256 of the TBSCertificate as it stands: by this the ledger knows the certificate.
    package let digest: Fingerprint
    /// Nil where the extension is absent.
    package let subjectKeyIdentifier: [UInt8]?
    package let authorityKeyIdentifier: [UInt8]?
    /// The DER of the SubjectPublicKeyInfo.
    package let subjectPublicKeyInfo: [UInt8]
    /// `EC-P256`, `RSA-2048` …, or the object identifier of an algorithm that is not accepted.
    package let keyAlgorithm: String

    /// Reads one certificate, at most 64 KiB, with no byte behind it.
    package init(der: [UInt8]) throws(ChainRefusal) {
        let certificate = try ParsedCertificate(der: der)
        subject = NameText.of(certificate.subject)
        issuer = NameText.of(certificate.issuer)
        subjectName = DistinguishedName(der: Array(certificate.subject))
        serial = certificate.serial
        notBefore = certificate.notBefore
        notAfter = certificate.notAfter
        let uris = certificate.extensions.uris
        identity = uris.count == 1 ? try? SPIFFEID(uris[0]) : nil
        isCA = certificate.extensions.isCA
        pathLength = certificate.extensions.pathLength
        fingerprint = Fingerprint(sha256: Digest.sha256(der))
        digest = Fingerprint(sha256: Digest.sha256(Array(certificate.tbs)))
        subjectKeyIdentifier = certificate.extensions.subjectKeyIdentifier.map(Array.init)
        authorityKeyIdentifier = certificate.extensions.authorityKeyIdentifier.map(Array.init)
        subjectPublicKeyInfo = Array(certificate.key.der)
        keyAlgorithm = certificate.key.algorithmText
    }

    /// The DER of each certificate in a PEM text, in its order: at least one, and at most a megabyte of text.
    package static func ders(pem text: String) throws(ChainRefusal) -> [[UInt8]] {
        guard text.utf8.count <= maximumPEMBytes else {
            throw .undecodable(detail: "\(text.utf8.count) bytes of PEM are more than the \(maximumPEMBytes) accepted")
        }
        do {
            return try PEM.decode(text, label: "CERTIFICATE")
        } catch {
            throw .undecodable(detail: "\(error)")
        }
    }

    /// Ten certificates of the largest size accepted, in base64; a bundle of roots is far smaller.
    private static let maximumPEMBytes = 1_048_576
}
