package import Authority
package import AuthorityService
package import PKI

/// The world at one moment, as a stream sees it: the state machine asks it and keeps nothing of it.
package struct Outlook {
    package var now: Timestamp
    /// Of what the authority knows of the mesh. What `trust` answers changes only together with it.
    package var revision: Int64
    /// Why the proxy may no longer be here; nil: it may.
    package var refusal: Refusal?
    /// The validation context behind a name; never asked for `.identity`.
    package var trust: (SecretName) -> Result<ServedTrust, Refusal>
    /// The leaf that a version names, if it is still the right one of this proxy.
    package var held: (String) -> HeldLeaf?
    /// When a leaf must be replaced for its issuer's sake: nil, it need not; a past time, now; a later one, its turn in the
    /// paced re-issue after its issuer went out.
    package var replacement: (HeldLeaf) -> Timestamp?

    package init(
        now: Timestamp, revision: Int64, refusal: Refusal?, trust: @escaping (SecretName) -> Result<ServedTrust, Refusal>,
        held: @escaping (String) -> HeldLeaf?, replacement: @escaping (HeldLeaf) -> Timestamp?
    ) {
        self.now = now
        self.revision = revision
        self.refusal = refusal
        self.trust = trust
        self.held = held
        self.replacement = replacement
    }
}
