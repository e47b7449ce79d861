/// What a certificate says of its signer: the public facts about a root or an issuing certificate.
package struct SignerDescription: Hashable, Sendable {
    /// The signer's subject, which becomes the issuer below it.
    package var subject: DistinguishedName
    /// The signer's subject key identifier, which becomes the authority key identifier below it.
    package var subjectKeyIdentifier: [UInt8]
    /// Decides the signature algorithm.
    package var keyAlgorithm: KeyAlgorithm

    package init(subject: DistinguishedName, subjectKeyIdentifier: [UInt8], keyAlgorithm: KeyAlgorithm) {
        self.subject = subject
        self.subjectKeyIdentifier = subjectKeyIdentifier
        self.keyAlgorithm = keyAlgorithm
    }
}
