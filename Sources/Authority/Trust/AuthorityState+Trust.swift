package import PKI

extension AuthorityState {
    /// Whom `caller` is to accept, for any name of a trust bundle.
    ///
    /// Refuses with `meshWithoutMTLS` where there is no root, and with `secretEmpty` rather than ever give an empty list
    /// of matchers, which Envoy reads as "anyone".
    package func validationContext(_ name: SecretName, for caller: Caller) throws(Refusal) -> ValidationContext {
        guard let mesh = meshes[caller.mesh]?.mesh else { throw .meshUnknown(caller.mesh.name) }
        let issuers = boundIssuers(of: mesh.name)
        guard !issuers.isEmpty else { throw .meshWithoutMTLS(mesh.name) }
        let roots = issuers.map(\.certificate)
        let own = [mesh.trustDomain: roots]
        let trustedCA = isShared(issuers, beyond: mesh.name) ? nil : roots
        switch name {
        case .identity:
            throw .secretUnknown(name: "identity")
        case .meshTrust:
            return ValidationContext(trustDomains: own, trustedCA: trustedCA, subjectAltNames: nil)
        case .allTrust:
            return ValidationContext(
                trustDomains: shared(with: mesh, beside: own), trustedCA: trustedCA, subjectAltNames: nil)
        case .destinations:
            return ValidationContext(
                trustDomains: destinations(of: caller, beside: shared(with: mesh, beside: own)), trustedCA: nil,
                subjectAltNames: nil)
        case .peers:
            return peers(of: caller, in: mesh, beside: shared(with: mesh, beside: own))
        case .service(let target, let service):
            guard
                target == mesh.name || sharers(of: mesh).contains(where: { $0.name == target })
                    || opens(for: caller, to: target, service: service)
            else {
                throw .secretForbidden(name: "\(target)/\(service)")
            }
            let selected = meshServiceIdentities[target]?[service] ?? []
            let identities = selected.subtracting(revokedIdentities).union(identities(of: service, in: target)).sorted()
            guard !identities.isEmpty else { throw .secretEmpty(name: service) }
            return ValidationContext(
                trustDomains: destinations(of: caller, beside: shared(with: mesh, beside: own)), trustedCA: nil,
                subjectAltNames: identities.map { .exact($0) })
        }
    }

    /// `own`, and the trust domains of the meshes that share the certificate authority, each bound to its own roots.
    private func shared(
        with mesh: Mesh, beside own: [TrustDomain: [[UInt8]]]
    ) -> [TrustDomain: [[UInt8]]] {
        var domains = own
        for sharer in sharers(of: mesh) {
            guard let (domain, roots) = binding(of: sharer.name) else { continue }
            domains[domain] = roots
        }
        return domains
    }

    /// The mesh's own domain, those that share its certificate authority, and for each door that leads to the caller's service the identities that it admits. A door
    /// whose services have no identity yet adds nothing: neither a domain nor a matcher.
    private func peers(
        of caller: Caller, in mesh: Mesh, beside own: [TrustDomain: [[UInt8]]]
    ) -> ValidationContext {
        var domains = own
        var matchers: [SubjectAltNameMatcher] = own.keys.sorted().map { .trustDomain($0) }
        for access in accesses where access.to.mesh == mesh.name && access.to.includes(caller.service) {
            guard let (domain, roots) = binding(of: access.from.mesh) else { continue }
            let admitted: [SubjectAltNameMatcher]
            if let services = access.from.services {
                let identities = Set(services.flatMap { self.identities(of: $0, in: access.from.mesh) })
                admitted = identities.sorted().map { .exact($0) }
            } else {
                admitted = [.trustDomain(domain)]
            }
            guard !admitted.isEmpty else { continue }
            domains[domain] = roots
            matchers += admitted.filter { !matchers.contains($0) }
        }
        return ValidationContext(trustDomains: domains, trustedCA: nil, subjectAltNames: matchers)
    }

    /// `own`, and the trust domains that a door lets the caller's service go to.
    private func destinations(
        of caller: Caller, beside own: [TrustDomain: [[UInt8]]]
    ) -> [TrustDomain: [[UInt8]]] {
        var domains = own
        for access in accesses where access.from.mesh == caller.mesh && access.from.includes(caller.service) {
            guard let (domain, roots) = binding(of: access.to.mesh) else { continue }
            domains[domain] = roots
        }
        return domains
    }

    /// Whether a door lets the caller's service reach `service` of another mesh.
    private func opens(for caller: Caller, to target: MeshName, service: String) -> Bool {
        accesses.contains { access in
            access.from.mesh == caller.mesh && access.from.includes(caller.service) && access.to.mesh == target
                && access.to.includes(service)
        }
    }

    /// The doors in one order, so that the same state gives the same context on every replica.
    private var accesses: [CrossMeshAccess] {
        crossMeshAccesses.values.map(\.access).sorted { $0.name < $1.name }
    }

    /// A mesh's trust domain and the roots that it is bound to; nil while it has none.
    private func binding(of mesh: MeshName) -> (TrustDomain, [[UInt8]])? {
        guard let trustDomain = meshes[mesh]?.mesh.trustDomain else { return nil }
        let roots = boundIssuers(of: mesh).map(\.certificate)
        return roots.isEmpty ? nil : (trustDomain, roots)
    }

    /// The identities behind a service, sorted: those granted to unrevoked tokens with that tag, and not revoked themselves.
    package func identities(of service: String, in mesh: MeshName) -> [SPIFFEID] {
        (serviceIdentities[mesh]?[service] ?? []).subtracting(revokedIdentities).sorted()
    }

    /// Every trust domain with the roots that it is bound to: what a peer's chain is verified against at our own door.
    package var boundRoots: [TrustDomain: [[UInt8]]] {
        var roots: [TrustDomain: [[UInt8]]] = [:]
        for entry in meshes.values {
            let bound = boundIssuers(of: entry.mesh.name).map(\.certificate)
            if !bound.isEmpty { roots[entry.mesh.trustDomain] = bound }
        }
        return roots
    }
}
