package import PKI

/// A `Mesh` document: what an operator declares of a mesh, parsed and as valid as the document alone can show.
package struct MeshDocument: Sendable, Hashable {
    package struct MTLS: Sendable, Hashable {
        /// The backend that issues; nil: mTLS is off.
        package var enabledBackend: String?
        package var backends: [Backend]
        /// Kuma's switch for unchecked backends: kept and given back.
        package var skipValidation: Bool?

        package init(enabledBackend: String?, backends: [Backend], skipValidation: Bool? = nil) {
            self.enabledBackend = enabledBackend
            self.backends = backends
            self.skipValidation = skipValidation
        }
    }

    package struct Backend: Sendable, Hashable {
        /// Whose certificate authority issues.
        package enum Kind: Sendable, Hashable {
            /// One of this mesh alone, made by the service: `conf.caCert.keyType`, or what `RSAbits` means, else EC-P256;
            /// `conf.caCert.expiration`, else ten years.
            case builtin(keyAlgorithm: KeyAlgorithm, caExpiration: WireDuration)
            /// One of this mesh alone, whose self-signed root (PEM) and key an operator brings.
            case provided(certificatePEM: String, key: KeySource)
            /// One that other meshes may use too, by its name: a DNS label.
            case shared(authority: String)
        }

        package enum Mode: String, Sendable, Hashable, CaseIterable {
            case permissive = "PERMISSIVE"
            case strict = "STRICT"
        }

        package var name: String
        package var kind: Kind
        package var mode: Mode
        /// `dpCert.rotation.expiration`.
        package var leafLifetime: WireDuration?
        /// The backend as the document has it, without `conf.key`: given back without loss, the key as `kind` has it.
        package var source: JSONValue

        package init(name: String, kind: Kind, mode: Mode, leafLifetime: WireDuration?, source: JSONValue) {
            self.name = name
            self.kind = kind
            self.mode = mode
            self.leafLifetime = leafLifetime
            self.source = source
        }
    }

    /// `constraints.dataplaneProxy`.
    package struct Constraints: Sendable, Hashable {
        package var requirements: [[String: String]]
        package var restrictions: [[String: String]]

        package init(requirements: [[String: String]] = [], restrictions: [[String: String]] = []) {
            self.requirements = requirements
            self.restrictions = restrictions
        }
    }

    package var name: MeshName
    /// The name, where the document gives none.
    package var trustDomain: TrustDomain
    package var mtls: MTLS?
    /// `identity.path`; nil: the default. Its grammar is the core's to judge.
    package var identityPath: String?
    package var isolated: Bool
    package var nameConstraints: Bool
    package var constraints: Constraints
    /// Kuma's fields that a certificate authority does not act on, by name, sorted: kept and given back.
    package var otherFields: [JSONValue.Member]
    /// ISO 8601; written by the server, ignored when it reads.
    package var creationTime: String?
    package var modificationTime: String?

    package init(
        name: MeshName, trustDomain: TrustDomain, mtls: MTLS? = nil, identityPath: String? = nil, isolated: Bool = false,
        nameConstraints: Bool = true, constraints: Constraints = Constraints(), otherFields: [JSONValue.Member] = [],
        creationTime: String? = nil, modificationTime: String? = nil
    ) {
        self.name = name
        self.trustDomain = trustDomain
        self.mtls = mtls
        self.identityPath = identityPath
        self.isolated = isolated
        self.nameConstraints = nameConstraints
        self.constraints = constraints
        self.otherFields = otherFields.sorted { $0.key < $1.key }
        self.creationTime = creationTime
        self.modificationTime = modificationTime
    }

    /// One sentence for each field that is kept and not acted on.
    package var warnings: [String] {
        var warnings = otherFields.filter { !MeshDocument.metadataFields.contains($0.key) }.map {
            "\($0.key): kept and given back, but a certificate authority does not act on it"
        }
        if mtls?.skipValidation == true {
            warnings.append("mtls.skipValidation: kept and given back, but every document is validated")
        }
        return warnings
    }

    /// Kuma's Mesh fields beyond what a certificate authority needs.
    static let unusedFields = [
        "logging", "meshServices", "metrics", "networking", "routing", "skipCreatingInitialPolicies", "tracing",
    ]
    /// Kept without a warning: they are there to be kept.
    static let metadataFields = ["annotations", "labels"]
}
