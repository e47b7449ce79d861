package import PKI

/// Whether one identity would be accepted by another, and what decides it.
package struct TrustVerdict: Sendable, Hashable {
    package enum Ground: Sendable, Hashable {
        /// A door names both.
        case door(name: String)
        /// They share a certificate authority, and this one of the two keeps to itself.
        case isolated(MeshName)
        /// They are about to share a certificate authority; this one of the two is on its way.
        case moving(MeshName)
        /// There is no way from the one mesh to the other.
        case noDoor
        /// A door leads to the mesh, but not for this caller or to this service.
        case notThroughDoor(name: String)
        /// Revoked: no certificate of it authenticates anybody.
        case revoked
        /// Both are of one mesh.
        case sameMesh
        /// Both meshes share this certificate authority.
        case sharedAuthority(name: String)
        /// One of the trust domains belongs to no mesh.
        case unknownTrustDomain(TrustDomain)
        /// mTLS is off for one of the meshes.
        case withoutMTLS(MeshName)
    }

    package var isAccepted: Bool
    package var ground: Ground

    /// Stable, kebab-case.
    package var reason: String {
        switch ground {
        case .door: "door"
        case .isolated: "isolated"
        case .moving: "moving"
        case .noDoor: "no-door"
        case .notThroughDoor: "not-through-door"
        case .revoked: "identity-revoked"
        case .sameMesh: "same-mesh"
        case .sharedAuthority: "shared-ca"
        case .unknownTrustDomain: "unknown-trust-domain"
        case .withoutMTLS: "mesh-without-mtls"
        }
    }

    /// What decides, and what to do about it.
    package var detail: String {
        switch ground {
        case .door(let name): "the CrossMeshAccess '\(name)' admits it"
        case .isolated(let mesh):
            "the meshes share a CA, and mesh '\(mesh)' is isolated: set isolated: false, or apply a CrossMeshAccess"
        case .moving(let mesh):
            "mesh '\(mesh)' is on its way to or from the CA: see 'signet get rotations', or apply a CrossMeshAccess"
        case .noDoor: "the meshes have different CAs and no CrossMeshAccess leads from the one to the other: apply one"
        case .notThroughDoor(let name):
            "the CrossMeshAccess '\(name)' leads to the mesh, but no token grants this identity one of the services that it names: "
                + "add the service to it, or issue a token"
        case .revoked: "the identity is revoked"
        case .sameMesh: "both are of one mesh"
        case .sharedAuthority(let name): "both meshes share the CA '\(name)'"
        case .unknownTrustDomain(let domain): "the trust domain '\(domain)' belongs to no mesh"
        case .withoutMTLS(let mesh): "mTLS is off for mesh '\(mesh)': set mtls.enabledBackend"
        }
    }
}

/// One cell of the trust matrix: what proxies of `to` accept of `from`.
package struct TrustCell: Sendable, Hashable {
    package enum Extent: String, Sendable, Hashable {
        /// Every identity, at every service.
        case all
        /// Nobody.
        case none
        /// Some identities, or at some services.
        case some
    }

    package var from: MeshName
    package var to: MeshName
    package var extent: Extent
    /// What opens it: `same-mesh`, `shared-ca`, or the names of the doors.
    package var through: [String]
}

