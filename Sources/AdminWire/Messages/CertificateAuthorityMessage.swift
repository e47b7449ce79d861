package import PKI

/// A certificate authority as the API shows it: its document, and what the server says of it. Private keys are never part of it.
///
/// What is read for a CA that meshes may share can be sent again as its document, without loss.
package struct CertificateAuthorityMessage: Codable, Sendable, Hashable {
    package struct Rotation: Codable, Sendable, Hashable {
        package var automatic: Bool
        /// `expired` or `reissued`.
        package var retireAfter: String

        package init(automatic: Bool, retireAfter: String) {
            self.automatic = automatic
            self.retireAfter = retireAfter
        }
    }

    /// The root that an operator brought.
    package struct Certificate: Codable, Sendable, Hashable {
        /// PEM.
        package var inlineString: String

        package init(inlineString: String) {
            self.inlineString = inlineString
        }
    }

    /// Its key, which is never read back.
    package struct Key: Codable, Sendable, Hashable {
        /// SHA-256 of the SubjectPublicKeyInfo, lower-case hexadecimal.
        package var fingerprint: String

        package init(fingerprint: String) {
            self.fingerprint = fingerprint
        }
    }

    package var type: String
    package var name: String
    /// Absent when the root was brought: it says so itself.
    package var keyType: String?
    /// How long its roots live, as a duration such as `10y`; absent when the root was brought.
    package var expiration: String?
    package var cert: Certificate?
    package var key: Key?
    /// The meshes whose `enabledBackend` it is.
    package var meshes: [String]
    package var rotation: Rotation
    /// True while a rotation of it was aborted and none starts by the root's age; else absent.
    package var automaticHeld: Bool?
    /// The id of that rotation, by whose `resume` they start again; absent in lists.
    package var automaticHeldBy: String?
    /// Where the keys of its roots are, as its document says it.
    package var keyStore: KeyStoreMessage
    /// `generated` or `provided`.
    package var origin: String
    /// The mesh that owns it alone; absent when meshes may share it.
    package var owner: String?
    /// The ids of its issuers, oldest first.
    package var issuers: [String]
    /// The ids of those that are in the bundle of some mesh; where there is none, of the newest that was not revoked.
    package var currentIssuers: [String]
    /// ISO 8601.
    package var creationTime: String
    package var modificationTime: String

    /// `root` is what the roots are made from, or, for one that was brought, the certificate and the key's fingerprint.
    package init(
        name: String, root: CertificateAuthorityDocument.Root, meshes: [String], rotation: Rotation,
        keyStore: KeyStore = .database, automaticHeld: Bool? = nil, automaticHeldBy: String? = nil, owner: String?,
        issuers: [String],
        currentIssuers: [String] = [], creationTime: String, modificationTime: String
    ) {
        self.type = DocumentKind.certificateAuthority.rawValue
        self.name = name
        switch root {
        case .generated(let keyAlgorithm, let expiration):
            origin = "generated"
            keyType = keyAlgorithm.rawValue
            self.expiration = expiration.text
        case .provided(let certificatePEM, let source):
            origin = "provided"
            cert = Certificate(inlineString: certificatePEM)
            if case .fingerprint(let fingerprint) = source { key = Key(fingerprint: fingerprint.description) }
        }
        self.meshes = meshes
        self.rotation = rotation
        self.automaticHeld = automaticHeld
        self.automaticHeldBy = automaticHeldBy
        self.keyStore = KeyStoreMessage(keyStore)
        self.owner = owner
        self.issuers = issuers
        self.currentIssuers = currentIssuers
        self.creationTime = creationTime
        self.modificationTime = modificationTime
    }
}
