internal import Authority
internal import PKI
internal import PKICrypto

/// What one change of the trust state writes, gathered before any of it is written: all of it, or nothing.
struct ChangePlan {
    /// As if what was gathered so far had been made.
    var state: AuthorityState
    let now: Timestamp
    var writes: [LedgerWrite] = []
    /// That start, or go back.
    var rotations: [Rotation] = []
    /// Shared certificate authorities that meshes join or leave: their rows change too, so that their deletion excludes it.
    var touched: Set<String> = []
    /// Keys of new roots that were made in tokens: no use to anybody if this is not committed.
    var tokenKeys: [PKCS11SigningKey] = []
    /// New roots that were signed here.
    var rootsMade = 0

    init(state: AuthorityState, now: Timestamp) {
        self.state = state
        self.now = now
    }

    /// Whether all that it would write is the document's own row.
    var isNoChange: Bool { writes.count == 1 && touched.isEmpty && rotations.isEmpty }

    var allWrites: [LedgerWrite] {
        let written = Set(writes.compactMap(\.writtenAuthority))
        return writes
            + touched.subtracting(written).sorted().compactMap { name in
                state.certificateAuthorities[name].map {
                    .replaceCertificateAuthority($0.authority, revision: $0.revision, at: now)
                }
            }
    }
}

extension RotationTransition {
    /// As writes; `revision` is that of the rotation's row before. What is obsolete goes only as it was judged: a document that
    /// names it again meanwhile has touched its row.
    ///
    /// `event` is what happened; nil: its phase began.
    func writes(
        from revision: Int64, in state: AuthorityState, by actor: String, event: RotationEvent? = nil
    ) -> [LedgerWrite] {
        changes.map(\.write)
            + [
                .replaceRotation(rotation, revision: revision),
                .insertRotationEvent(rotation: rotation.id, event ?? rotation.began(by: actor)),
            ]
            + obsolete.map {
                .deleteCertificateAuthority(name: $0, revision: state.certificateAuthorities[$0]?.revision)
            }
    }
}

extension RotationTransition.Change {
    var write: LedgerWrite {
        from.map { .setMeshIssuer(mesh, issuer, to, from: $0) } ?? .insertMeshIssuer(mesh, issuer, to)
    }
}

extension Rotation {
    /// That its phase began.
    func began(by actor: String, detail: String = "") -> RotationEvent {
        RotationEvent(event: phase.rawValue, at: phaseSince, actor: actor, detail: detail)
    }
}

extension LedgerWrite {
    /// The certificate authority whose row it writes.
    fileprivate var writtenAuthority: String? {
        switch self {
        case .deleteCertificateAuthority(let name, _): name
        case .insertCertificateAuthority(let authority, _), .replaceCertificateAuthority(let authority, _, _): authority.name
        default: nil
        }
    }
}
