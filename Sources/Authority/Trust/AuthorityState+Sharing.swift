package import PKI

extension AuthorityState {
    /// The meshes whose document has the certificate authority enabled, by name. Membership lives there alone.
    package func users(of authority: String) -> [MeshName] {
        meshes.values.map(\.mesh).filter { $0.enabledAuthority == authority }.map(\.name).sorted()
    }

    /// The meshes that hinder the certificate authority's deletion: a backend names it, or a root of it is still bound.
    package func dependents(of authority: String) -> [MeshName] {
        meshes.values.map(\.mesh).filter { mesh in
            mesh.certificateAuthorityNames.contains(authority)
                || boundIssuers(of: mesh.name).contains { $0.certificateAuthority == authority }
        }.map(\.name).sorted()
    }

    /// The issuer of a certificate authority that a mesh joins: the one that signs for others already, else the newest that
    /// still lives and was revoked for nobody.
    package func currentIssuer(of authority: String, at now: Timestamp) -> Issuer? {
        let candidates = issuers.values.filter { issuer in
            issuer.certificateAuthority == authority && now < issuer.notAfter && issuer.revokedAt == nil
                && !meshIssuers.values.contains { $0[issuer.id] == .revoked }
        }
        let signing = candidates.filter { issuer in meshIssuers.values.contains { $0[issuer.id] == .active } }
        return (signing.isEmpty ? candidates : signing).max { ($0.notBefore, $0.id) < ($1.notBefore, $1.id) }
    }

    /// The other meshes that `mesh` accepts, and is accepted by, for they share a certificate authority: by name.
    ///
    /// From the end of a join to the first push of a leave, and never while either is isolated.
    package func sharers(of mesh: Mesh) -> [Mesh] {
        guard isOpenSharer(mesh), let authority = mesh.enabledAuthority else { return [] }
        return meshes.values.map(\.mesh)
            .filter { $0.name != mesh.name && $0.enabledAuthority == authority && isOpenSharer($0) }
            .sorted { $0.name < $1.name }
    }

    private func isOpenSharer(_ mesh: Mesh) -> Bool {
        guard !mesh.isolated, case .shared? = mesh.enabledBackend?.kind else { return false }
        return !isMoving(mesh.name)
    }

    /// Whether the mesh is on its way from one certificate authority to another.
    package func isMoving(_ mesh: MeshName) -> Bool {
        // Asked for every mesh of every context: a replacement may have hundreds, and a move has one.
        rotations.values.contains { $0.rotation.kind == .move && $0.rotation.meshes.contains(mesh) }
    }

    /// Whether one of `issuers` is, or at any time may become, another mesh's root too: then nobody may take it for one mesh's.
    func isShared(_ issuers: [Issuer], beyond mesh: MeshName) -> Bool {
        issuers.contains { issuer in
            guard let authority = certificateAuthorities[issuer.certificateAuthority]?.authority else { return true }
            if authority.owner != mesh { return true }
            guard authority.origin == .provided else { return false }
            return self.issuers.values.contains { $0.id != issuer.id && $0.hasSameKey(as: issuer) }
        }
    }
}

extension Issuer {
    /// Whether the two are roots of one key pair, in whichever certificate.
    package func hasSameKey(as other: Issuer) -> Bool {
        if let keyFingerprint, let theirs = other.keyFingerprint { return keyFingerprint == theirs }
        return certificate == other.certificate
    }
}
