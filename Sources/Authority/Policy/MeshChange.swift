package import PKI

/// What a changed Mesh document asks of its certificate authorities. The core decides; the shell makes keys and writes.
package enum MeshDirective: Sendable, Hashable {
    /// A new certificate authority of the mesh's own, for this backend, with a first issuer that is so to the mesh.
    case createCertificateAuthority(CertificateAuthority, backend: String, as: IssuerState)
    /// The backend is gone, and with it the certificate authority that it owned.
    case deleteCertificateAuthority(name: String)
    /// The mesh goes over to the issuer that this plan makes or takes as `prepared`.
    case move(from: IssuerID, previousAuthority: String, certificateAuthority: String, retireAfter: RetireAfter)
    /// New terms for the next root.
    case replaceCertificateAuthority(CertificateAuthority)
    /// New terms that the root does not meet: a rotation replaces it by one that does.
    case replaceRoot(CertificateAuthority)
    /// mTLS goes off: the issuer is kept, bound nowhere.
    case retire(IssuerID, from: IssuerState)
    /// The running rotation goes back.
    case revert(rotation: String)
    /// A mesh joins or leaves the certificate authority: its row changes too.
    case touch(certificateAuthority: String)
    /// An issuer that is there already is this to the mesh from now on; `from` nil: it was nothing to it.
    case use(IssuerID, from: IssuerState?, as: IssuerState)
}

/// Why a changed Mesh document cannot be taken as it stands.
package enum MeshChangeRefusal: Error, Hashable, Sendable {
    /// The field, and why.
    case invalid(field: String, reason: String)
    /// Not now: what stands in the way.
    case conflict(detail: String)
}

extension AuthorityState {
    /// What it takes to make a mesh be as `next` says; `connected` names proxies that are connected to it now, `leave` allows it
    /// to leave a shared certificate authority. Refusals name no mesh outside of `reach` (nil: all may be named).
    package func directives(
        toApply next: Mesh, connected: [String], leave: Bool = false, reach: Set<MeshName>? = nil, at now: Timestamp
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        try checkTrustDomain(of: next, reach: reach)
        try checkBackends(of: next, reach: reach)
        try checkNameConstraints(of: next, reach: reach, at: now)
        let current = meshes[next.name]?.mesh
        let old = current?.enabledAuthority
        let new = next.enabledAuthority
        if let old, old != new, let entry = rotation(of: next.name),
            new != entry.rotation.previousAuthority || revert(entry.rotation, at: now) == nil
        {
            throw .conflict(detail: AuthorityState.runs(entry.rotation))
        }
        if let old, old != new, case .shared? = current?.enabledBackend?.kind, !leave {
            throw .conflict(
                detail: "mesh '\(next.name)' would leave the shared CA '\(old)': say so with ?leave=true (signet apply --leave), "
                    + "or use 'signet ca unshare \(old) --mesh \(next.name)'")
        }
        var directives: [MeshDirective] = []
        switch (old, next.enabledBackend) {
        case (nil, nil):
            break
        case (nil, let backend?):
            directives += try take(backend, of: next, as: .active, at: now)
        case (let old?, nil):
            directives += try switchOff(next.name, from: old, connected: connected)
        case (let old?, let backend?) where old == new:
            directives += try changeTerms(to: backend, of: next)
        case (let old?, let backend?):
            directives += try move(next, from: old, to: backend, at: now)
        }
        directives += try keep(next)
        // Whoever deletes a certificate authority excludes whoever names it anew, enabled or not.
        let named = next.certificateAuthorityNames.subtracting(current?.certificateAuthorityNames ?? [])
        directives += named.sorted().filter { certificateAuthorities[$0] != nil }.map { .touch(certificateAuthority: $0) }
        return directives + obsolete(after: next, touchedBy: directives)
    }

