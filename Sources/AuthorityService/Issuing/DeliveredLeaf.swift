package import Authority
package import PKI
package import PKICrypto

/// A leaf that was recorded and signed, with its key: on its way to the one proxy it is for. Nobody keeps the key.
package struct DeliveredLeaf: Sendable {
    package var serial: SerialNumber
    package var issuer: IssuerID
    package var notBefore: Timestamp
    package var notAfter: Timestamp
    /// When the next one is due.
    package var renewAt: Timestamp
    /// See `LeafVersion`.
    package var version: String
    /// Leaf, issuing certificate and, while its root is being rotated in, the cross certificate, PEM.
    package var chainPEM: [UInt8]
    /// PKCS#8, PEM.
    package var privateKeyPEM: SecretBytes

    package init(
        serial: SerialNumber, issuer: IssuerID, notBefore: Timestamp, notAfter: Timestamp, renewAt: Timestamp,
        version: String, chainPEM: [UInt8], privateKeyPEM: SecretBytes
    ) {
        self.serial = serial
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.renewAt = renewAt
        self.version = version
        self.chainPEM = chainPEM
        self.privateKeyPEM = privateKeyPEM
    }

    /// `versionKey` seals its version.
    init(_ leaf: SignedLeaf, privateKeyPEM: SecretBytes, versionKey: AuthenticationKey) {
        let grant = leaf.grant
        self.init(
            serial: leaf.serial, issuer: grant.issuer, notBefore: grant.notBefore, notAfter: grant.notAfter,
            renewAt: LeafRenewal.time(serial: leaf.serial, notBefore: grant.notBefore, notAfter: grant.notAfter),
            version: LeafVersion(
                issuer: grant.issuer, serial: leaf.serial, notBefore: grant.notBefore, notAfter: grant.notAfter
            ).sealed(for: grant.identity, key: versionKey),
            chainPEM: leaf.chainPEM, privateKeyPEM: privateKeyPEM)
    }

    /// What there is to know of it once the key is gone.
    package var held: HeldLeaf { HeldLeaf(serial: serial, issuer: issuer, notAfter: notAfter, renewAt: renewAt) }
}

/// A leaf that a proxy has: delivered on this stream, or named by its version after a reconnect.
package struct HeldLeaf: Sendable, Hashable {
    package var serial: SerialNumber
    package var issuer: IssuerID
    package var notAfter: Timestamp
    package var renewAt: Timestamp

    package init(serial: SerialNumber, issuer: IssuerID, notAfter: Timestamp, renewAt: Timestamp) {
        self.serial = serial
        self.issuer = issuer
        self.notAfter = notAfter
        self.renewAt = renewAt
    }
}

/// A validation context as it is served, under the version that names its content.
package struct ServedTrust: Sendable, Hashable {
    package var context: ValidationContext
    /// A digest of the content: the same on every replica, and after every reconnect.
    package var version: String

    package init(context: ValidationContext, version: String) {
        self.context = context
        self.version = version
    }
}

/// The answer to a certificate signing request: leaf and issuing certificate, PEM.
package struct SignedChain: Sendable, Hashable {
    package var serial: SerialNumber
    package var pem: String

    package init(serial: SerialNumber, pem: String) {
        self.serial = serial
        self.pem = pem
    }
}

/// A mesh's own roots.
package struct TrustBundle: Sendable, Hashable {
    package var mesh: MeshName
    package var trustDomain: TrustDomain
    /// DER; none while mTLS is off.
    package var roots: [[UInt8]]
    /// Grows whenever the content may have changed (SPIFFE bundle §4.1.1).
    package var sequence: Int64

    package init(mesh: MeshName, trustDomain: TrustDomain, roots: [[UInt8]], sequence: Int64) {
        self.mesh = mesh
        self.trustDomain = trustDomain
        self.roots = roots
        self.sequence = sequence
    }
}

/// Whether a mesh would accept a peer's chain.
package struct VerificationOutcome: Sendable, Hashable {
    package var isAccepted: Bool
    /// Kebab-case; `accepted` when it is.
    package var reason: String
    package var detail: String
    package var identity: SPIFFEID?

    package init(isAccepted: Bool, reason: String, detail: String, identity: SPIFFEID?) {
        self.isAccepted = isAccepted
        self.reason = reason
        self.detail = detail
        self.identity = identity
    }
}

/// What a PUT did.
package enum PutOutcome: Sendable, Hashable {
    case created(revision: Int64)
    case replaced(revision: Int64)
}
