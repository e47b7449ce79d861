package import PKI

extension AuthorityState {
    /// Whom `caller` is to accept, for any name of a trust bundle.
    ///
    /// Refuses with `meshWithoutMTLS` where there is no root, and with `secretEmpty` rather than ever give an empty list
    /// of matchers, which Envoy reads as "anyone".
    package func validationContext(_ name: SecretName, for caller: Caller) throws(Refusal) -> ValidationContext {
        guard let mesh = meshes[caller.mesh]?.mesh else { throw .meshUnknown(caller.mesh.name) }
        let roots = boundIssuers(of: mesh.name).map(\.certificate)
        guard !roots.isEmpty else { throw .meshWithoutMTLS(mesh.name) }
        let own = [mesh.trustDomain: roots]
        switch name {
        case .identity:
            throw .secretUnknown(name: "identity")
        case .allTrust, .meshTrust:
            return ValidationContext(trustDomains: own, trustedCA: roots, subjectAltNames: nil)
        case .destinations:
            return ValidationContext(trustDomains: own, trustedCA: nil, subjectAltNames: nil)
        case .peers:
            return ValidationContext(
                trustDomains: own, trustedCA: nil, subjectAltNames: [.trustDomain(mesh.trustDomain)])
        case .service(let target, let service):
            // A service of another mesh is reachable through a door alone, and there is none.
            guard target == mesh.name else { throw .secretForbidden(name: "\(target)/\(service)") }
            let identities = identities(of: service, in: mesh.name)
            guard !identities.isEmpty else { throw .secretEmpty(name: service) }
            return ValidationContext(trustDomains: own, trustedCA: nil, subjectAltNames: identities.map { .exact($0) })
        }
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