    /// The roots of provided backends that are not enabled are kept too, so that enabling one later needs no key again.
    private func keep(_ next: Mesh) throws(MeshChangeRefusal) -> [MeshDirective] {
        var directives: [MeshDirective] = []
        for backend in next.mtls?.backends ?? [] where backend.name != next.mtls?.enabledBackend {
            guard case .provided(let certificate) = backend.kind else { continue }
            let wanted = authority(of: backend, in: next)
            let create = MeshDirective.createCertificateAuthority(wanted, backend: backend.name, as: .retired)
            guard let current = certificateAuthorities[wanted.name]?.authority else {
                directives.append(create)
                continue
            }
            let roots = issuers.values.filter { $0.certificateAuthority == wanted.name }
            if current.origin == .provided, roots.contains(where: { $0.certificate == certificate }) { continue }
            let rotation = rotation(of: next.name)?.rotation
            let isNeeded = rotation?.certificateAuthority == wanted.name || rotation?.previousAuthority == wanted.name
            guard !isNeeded, !roots.contains(where: { meshIssuers[next.name]?[$0.id]?.isBound == true }) else {
                throw .conflict(
                    detail: "the root of '\(wanted.name)' is still trusted and cannot be exchanged in place: add a backend of "
                        + "another name")
            }
            directives += [.deleteCertificateAuthority(name: wanted.name), create]
        }
        return directives
    }

    private func checkTrustDomain(of next: Mesh, reach: Set<MeshName>?) throws(MeshChangeRefusal) {
        if let holder = mesh(of: next.trustDomain), holder.name != next.name {
            throw .invalid(
                field: "trustDomain",
                reason: "'\(next.trustDomain)' is taken by \(AuthorityState.told([holder.name], reach)): choose another")
        }
        if let current = meshes[next.name]?.mesh, current.trustDomain != next.trustDomain {
            throw .invalid(
                field: "trustDomain", reason: "cannot be changed from '\(current.trustDomain)': make a new mesh instead")
        }
    }

    /// Every shared backend names a certificate authority that is there and may be shared, enabled or not.
    private func checkBackends(of next: Mesh, reach: Set<MeshName>?) throws(MeshChangeRefusal) {
        for (index, backend) in (next.mtls?.backends ?? []).enumerated() {
            guard case .shared(let name) = backend.kind else { continue }
            let field = "mtls.backends[\(index)].conf.authority"
            guard let authority = certificateAuthorities[name]?.authority else {
                throw .invalid(field: field, reason: "there is no certificate authority '\(name)': create it first")
            }
            if let owner = authority.owner {
                throw .invalid(
                    field: field,
                    reason: "'\(name)' belongs to \(AuthorityState.told([owner], reach)) alone and cannot be shared: create one "
                        + "with 'signet ca create'")
            }
        }
    }

    /// Without name constraints an issuing certificate could speak for every mesh that is bound to its root: refused under a
    /// root that others have or may come to have, for such a certificate lives on for a week.
    private func checkNameConstraints(of next: Mesh, reach: Set<MeshName>?, at now: Timestamp) throws(MeshChangeRefusal) {
        var roots = boundIssuers(of: next.name)
        if let enabled = next.enabledAuthority, let root = currentIssuer(of: enabled, at: now) { roots.append(root) }
        if !next.nameConstraints {
            if let shared = roots.first(where: { isShareable($0.certificateAuthority) }) {
                throw .invalid(
                    field: "nameConstraints",
                    reason: "must be true under the CA '\(shared.certificateAuthority)', which meshes may share")
            }
            let others = holders(ofKeysIn: roots, besides: next.name)
            guard others.isEmpty else {
                throw .invalid(
                    field: "nameConstraints",
                    reason: "must be true, for the root's key is also that of \(AuthorityState.told(others.map(\.name), reach))")
            }
        }
        let unconstrained = holders(ofKeysIn: roots, besides: next.name).filter { !$0.nameConstraints }
        guard unconstrained.isEmpty else {
            throw .conflict(
                detail: "the root cannot be used while its key signs without name constraints for "
                    + AuthorityState.told(unconstrained.map(\.name), reach))
        }
    }

    /// The other meshes that are bound to a root with one of these keys: by sharing it, or because it was brought twice.
    private func holders(ofKeysIn roots: [Issuer], besides mesh: MeshName) -> [Mesh] {
        meshes.values.map(\.mesh).filter { other in
            other.name != mesh
                && boundIssuers(of: other.name).contains { theirs in
                    roots.contains { $0.id == theirs.id || $0.hasSameKey(as: theirs) }
                }
        }.sorted { $0.name < $1.name }
    }

    /// The same for a root that is being brought and is not here yet.
    package func holders(ofKey key: Fingerprint, besides mesh: MeshName) -> [Mesh] {
        let roots = issuers.values.filter { $0.keyFingerprint == key }
        return holders(ofKeysIn: Array(roots), besides: mesh)
    }