extension AuthorityState {
    /// Would `to` accept a connection from `from`? Judged by the very context that SDS serves to `to` for its peers.
    package func trustVerdict(from: SPIFFEID, to: SPIFFEID) -> TrustVerdict {
        for identity in [from, to] where mesh(of: identity.trustDomain) == nil {
            return TrustVerdict(isAccepted: false, ground: .unknownTrustDomain(identity.trustDomain))
        }
        guard let source = mesh(of: from.trustDomain), let target = mesh(of: to.trustDomain) else {
            return TrustVerdict(isAccepted: false, ground: .noDoor)
        }
        for mesh in [source, target] where boundIssuers(of: mesh.name).isEmpty {
            return TrustVerdict(isAccepted: false, ground: .withoutMTLS(mesh.name))
        }
        guard !revokedIdentities.contains(from) else { return TrustVerdict(isAccepted: false, ground: .revoked) }
        let services = services(of: to, in: target.name)
        let isAccepted = services.contains { service in
            guard let context = try? validationContext(.peers, for: probe(to, in: target.name, service: service)) else {
                return false
            }
            return context.trustDomains[from.trustDomain] != nil && context.admits(from)
        }
        if source.name == target.name { return TrustVerdict(isAccepted: isAccepted, ground: .sameMesh) }
        if isAccepted, sharers(of: target).contains(where: { $0.name == source.name }), let shared = target.enabledAuthority {
            return TrustVerdict(isAccepted: true, ground: .sharedAuthority(name: shared))
        }
        let leading = crossMeshAccesses.values.map(\.access)
            .filter { $0.from.mesh == source.name && $0.to.mesh == target.name }.sorted { $0.name < $1.name }
        guard let first = leading.first else {
            return TrustVerdict(isAccepted: isAccepted, ground: partition(of: source, and: target) ?? .noDoor)
        }
        guard isAccepted else { return TrustVerdict(isAccepted: false, ground: .notThroughDoor(name: first.name)) }
        let deciding = leading.first { access in
            services.contains { access.to.includes($0) }
                && self.services(of: from, in: source.name).contains { access.from.includes($0) }
        }
        return TrustVerdict(isAccepted: true, ground: .door(name: (deciding ?? first).name))
    }

    /// What parts two meshes that have one certificate authority enabled; nil where they have not.
    private func partition(of source: Mesh, and target: Mesh) -> TrustVerdict.Ground? {
        guard case .shared? = source.enabledBackend?.kind, source.enabledAuthority == target.enabledAuthority else {
            return nil
        }
        if let isolated = [source, target].first(where: \.isolated) { return .isolated(isolated.name) }
        return [source, target].first { isMoving($0.name) }.map { .moving($0.name) }
    }

    /// Every pair of meshes with mTLS, by name; of those in `chosen`, if it is given.
    package func trustMatrix(among chosen: [MeshName]? = nil) -> [TrustCell] {
        let names = (chosen.map { Set($0).filter { meshes[$0] != nil } } ?? Set(meshes.keys))
            .filter { !boundIssuers(of: $0).isEmpty }.sorted()
        let columns = names.map { column(to: $0, from: names) }
        return names.indices.flatMap { row in columns.map { $0[row] } }
    }

    /// One cell for each of `sources`: read from the contexts that `to` serves a proxy of no named service, and one of each
    /// service that a door names.
    func column(to: MeshName, from sources: [MeshName]) -> [TrustCell] {
        guard let target = meshes[to]?.mesh, let identity = try? SPIFFEID(trustDomain: target.trustDomain, path: "/probe")
        else { return sources.map { TrustCell(from: $0, to: to, extent: .none, through: []) } }
        let doors = crossMeshAccesses.values.map(\.access).filter { $0.to.mesh == to }.sorted { $0.name < $1.name }
        let named = Set(doors.flatMap { $0.to.services ?? [] }).sorted()
        let contexts = ([nil] + named.map(Optional.some)).compactMap { service in
            try? validationContext(.peers, for: probe(identity, in: to, service: service))
        }
        let sharers = Set(self.sharers(of: target).map(\.name))
        return sources.map { from in
            guard let domain = meshes[from]?.mesh.trustDomain,
                contexts.contains(where: { $0.trustDomains[domain] != nil })
            else { return TrustCell(from: from, to: to, extent: .none, through: []) }
            // A proxy of no named service stands for every service that no door names.
            let isWhole = contexts.first?.subjectAltNames?.contains(.trustDomain(domain)) == true
            let through: [String] =
                if from == to {
                    ["same-mesh"]
                } else if sharers.contains(from) {
                    ["shared-ca"]
                } else {
                    doors.filter { $0.from.mesh == from }.map(\.name)
                }
            return TrustCell(from: from, to: to, extent: isWhole ? .all : .some, through: through)
        }
    }

    /// The services that an identity was granted for; one without any is judged as a proxy of no service.
    private func services(of identity: SPIFFEID, in mesh: MeshName) -> [String?] {
        let granted = (serviceIdentities[mesh] ?? [:]).filter { $0.value.contains(identity) }.keys.sorted()
        return granted.isEmpty ? [nil] : granted.map(Optional.some)
    }

    private func probe(_ identity: SPIFFEID, in mesh: MeshName, service: String?) -> Caller {
        Caller(
            mesh: mesh, identity: identity, proxy: "", tags: service.map { ["kuma.io/service": [$0]] } ?? [:], tokenID: "")
    }
}
