package import PKI

/// Whether one identity would be accepted by another, and what decides it.
package struct TrustVerdict: Sendable, Hashable {
    package enum Ground: Sendable, Hashable {
        /// A door names both.
        case door(name: String)
        /// There is no way from the one mesh to the other.
        case noDoor
        /// A door leads to the mesh, but not for this caller or to this service.
        case notThroughDoor(name: String)
        /// Revoked: no certificate of it authenticates anybody.
        case revoked
        /// Both are of one mesh.
        case sameMesh
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
        case .noDoor: "no-door"
        case .notThroughDoor: "not-through-door"
        case .revoked: "identity-revoked"
        case .sameMesh: "same-mesh"
        case .unknownTrustDomain: "unknown-trust-domain"
        case .withoutMTLS: "mesh-without-mtls"
        }
    }

    /// What decides, and what to do about it.
    package var detail: String {
        switch ground {
        case .door(let name): "the CrossMeshAccess '\(name)' admits it"
        case .noDoor: "the meshes have different CAs and no CrossMeshAccess leads from the one to the other: apply one"
        case .notThroughDoor(let name):
            "the CrossMeshAccess '\(name)' leads to the mesh, but names other services: add them to it"
        case .revoked: "the identity is revoked"
        case .sameMesh: "both are of one mesh"
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
    /// What opens it: `same-mesh`, or the names of the doors.
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
        let leading = crossMeshAccesses.values.map(\.access)
            .filter { $0.from.mesh == source.name && $0.to.mesh == target.name }.sorted { $0.name < $1.name }
        guard let first = leading.first else { return TrustVerdict(isAccepted: isAccepted, ground: .noDoor) }
        guard isAccepted else { return TrustVerdict(isAccepted: false, ground: .notThroughDoor(name: first.name)) }
        let deciding = leading.first { access in
            services.contains { access.to.includes($0) }
                && self.services(of: from, in: source.name).contains { access.from.includes($0) }
        }
        return TrustVerdict(isAccepted: true, ground: .door(name: (deciding ?? first).name))
    }

    /// Every pair of meshes with mTLS, by name.
    package func trustMatrix() -> [TrustCell] {
        let names = meshes.keys.filter { !boundIssuers(of: $0).isEmpty }.sorted()
        return names.flatMap { from in names.map { to in cell(from: from, to: to) } }
    }

    /// Read from the contexts of a proxy of no named service and of one of each service that a door names.
    private func cell(from: MeshName, to: MeshName) -> TrustCell {
        guard let domain = meshes[from]?.mesh.trustDomain, let target = meshes[to]?.mesh else {
            return TrustCell(from: from, to: to, extent: .none, through: [])
        }
        let doors = crossMeshAccesses.values.map(\.access).filter { $0.from.mesh == from && $0.to.mesh == to }
            .sorted { $0.name < $1.name }
        let named = Set(doors.flatMap { $0.to.services ?? [] }).sorted()
        let contexts = ([nil] + named.map(Optional.some)).compactMap { service in
            (try? SPIFFEID(trustDomain: target.trustDomain, path: "/probe"))
                .flatMap { try? validationContext(.peers, for: probe($0, in: to, service: service)) }
        }
        let open = contexts.filter { $0.trustDomains[domain] != nil }
        guard !open.isEmpty else { return TrustCell(from: from, to: to, extent: .none, through: []) }
        // A proxy of no named service stands for every service that no door names.
        let isWhole = contexts.first?.subjectAltNames?.contains(.trustDomain(domain)) == true
        return TrustCell(
            from: from, to: to, extent: isWhole ? .all : .some,
            through: from == to ? ["same-mesh"] : doors.map(\.name))
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
