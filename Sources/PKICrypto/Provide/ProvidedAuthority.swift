package import PKI

/// A self-signed root and its key that an operator brought, checked: what a certificate authority of our own making would
/// be to the certificates below it, this one is too.
package struct ProvidedAuthority: Sendable {
    /// The certificate, DER, as it was brought.
    package let certificate: [UInt8]
    package let key: PrivateKey
    /// The subject byte for byte, as the issuer of what it signs has to state it.
    package let subject: DistinguishedName
    package let subjectKeyIdentifier: [UInt8]
    package let notBefore: Timestamp
    package let notAfter: Timestamp
    /// As its maker chose it, 1 to 20 octets: unique among the certificates of one maker, not among ours. Many roots have the
    /// serial number 1.
    package let serial: SerialNumber
    /// SHA-256 of the certificate's DER.
    package let fingerprint: Fingerprint
    /// SHA-256 of the TBSCertificate.
    package let digest: Fingerprint

    package var keyAlgorithm: KeyAlgorithm { key.algorithm }
    /// SHA-256 of the SubjectPublicKeyInfo: equal for two roots that hold one key.
    package var keyFingerprint: Fingerprint { key.fingerprint }
    /// What the certificates below it say of it.
    package var signer: SignerDescription {
        SignerDescription(subject: subject, subjectKeyIdentifier: subjectKeyIdentifier, keyAlgorithm: keyAlgorithm)
    }

    /// Checks a certificate (DER) and a key (PEM, not encrypted) in one pass; throws everything that is wrong with either.
    ///
    /// `trustDomains` are those whose meshes will issue under it: name constraints of the root must let each of them in.
    package init(
        certificate: [UInt8], key text: String, trustDomains: some Sequence<TrustDomain>, now: Timestamp
    ) throws(ProvidedAuthorityRefusal) {
        var problems: [ProvidedAuthorityProblem] = []
        var parsed: ParsedCertificate?
        do {
            let read = try ProvidedAuthority.parse(certificate)
            problems += ProvidedRootRules(read, trustDomains: trustDomains, now: now).problems
            parsed = read
        } catch {
            problems.append(error)
        }
        var key: PrivateKey?
        do {
            let read = try ProvidedKeyText.key(pem: text)
            if let parsed, !parsed.key.der.elementsEqual(read.subjectPublicKeyInfo) {
                problems.append(ProvidedAuthority.mismatch(read, parsed))
            }
            key = read
        } catch {
            problems.append(error)
        }
        guard problems.isEmpty, let parsed, let key, let identifier = parsed.extensions.subjectKeyIdentifier else {
            throw ProvidedAuthorityRefusal(problems)
        }
        self.certificate = certificate
        self.key = key
        subject = DistinguishedName(der: Array(parsed.subject))
        subjectKeyIdentifier = Array(identifier)
        notBefore = parsed.notBefore
        notAfter = parsed.notAfter
        serial = parsed.serial
        fingerprint = Fingerprint(sha256: Digest.sha256(certificate))
        digest = Fingerprint(sha256: Digest.sha256(Array(parsed.tbs)))
    }

    /// What is wrong with the certificate alone: for a root whose key is here already, when another mesh is to issue under it.
    package static func problems(
        certificate: [UInt8], trustDomains: some Sequence<TrustDomain>, now: Timestamp
    ) -> [ProvidedAuthorityProblem] {
        do {
            return ProvidedRootRules(try parse(certificate), trustDomains: trustDomains, now: now).problems
        } catch {
            return [error]
        }
    }

    /// SHA-256 of the SubjectPublicKeyInfo in a certificate, DER; nil if it cannot be read.
    package static func keyFingerprint(certificate: [UInt8]) -> Fingerprint? {
        guard let parsed = try? ParsedCertificate(der: certificate) else { return nil }
        return Fingerprint(sha256: Digest.sha256(Array(parsed.key.der)))
    }

    /// The DER of the one certificate in a PEM text; throws when there is none, or a chain.
    package static func certificate(pem text: String) throws(ProvidedAuthorityProblem) -> [UInt8] {
        let certificates: [[UInt8]]
        do {
            certificates = try CertificateFacts.ders(pem: text)
        } catch {
            throw ProvidedAuthorityProblem(
                .certificate, "\(error): give the root certificate as PEM, '-----BEGIN CERTIFICATE-----' and what follows")
        }
        guard certificates.count == 1 else {
            throw ProvidedAuthorityProblem(
                .certificate,
                "there are \(certificates.count) certificates where one is taken: give the self-signed root alone, which is "
                    + "the last of a chain as a rule")
        }
        return certificates[0]
    }

    private static func parse(_ der: [UInt8]) throws(ProvidedAuthorityProblem) -> ParsedCertificate {
        do {
            return try ParsedCertificate(der: der)
        } catch {
            throw ProvidedAuthorityProblem(
                .certificate, "\(error): give one X.509 certificate of version 3 and nothing behind it")
        }
    }

    private static func mismatch(_ key: PrivateKey, _ certificate: ParsedCertificate) -> ProvidedAuthorityProblem {
        ProvidedAuthorityProblem(
            .key,
            "the key does not belong to the certificate: it is \(key.algorithm.rawValue) with the SHA-256 \(key.fingerprint), "
                + "and the certificate was made for \(Digest.fingerprint(of: certificate.key.der)): give the two that belong "
                + "together ('openssl pkey -pubout -in' of the key and 'openssl x509 -pubkey -noout -in' of the certificate "
                + "print the same)")
    }
}

extension Digest {
    fileprivate static func fingerprint(of bytes: ArraySlice<UInt8>) -> Fingerprint {
        Fingerprint(sha256: sha256(Array(bytes)))
    }
}