    private func isShareable(_ authority: String) -> Bool {
        certificateAuthorities[authority].map { $0.authority.owner == nil } ?? false
    }

    private func switchOff(
        _ mesh: MeshName, from authority: String, connected: [String]
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        guard connected.isEmpty else {
            throw .conflict(
                detail: "mTLS cannot be switched off while proxies are connected: \(AuthorityState.sample(connected))")
        }
        let active = meshIssuers[mesh]?.first { $0.value == .active }
        // Its row changes even if it is the mesh's own: a rotation that starts at this moment is excluded.
        return (active.map { [.retire($0.key, from: .active)] } ?? []) + [.touch(certificateAuthority: authority)]
    }

    private func move(
        _ next: Mesh, from old: String, to backend: Mesh.Backend, at now: Timestamp
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        let new = next.certificateAuthorityName(of: backend)
        // Another change was refused already: it goes back.
        if let entry = rotation(of: next.name) {
            // Back means as it was: with the same terms and the same root.
            return try changeTerms(to: backend, of: next) + [.revert(rotation: entry.rotation.id)] + touch(old) + touch(new)
        }
        guard let active = activeIssuer(of: next.name) else { return try take(backend, of: next, as: .active, at: now) }
        // A mesh's own CA has no document that could say it: whichever of the two does is heard.
        let isReissued = [old, new].contains { certificateAuthorities[$0]?.authority.retireAfter == .reissued }
        let retireAfter: RetireAfter = isReissued ? .reissued : .expired
        return try take(backend, of: next, as: .prepared, at: now) + touch(old) + [
            .move(from: active.id, previousAuthority: old, certificateAuthority: new, retireAfter: retireAfter)
        ]
    }

    /// Makes the mesh use the certificate authority behind `backend`: the one that is there with its newest root that still
    /// lives, or a new one.
    private func take(
        _ backend: Mesh.Backend, of mesh: Mesh, as state: IssuerState, at now: Timestamp
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        let name = mesh.certificateAuthorityName(of: backend)
        if case .shared = backend.kind {
            if let running = replacement(of: name)?.rotation {
                throw .conflict(
                    detail:
                        "the CA '\(name)' is in the rotation \(running.id), which is \(running.phase.rawValue): wait for its end")
            }
            guard let issuer = currentIssuer(of: name, at: now) else {
                throw .conflict(detail: "the root of the CA '\(name)' has expired or was revoked: it can sign for nobody")
            }
            let before = meshIssuers[mesh.name]?[issuer.id]
            return [.use(issuer.id, from: before, as: state)] + touch(name)
        }
        let authority = self.authority(of: backend, in: mesh)
        let create = MeshDirective.createCertificateAuthority(authority, backend: backend.name, as: state)
        guard let current = certificateAuthorities[name]?.authority else { return [create] }
        let issuer = currentIssuer(of: name, at: now)
        if let issuer, let before = meshIssuers[mesh.name]?[issuer.id], before != .revoked,
            current.origin == authority.origin, backend.accepts(root: issuer.certificate),
            current.origin == .provided || current.keyAlgorithm == authority.keyAlgorithm
        {
            let use: [MeshDirective] = before == state ? [] : [.use(issuer.id, from: before, as: state)]
            var terms = current
            terms.expiration = authority.expiration
            return current.origin == .provided || terms == current ? use : use + [.replaceCertificateAuthority(terms)]
        }
        return [.deleteCertificateAuthority(name: name), create]
    }

