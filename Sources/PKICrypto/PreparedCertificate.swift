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
        try withSignature(by: key) { certificate in Array(certificate) }
    }

    /// As `sign(with:)`, and gives the certificate in PEM, followed by `issuers`: the certificates above it, in PEM too.
    package consuming func signChain(with key: PrivateKey, issuers: [UInt8]...) throws(CryptoFailure) -> [UInt8] {
        try withSignature(by: key) { certificate in
            let own = PEM.encodedCount(label: PreparedCertificate.label, of: certificate.count)
            return [UInt8](unsafeUninitializedCapacity: issuers.reduce(own) { $0 + $1.count }) { buffer, count in
                count = PEM.write(
                    label: PreparedCertificate.label, der: certificate, into: UnsafeMutableRawBufferPointer(buffer))
                for issuer in issuers {
                    let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
                    count += rest.update(fromContentsOf: issuer)
                }
            }
        }
    }

    /// Hands `body` the certificate, DER.
    private borrowing func withSignature(
        by key: PrivateKey, _ body: (UnsafeRawBufferPointer) -> [UInt8]
    ) throws(CryptoFailure) -> [UInt8] {
        guard key.algorithm.signatureAlgorithm == signatureAlgorithm else {
            throw CryptoFailure(
                "sign certificate \(serial)",
                reasons: ["it was prepared for \(signatureAlgorithm), and the key is \(key.algorithm.rawValue)"])
        }
        let longest = CertificateTemplate.certificateCount(
            tbsCertificate: tbsCertificate.count, signatureAlgorithm: signatureAlgorithm,
            signature: key.maximumSignatureCount)
        let digest =
            switch signatureAlgorithm {
            case .ecdsaWithSHA256, .sha256WithRSAEncryption: self.digest.bytes
            case .ecdsaWithSHA384: Digest.sha384(tbsCertificate)
            }
        // Signature first, certificate behind it: on the stack, but for RSA's.
        let room = key.maximumSignatureCount + longest
        let result = withUnsafeTemporaryAllocation(byteCount: room, alignment: 16) {
            buffer -> Result<[UInt8], CryptoFailure> in
            let signature = UnsafeMutableRawBufferPointer(rebasing: buffer[..<key.maximumSignatureCount])
            let certificate = UnsafeMutableRawBufferPointer(rebasing: buffer[key.maximumSignatureCount...])
            guard let start = signature.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
                return .failure(CryptoFailure("sign certificate \(serial)", reasons: ["no memory"]))
            }
            do throws(CryptoFailure) {
                let signed = try key.sign(digest: digest, into: start)
                let count = tbsCertificate.withUnsafeBytes { tbs in
                    CertificateTemplate.writeCertificate(
                        tbsCertificate: tbs, signatureAlgorithm: signatureAlgorithm,
                        signature: UnsafeRawBufferPointer(rebasing: signature[..<signed]), to: certificate)
                }
                return .success(body(UnsafeRawBufferPointer(rebasing: certificate[..<count])))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// As `sign(with:)`, with a key that may be in a token.
    package consuming func sign(by key: any SigningKey) async throws(SigningFailure) -> [UInt8] {
        guard key.algorithm.signatureAlgorithm == signatureAlgorithm else {
            throw .crypto(
                CryptoFailure(
                    "sign certificate \(serial)",
                    reasons: ["it was prepared for \(signatureAlgorithm), and the key is \(key.algorithm.rawValue)"]))
        }
        let hashed: [UInt8] =
            switch signatureAlgorithm {
            case .ecdsaWithSHA256, .sha256WithRSAEncryption: digest.bytes
            case .ecdsaWithSHA384: Digest.sha384(tbsCertificate)
            }
        let signature = try await key.signature(ofDigest: hashed)
        return DER.sequence(tbsCertificate, signatureAlgorithm.identifier, DER.bitString(signature))
    }

    /// RFC 7468 §5.
    private static let label = "CERTIFICATE"
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
