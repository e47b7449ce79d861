package import Authority
package import AuthorityService
package import PKI

/// The world at one moment, as a stream sees it: the state machine asks it and keeps nothing of it.
package struct Outlook {
    package var now: Timestamp
    /// Of the authority's state. What `trust` answers changes only together with it.
    package var revision: Int64
    /// Why the proxy may no longer be here; nil: it may.
    package var refusal: Refusal?
    /// The validation context behind a name; never asked for `.identity`.
    package var trust: (SecretName) -> Result<ServedTrust, Refusal>
    /// The leaf that a version names, if it is still the right one of this proxy.
    package var held: (String) -> HeldLeaf?
    /// Whether the proxy's mesh still trusts an issuer.
    package var isBound: (IssuerID) -> Bool

    package init(
        now: Timestamp, revision: Int64, refusal: Refusal?, trust: @escaping (SecretName) -> Result<ServedTrust, Refusal>,
        held: @escaping (String) -> HeldLeaf?, isBound: @escaping (IssuerID) -> Bool
    ) {
        self.now = now
        self.revision = revision
        self.refusal = refusal
        self.trust = trust
        self.held = held
        self.isBound = isBound
    }
}
