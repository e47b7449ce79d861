/// What one kind of certificate looks like: the parsed form of a file in `pki/profiles`.
///
/// A value of this type agrees with itself: a CA may sign certificates and nothing else may, and names are where
/// RFC 5280 wants them.
package struct CertificateProfile: Hashable, Sendable {
    package let kind: CertificateRecord.Kind
    /// The kinds of key that such a certificate may hold.
    package let keys: [KeyAlgorithm]
    package let validity: Validity
    package let subject: Subject
    package let subjectAlternativeName: SubjectAlternativeName
    package let basicConstraints: BasicConstraints
    package let keyUsage: Set<KeyUsage>
    package let extendedKeyUsage: [ExtendedKeyUsage]
    package let nameConstraints: NameConstraints?
    /// RFC 5280 §4.2.1.1: left out of self-signed certificates alone.
    package let hasAuthorityKeyIdentifier: Bool

    /// When such a certificate begins and how long it lives.
    package struct Validity: Hashable, Sendable {
        /// How far before its issue it begins, for peers whose clocks run late.
        package var backdate: Duration
        package var lifetime: Lifetime

        package init(backdate: Duration, lifetime: Lifetime) {
            self.backdate = backdate
            self.lifetime = lifetime
        }
    }

    package enum Lifetime: Hashable, Sendable {
        /// As the certificate authority or mesh is configured, and this where it says nothing.
        case configured(otherwise: Duration)
        /// So many times the life of a leaf, and at least this.
        case leaves(Int, atLeast: Duration)
        /// To the end of the last leaf that is delivered with it.
        case untilLastLeaf
    }

    package enum Subject: Hashable, Sendable {
        /// The subject of the root whose key it certifies.
        case asNewRoot
        case empty
        /// `{id}` in the common name stands for the certificate's own id.
        case name(organization: String?, commonName: String)
    }

    package struct SubjectAlternativeName: Hashable, Sendable {
        package enum URI: String, Hashable, Sendable, CaseIterable {
            /// The identity that was granted.
            case spiffeID = "spiffe-id"
            /// `spiffe://<trust domain>` of the mesh that the certificate signs for.
            case trustDomain = "trust-domain"
            /// The same, and no name at all where several meshes share the certificate authority.
            case trustDomainOfSoleOwner = "trust-domain-of-sole-owner"
        }

        package var uri: URI
        package var isCritical: Bool

        package init(uri: URI, isCritical: Bool) {
            self.uri = uri
            self.isCritical = isCritical
        }
    }

    /// Always critical (RFC 5280 §4.2.1.9).
    package enum BasicConstraints: Hashable, Sendable {
        case authority(pathLength: UInt32?)
        case endEntity
    }

    /// The bits of RFC 5280 §4.2.1.3 that a SPIFFE certificate may have (X509-SVID §4.3); always critical.
    package enum KeyUsage: String, Hashable, Sendable, CaseIterable {
        case cRLSign, digitalSignature, keyCertSign

        /// The bit's number.
        package var bit: Int {
            switch self {
            case .cRLSign: 6
            case .digitalSignature: 0
            case .keyCertSign: 5
            }
        }
    }

    package enum ExtendedKeyUsage: String, Hashable, Sendable, CaseIterable {
        case clientAuth, serverAuth
    }

    /// Always critical; the permitted URI host is the trust domain of the mesh (RFC 5280 §4.2.1.10).
    package struct NameConstraints: Hashable, Sendable {
        package enum Addresses: String, Hashable, Sendable, CaseIterable {
            case everyIPv4 = "0.0.0.0/0"
            case everyIPv6 = "::/0"
        }

        /// The empty name excludes every DNS name.
        package var excludedDNSNames: [String]
        package var excludedAddresses: [Addresses]

        package init(excludedDNSNames: [String], excludedAddresses: [Addresses]) {
            self.excludedDNSNames = excludedDNSNames
            self.excludedAddresses = excludedAddresses
        }
    }

    /// Throws a sentence that says which fields contradict each other, and the rule.
    package init(
        kind: CertificateRecord.Kind, keys: [KeyAlgorithm], validity: Validity, subject: Subject,
        subjectAlternativeName: SubjectAlternativeName, basicConstraints: BasicConstraints, keyUsage: Set<KeyUsage>,
        extendedKeyUsage: [ExtendedKeyUsage], nameConstraints: NameConstraints?, hasAuthorityKeyIdentifier: Bool
    ) throws(InvalidName) {
        let isLeaf = kind == .leaf
        guard (basicConstraints == .endEntity) == isLeaf else {
            throw InvalidName("basicConstraints: a leaf is no CA, and every other kind is one")
        }
        guard keyUsage.contains(.keyCertSign) != isLeaf, keyUsage.contains(.digitalSignature) == isLeaf else {
            throw InvalidName("keyUsage: CAs have keyCertSign and leaves digitalSignature, never both (X509-SVID §4.3)")
        }
        guard subjectAlternativeName.isCritical == (subject == .empty) else {
            throw InvalidName("subjectAlternativeName: critical exactly when the subject is empty (RFC 5280 §4.2.1.6)")
        }
        guard (subjectAlternativeName.uri == .spiffeID) == isLeaf else {
            throw InvalidName("subjectAlternativeName: spiffe-id is for leaves, and a leaf has nothing else")
        }
        guard (kind == .cross) == (subject == .asNewRoot) else {
            throw InvalidName("subject: a cross certificate, and no other, takes the subject of the new root")
        }
        guard hasAuthorityKeyIdentifier != (kind == .root) else {
            throw InvalidName("authorityKeyIdentifier: in every certificate but a root")
        }
        guard nameConstraints == nil || kind == .issuing else {
            throw InvalidName("nameConstraints: only an issuing certificate speaks for one trust domain")
        }
        guard !keys.isEmpty else { throw InvalidName("keys: at least one kind of key must be allowed") }
        self.kind = kind
        self.keys = keys
        self.validity = validity
        self.subject = subject
        self.subjectAlternativeName = subjectAlternativeName
        self.basicConstraints = basicConstraints
        self.keyUsage = keyUsage
        self.extendedKeyUsage = extendedKeyUsage
        self.nameConstraints = nameConstraints
        self.hasAuthorityKeyIdentifier = hasAuthorityKeyIdentifier
    }
}

extension CertificateProfile.Lifetime {
    /// The life that this rule gives, of what is configured (nil: nothing) and the life of a leaf; nil for `untilLastLeaf`,
    /// which depends on what was issued.
    package func duration(configured: Duration?, leaf: Duration) -> Duration? {
        switch self {
        case .configured(let otherwise): configured ?? otherwise
        case .leaves(let factor, let atLeast): max(atLeast, leaf * factor)
        case .untilLastLeaf: nil
        }
    }
}
