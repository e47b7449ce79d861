package import Authority
package import PKI

/// The authority at one moment, as streams ask it: taken once for many questions, whose answers then agree with one another.
///
/// No question waits for another's lock but for those that the trust of one mesh is shared under.
package struct AuthorityView: Sendable {
    private let authority: MeshAuthority
    /// Nil before the state is loaded.
    private let snapshot: Snapshot?
    package let now: Timestamp

    init(_ authority: MeshAuthority, snapshot: Snapshot?, now: Timestamp) {
        self.authority = authority
        self.snapshot = snapshot
        self.now = now
    }

    /// Changes with everything that may change an answer to a proxy of the mesh, but for time: while it is the same, a stream has
    /// nothing to look up anew.
    package func edition(of mesh: MeshName) -> Int64 { snapshot?.edition(of: mesh) ?? 0 }

    /// Whether `caller` may still be here; throws why not.
    package func standing(of caller: Caller) throws(Refusal) {
        guard let snapshot else { throw .meshUnknown(caller.mesh.name) }
        try snapshot.authority.confirmStanding(of: caller, at: now)
    }

    /// Whom `caller` is to accept, for any name but its identity's.
    package func trust(_ name: SecretName, for caller: Caller) throws(Refusal) -> ServedTrust {
        guard let snapshot else { throw .meshUnknown(caller.mesh.name) }
        return try snapshot.trust(name, for: caller)
    }

    /// The leaf that a reconnecting proxy names by `version`, if it is still its right one; nil: issue anew.
    package func heldLeaf(version: String, by caller: Caller) -> HeldLeaf? {
        guard let snapshot,
            let held = LeafVersion(version, identity: caller.identity, key: snapshot.leafVersionKey),
            snapshot.authority.isRightful(
                issuer: held.issuer, notBefore: held.notBefore, notAfter: held.notAfter, for: caller, at: now)
        else { return nil }
        return HeldLeaf(
            serial: held.serial, issuer: held.issuer, notAfter: held.notAfter,
            renewAt: LeafRenewal.time(serial: held.serial, notBefore: held.notBefore, notAfter: held.notAfter))
    }

    /// When a leaf must be replaced for its issuer's sake: nil, it need not; a past time, now; a later one, its turn in the
    /// paced re-issue after its issuer went out.
    package func replacement(of leaf: HeldLeaf, for caller: Caller) -> Timestamp? {
        switch snapshot?.authority.meshIssuers[caller.mesh]?[leaf.issuer] {
        case .active: return nil
        case .prepared, .retired, .revoked, nil: return Timestamp(milliseconds: 0)
        case .outgoing:
            guard let rotation = snapshot?.rotation(of: caller.mesh)?.rotation else { return Timestamp(milliseconds: 0) }
            // However another replica's clock went when the phase began, nobody waits for longer than that.
            return LeafRenewal.reissue(
                serial: leaf.serial, from: min(rotation.phaseSince, now), spread: authority.reissueSpread(of: rotation))
        }
    }
}

extension MeshAuthority {
    /// The world now.
    package nonisolated func view() -> AuthorityView { AuthorityView(self, snapshot: currentSnapshot, now: clock.now) }

    /// The leaf that a reconnecting proxy names by `version`, if it is still its right one; nil: issue anew.
    package nonisolated func heldLeaf(version: String, by caller: Caller) -> HeldLeaf? {
        view().heldLeaf(version: version, by: caller)
    }

    /// When a leaf must be replaced for its issuer's sake: nil, it need not; a past time, now; a later one, its turn.
    package nonisolated func replacement(of leaf: HeldLeaf, for caller: Caller) -> Timestamp? {
        view().replacement(of: leaf, for: caller)
    }

    /// Over how long the leaves of a rotation are issued anew: at the pace of the whole rotation, by all replicas together.
    nonisolated func reissueSpread(of rotation: Rotation) -> Duration {
        .seconds(reissueCount.count(of: rotation, in: proxies) * livingReplicas) / settings.reissuePace
    }
}
