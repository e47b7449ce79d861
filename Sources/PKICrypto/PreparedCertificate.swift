package import PKI

/// A certificate that lacks only its signature: what can be recorded before it exists, and signed exactly once.
///
/// Not copyable, so that one record never stands for two signatures: prepare, record, sign, deliver.
package struct PreparedCertificate: ~Copyable, Sendable {
    package let serial: SerialNumber
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// SHA-256 of the TBSCertificate; an ECDSA-SHA256 signature signs this very digest.
    package let digest: Fingerprint

    private let tbsCertificate: [UInt8]
    private let signatureAlgorithm: SignatureAlgorithm

    init(
        serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp, tbsCertificate: [UInt8],
        signatureAlgorithm: SignatureAlgorithm
    ) {
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.digest = Fingerprint(sha256: Digest.sha256(tbsCertificate))
        self.tbsCertificate = tbsCertificate
        self.signatureAlgorithm = signatureAlgorithm
    }

    /// Signs with the key of the signer that the template was compiled for, and gives the certificate, DER.
    package consuming func sign(with key: PrivateKey) throws(CryptoFailure) -> [UInt8] {
        guard key.algorithm.signatureAlgorithm == signatureAlgorithm else {
            throw CryptoFailure(
                "sign certificate \(serial)",
                reasons: ["it was prepared for \(signatureAlgorithm), and the key is \(key.algorithm.rawValue)"])
        }
        let signature =
            switch signatureAlgorithm {
            case .ecdsaWithSHA256, .sha256WithRSAEncryption: try key.sign(digest: digest.bytes)
            case .ecdsaWithSHA384: try key.signature(of: tbsCertificate)
            }
        return CertificateTemplate.certificate(
            tbsCertificate: tbsCertificate, signatureAlgorithm: signatureAlgorithm, signature: signature)
    }
}

extension CertificateTemplate {
    /// Fills the template in. `publicKey` is a SubjectPublicKeyInfo, DER; the times are the final ones.
    ///
    /// Throws if the key is of a kind that the profile does not allow, or the validity cannot be stated.
    package func prepare(
        serial: SerialNumber, notBefore: Timestamp, notAfter: Timestamp, publicKey: [UInt8]
    ) throws(CertificateTemplateError) -> PreparedCertificate {
        PreparedCertificate(
            serial: serial, notBefore: notBefore, notAfter: notAfter,
            tbsCertificate: try tbsCertificate(
                serial: serial, notBefore: notBefore, notAfter: notAfter, publicKey: publicKey,
                subjectKeyIdentifier: subjectKeyIdentifier ?? SubjectPublicKeyInfo.keyIdentifier(of: publicKey)),
            signatureAlgorithm: signatureAlgorithm)
    }
}

extension SignerDescription {
    /// The description of a signer made here: its template's subject and its key.
    package init(template: CertificateTemplate, key: PrivateKey) {
        self.init(
            subject: template.subject,
            subjectKeyIdentifier: template.subjectKeyIdentifier ?? key.subjectKeyIdentifier,
            keyAlgorithm: key.algorithm)
    }
}
