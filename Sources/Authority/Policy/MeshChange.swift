package import PKI

/// What a changed Mesh document asks of its certificate authorities. The core decides; the shell makes keys and writes.
package enum MeshDirective: Sendable, Hashable {
    /// A new certificate authority with a first issuer, active for the mesh.
    case createCertificateAuthority(CertificateAuthority)
    /// The backend is gone, and with it the certificate authority that it owned.
    case deleteCertificateAuthority(name: String)
    /// The existing issuer signs for the mesh again.
    case resume(IssuerID, from: IssuerState)
    /// mTLS goes off: the issuer is kept, bound nowhere.
    case retire(IssuerID, from: IssuerState)
    /// New terms for the next root.
    case replaceCertificateAuthority(CertificateAuthority)
}

/// Why a changed Mesh document cannot be taken as it stands.
package enum MeshChangeRefusal: Error, Hashable, Sendable {
    /// The field, and why.
    case invalid(field: String, reason: String)
    /// Not now: what stands in the way.
    case conflict(detail: String)
}

extension AuthorityState {
    /// What it takes to make a mesh be as `next` says; `connected` names proxies that are connected to it now.
    package func directives(
        toApply next: Mesh, connected: [String], at now: Timestamp
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        if let holder = mesh(of: next.trustDomain), holder.name != next.name {
            throw .invalid(
                field: "trustDomain", reason: "'\(next.trustDomain)' is taken by mesh '\(holder.name)': choose another")
        }
        let current = meshes[next.name]?.mesh
        if let current, current.trustDomain != next.trustDomain {
            throw .invalid(
                field: "trustDomain", reason: "cannot be changed from '\(current.trustDomain)': make a new mesh instead")
        }
        var directives: [MeshDirective] = []
        let active = meshIssuers[next.name]?.first { $0.value == .active }
        switch (current?.enabledBackend, next.enabledBackend) {
        case (nil, nil):
            break
        case (nil, let new?):
            directives.append(contentsOf: enable(new, of: next, at: now))
        case (.some, nil):
            guard connected.isEmpty else {
                throw .conflict(
                    detail: "mTLS cannot be switched off while proxies are connected: \(AuthorityState.sample(connected))")
            }
            if let active { directives.append(.retire(active.key, from: .active)) }
        case (let old?, let new?):
            guard old.name == new.name else {
                throw .conflict(
                    detail: "changing mtls.enabledBackend from '\(old.name)' to '\(new.name)' replaces the CA under live "
                        + "traffic: switch mTLS off first, with no proxy connected")
            }
            directives.append(contentsOf: try changeTerms(from: old, to: new, of: next))
        }
        let kept = Set((next.mtls?.backends ?? []).map { next.certificateAuthorityName(of: $0) })
        for name in certificateAuthorities.keys.sorted()
        where certificateAuthorities[name]?.owner == next.name && !kept.contains(name) {
            directives.append(.deleteCertificateAuthority(name: name))
        }
        return directives
    }

    /// A certificate authority that is already there is taken up again with its newest root that still lives.
    private func enable(_ backend: Mesh.Backend, of mesh: Mesh, at now: Timestamp) -> [MeshDirective] {
        let name = mesh.certificateAuthorityName(of: backend)
        if certificateAuthorities[name] != nil {
            let issuer = issuers.values.filter { $0.certificateAuthority == name && now < $0.notAfter }
                .max { $0.notBefore < $1.notBefore }
            if let issuer, let state = meshIssuers[mesh.name]?[issuer.id], state != .revoked {
                return state == .active ? [] : [.resume(issuer.id, from: state)]
            }
            return [.deleteCertificateAuthority(name: name), .createCertificateAuthority(authority(of: backend, in: mesh))]
        }
        return [.createCertificateAuthority(authority(of: backend, in: mesh))]
    }

    private func changeTerms(
        from old: Mesh.Backend, to new: Mesh.Backend, of mesh: Mesh
    ) throws(MeshChangeRefusal) -> [MeshDirective] {
        let wanted = authority(of: new, in: mesh)
        guard let current = certificateAuthorities[wanted.name] else { return [.createCertificateAuthority(wanted)] }
        guard wanted != current else { return [] }
        guard wanted.keyAlgorithm == current.keyAlgorithm else {
            throw .conflict(
                detail: "changing the key type of '\(wanted.name)' from \(current.keyAlgorithm.rawValue) to "
                    + "\(wanted.keyAlgorithm.rawValue) needs a new root: add a backend of another name instead")
        }
        return [.replaceCertificateAuthority(wanted)]
    }

    private func authority(of backend: Mesh.Backend, in mesh: Mesh) -> CertificateAuthority {
        switch backend.kind {
        case .builtin(let keyAlgorithm, let expiration):
            CertificateAuthority(
                name: mesh.certificateAuthorityName(of: backend), keyAlgorithm: keyAlgorithm, expiration: expiration,
                owner: mesh.name)
        }
    }

    /// At most five names, for a message.
    package static func sample(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
