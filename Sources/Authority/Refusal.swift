package import PKI

/// The caller may not. Each case has a stable kebab-case reason for the audit trail, metrics and JSON, and a sentence
/// for a person that says what to do.
package enum Refusal: Error, Hashable, Sendable {
    /// The certificate is not in the ledger: it did not come from here.
    case certificateNotRecorded(SerialNumber)
    /// The peer's chain does not verify.
    case chain(ChainRefusal)
    /// A CSR whose signature does not verify with its own key, or that asks for more than a key.
    case csr(detail: String)
    /// No token and no certificate.
    case credentialMissing
    /// The token beside a client certificate names another identity.
    case credentialsDisagree
    /// The mesh's identity path no longer gives this identity to the proxy's tags.
    case identityNotGranted(SPIFFEID)
    /// The identity was revoked.
    case identityRevoked(SPIFFEID)
    /// A tag in the identity path has not exactly one value.
    case identityTag(tag: String, values: Int)
    /// A tag's value cannot stand in a SPIFFE ID.
    case identityValue(tag: String, detail: String)
    /// The mesh's constraints refuse a proxy with these tags.
    case membership(MembershipConstraints.Violation)
    /// mTLS is off for the mesh.
    case meshWithoutMTLS(MeshName)
    /// The administrator's roles hold for other meshes only.
    case meshOutOfScope(what: String)
    /// There is no such mesh.
    case meshUnknown(String)
    /// Envoy's node id cannot name a proxy.
    case nodeInvalid(detail: String)
    /// The mesh's root has expired: nothing can be issued under it.
    case rootExpired(MeshName, at: Timestamp)
    /// The administrator's role does not allow it.
    case role(needed: String)
    /// A secret of another mesh, or of another proxy.
    case secretForbidden(name: String)
    /// No identity is known by this name, so there is nothing to pin.
    case secretEmpty(name: String)
    /// A name of no known form.
    case secretUnknown(name: String)
    case tokenExpired(at: Timestamp)
    /// Not a token, or signed with no key of ours.
    case tokenInvalid(detail: String)
    case tokenNotYetValid(from: Timestamp)
    /// The token is for another mesh.
    case tokenOfAnotherMesh
    case tokenRevoked(id: String)

    package var reason: String {
        switch self {
        case .certificateNotRecorded: "certificate-not-recorded"
        case .chain(let refusal): refusal.reason
        case .csr: "csr-invalid"
        case .credentialMissing: "credential-missing"
        case .credentialsDisagree: "credentials-disagree"
        case .identityNotGranted: "identity-not-granted"
        case .identityRevoked: "identity-revoked"
        case .identityTag: "identity-tag"
        case .identityValue: "identity-value"
        case .membership: "membership"
        case .meshWithoutMTLS: "mesh-without-mtls"
        case .meshOutOfScope: "mesh-out-of-scope"
        case .meshUnknown: "mesh-unknown"
        case .nodeInvalid: "node-invalid"
        case .rootExpired: "root-expired"
        case .role: "role"
        case .secretForbidden: "secret-forbidden"
        case .secretEmpty: "secret-empty"
        case .secretUnknown: "secret-unknown"
        case .tokenExpired: "token-expired"
        case .tokenInvalid: "token-invalid"
        case .tokenNotYetValid: "token-not-yet-valid"
        case .tokenOfAnotherMesh: "token-of-another-mesh"
        case .tokenRevoked: "token-revoked"
        }
    }

    /// Whether the caller is not known at all (401, UNAUTHENTICATED), rather than known and not allowed (403).
    package var isAboutTheCredential: Bool {
        switch self {
        case .certificateNotRecorded, .chain, .credentialMissing, .credentialsDisagree, .identityNotGranted,
            .identityRevoked, .tokenExpired, .tokenInvalid, .tokenNotYetValid, .tokenRevoked:
            true
        case .csr, .identityTag, .identityValue, .membership, .meshOutOfScope, .meshWithoutMTLS, .meshUnknown,
            .nodeInvalid, .rootExpired, .role,
            .secretForbidden,
            .secretEmpty, .secretUnknown, .tokenOfAnotherMesh:
            false
        }
    }
}

extension Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .certificateNotRecorded(let serial): "the certificate \(serial) is not in the ledger"
        case .chain(let refusal): refusal.description
        case .csr(let detail): "the certificate signing request is refused: \(detail)"
        case .credentialMissing: "no credential: send a dataplane token in 'authorization'"
        case .credentialsDisagree: "the token and the client certificate name different identities"
        case .identityNotGranted(let identity): "the mesh no longer grants the identity \(identity) to this proxy's tags"
        case .identityRevoked(let identity): "the identity \(identity) is revoked"
        case .identityTag(let tag, let values):
            "the identity path needs the tag '\(tag)' with exactly one value, and there are \(values)"
        case .identityValue(let tag, let detail): "the value of '\(tag)' cannot stand in a SPIFFE ID: \(detail)"
        case .membership(.noRequirementMet): "the proxy's tags meet none of the mesh's requirements"
        case .membership(.restricted(let index)): "the proxy's tags match restriction \(index) of the mesh"
        case .meshWithoutMTLS(let mesh): "mTLS is off for mesh '\(mesh)': set mtls.enabledBackend"
        case .meshOutOfScope(let what): "this admin token is limited to named meshes, and this concerns \(what)"
        case .meshUnknown(let name): "there is no mesh '\(name)'"
        case .nodeInvalid(let detail): "the node id \(detail)"
        case .rootExpired(let mesh, let at):
            "the root of mesh '\(mesh)' expired at \(at.iso8601): make the mesh anew with a longer mtls.backends[].conf.caCert.expiration"
        case .role(let needed): "this needs the role '\(needed)'"
        case .secretForbidden(let name): "'\(name)' belongs to another mesh or proxy"
        case .secretEmpty(let name): "'\(name)' has no identity behind it yet"
        case .secretUnknown(let name): "'\(name)' is not the name of a secret"
        case .tokenExpired(let at): "the token expired at \(at.iso8601): issue a new one"
        case .tokenInvalid(let detail): "the token is not valid: \(detail)"
        case .tokenNotYetValid(let from): "the token is not valid before \(from.iso8601)"
        case .tokenOfAnotherMesh: "the token is for another mesh"
        case .tokenRevoked(let id): "the token \(id) is revoked"
        }
    }
}
