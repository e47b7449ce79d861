extension AuthorityState {
    /// Why a running rotation's row cannot be what this service wrote; nil: it can. Such a row was edited by hand, and nothing is done
    /// by it.
    package func defect(of entry: RotationEntry) -> RotationRefusal? {
        let rotation = entry.rotation
        func defect(_ what: String) -> RotationRefusal {
            RotationRefusal(
                detail:
                    "the row of the rotation \(rotation.id) makes no sense: \(what); nothing is done by it until it is put right")
        }
        guard (1...revision).contains(entry.revision) else {
            return defect("its revision \(entry.revision) is not one of the ledger's, which is at \(revision)")
        }
        for (issuer, authority, column) in [
            (rotation.to, rotation.certificateAuthority, "to_issuer"), (rotation.from, rotation.previousAuthority, "from_issuer"),
        ] where issuers[issuer]?.certificateAuthority != authority {
            // The mesh of a revocation may have gone to another certificate authority.
            if rotation.kind == .revoke, issuers[issuer] != nil { continue }
            return defect("the CA '\(authority)' has no issuer \(issuer) (\(column))")
        }
        for mesh in rotation.meshes {
            guard meshes[mesh] != nil else { return defect("there is no mesh '\(mesh)' (meshes)") }
            let states = meshIssuers[mesh] ?? [:]
            let (from, to) = (states[rotation.from], states[rotation.to])
            let fits =
                switch rotation.phase {
                case .aborted, .completed: true
                case .distributing: from == .active && to == .prepared
                case .issuing: from == .outgoing && to == .active
                case .reverting: from == .active && (to == .outgoing || to == .retired)
                case .withdrawing: rotation.kind == .revoke || (from == .retired && to == .active)
                }
            guard fits else {
                return defect(
                    "in \(rotation.phase.rawValue) the issuers \(rotation.from) and \(rotation.to) cannot be "
                        + "\(from?.rawValue ?? "nothing") and \(to?.rawValue ?? "nothing") to mesh '\(mesh)'")
            }
        }
        return nil
    }
}