    private func changeTerms(
        to new: Mesh.Backend, of mesh: Mesh
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        if case .shared = new.kind { return [] }
        var wanted = authority(of: new, in: mesh)
        guard let current = certificateAuthorities[wanted.name]?.authority else {
            return [.createCertificateAuthority(wanted, backend: new.name, as: .active)]
        }
        guard wanted.origin == current.origin else {
            throw .conflict(
                detail: "the backend '\(new.name)' cannot become another type: add a backend of another name, and enable it")
        }
        let roots = boundIssuers(of: mesh.name).filter { $0.certificateAuthority == wanted.name }
        guard roots.allSatisfy({ new.accepts(root: $0.certificate) }) else {
            throw .conflict(
                detail: "the root of '\(wanted.name)' cannot be exchanged in place: add a backend of another name, and enable it")
        }
        // What no Mesh document says is kept.
        wanted.rotatesAutomatically = current.rotatesAutomatically
        wanted.retireAfter = current.retireAfter
        if wanted.origin == .provided { return [] }
        wanted.isAutomaticHeld = current.isAutomaticHeld
        guard wanted != current else { return [] }
        guard wanted.keyAlgorithm == current.keyAlgorithm else {
            if let running = rotation(of: mesh.name)?.rotation {
                // On the way back to it the root stays as it is; the document asks again when it is applied afterwards.
                let isAsBefore = meshes[mesh.name]?.mesh.mtls?.backends.contains(new) ?? false
                if running.kind == .move, running.previousAuthority == wanted.name, isAsBefore { return [] }
                throw .conflict(detail: AuthorityState.runs(running))
            }
            return [.replaceRoot(wanted)]
        }
        return [.replaceCertificateAuthority(wanted)]
    }

    /// Certificate authorities of the mesh's own that no backend names any more. What a rotation still needs stays until its end.
    private func obsolete(after next: Mesh, touchedBy directives: [MeshDirective]) -> [MeshDirective] {
        let kept = next.certificateAuthorityNames
        var needed: Set<String> = []
        if let rotation = rotation(of: next.name)?.rotation {
            needed = [rotation.certificateAuthority, rotation.previousAuthority]
        }
        for case .move(_, let previous, let new, _) in directives { needed.formUnion([previous, new]) }
        return certificateAuthorities.values.map(\.authority)
            .filter { $0.owner == next.name && !kept.contains($0.name) && !needed.contains($0.name) }
            .map(\.name).sorted().map { .deleteCertificateAuthority(name: $0) }
    }

    private func touch(_ authority: String) -> [MeshDirective] {
        isShareable(authority) ? [.touch(certificateAuthority: authority)] : []
    }

    /// For a provided backend the key type is that of its root, which only the shell can read.
    private func authority(of backend: Mesh.Backend, in mesh: Mesh) -> CertificateAuthority {
        let name = mesh.certificateAuthorityName(of: backend)
        switch backend.kind {
        case .builtin(let keyAlgorithm, let expiration):
            return CertificateAuthority(name: name, keyAlgorithm: keyAlgorithm, expiration: expiration, owner: mesh.name)
        case .provided, .shared:
            let kept = certificateAuthorities[name]?.authority
            return CertificateAuthority(
                name: name, keyAlgorithm: kept?.keyAlgorithm ?? .ecP256, expiration: kept?.expiration ?? .zero,
                owner: mesh.name, origin: .provided)
        }
    }

    /// Why a mesh cannot change while it is on its way.
    package static func runs(_ rotation: Rotation) -> String {
        guard rotation.kind == .move else {
            return
                "the rotation \(rotation.id) of the CA '\(rotation.certificateAuthority)' is \(rotation.phase.rawValue): wait for "
                + "its end"
                + (rotation.kind == .replace && (rotation.phase == .distributing || rotation.phase == .issuing)
                    ? ", or abort it" : "")
        }
        return moves(rotation)
    }

    private static func moves(_ rotation: Rotation) -> String {
        "the rotation \(rotation.id) of mesh '\(rotation.meshes.first?.name ?? "")' from '\(rotation.previousAuthority)' to "
            + "'\(rotation.certificateAuthority)' is \(rotation.phase.rawValue): wait for its end"
            + (rotation.phase == .distributing || rotation.phase == .issuing ? ", or go back" : "")
    }

    /// Meshes for a message: those that may be named, and how many there are besides.
    static func told(_ meshes: [MeshName], _ reach: Set<MeshName>?) -> String {
        let known = meshes.filter { reach?.contains($0) ?? true }.map { "mesh '\($0)'" }
        let unknown = meshes.count - known.count
        guard unknown > 0 else { return sample(known) }
        let others = unknown == 1 ? "another mesh" : "\(unknown) other meshes"
        return known.isEmpty ? others : "\(sample(known)) and \(others)"
    }

    /// At most five names, for a message.
    package static func sample(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}

extension Mesh.Backend {
    /// Whether a certificate authority with this root is the one that the backend means.
    fileprivate func accepts(root: [UInt8]) -> Bool {
        if case .provided(let certificate) = kind { certificate == root } else { true }
    }
}
