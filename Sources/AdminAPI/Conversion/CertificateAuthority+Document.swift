internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension CertificateAuthority {
    /// The core's certificate authority of a document. Of a root that is brought, key type and life are its own, which only the
    /// certificate says: the authority fills them in.
    ///
    /// `keyStore` is where its keys are now, if it is there.
    init(_ document: CertificateAuthorityDocument, keyStore: KeyStore?) {
        let retireAfter: RetireAfter =
            switch document.rotation.retireAfter {
            case .expired: .expired
            case .reissued: .reissued
            }
        let (keyAlgorithm, expiration, origin): (KeyAlgorithm, Duration, Origin) =
            switch document.root {
            case .generated(let keyAlgorithm, let expiration): (keyAlgorithm, expiration.duration, .generated)
            case .provided: (.ecP256, .zero, .provided)
            }
        self.init(
            name: document.name, keyAlgorithm: keyAlgorithm, expiration: expiration, owner: nil, origin: origin,
            keyStore: document.keyStore ?? keyStore ?? .database, rotatesAutomatically: document.rotation.automatic,
            retireAfter: retireAfter)
    }

    /// Where its roots come from, as its document says it; `issuers` are its roots, oldest first.
    func documentRoot(_ issuers: [Issuer]) -> CertificateAuthorityDocument.Root {
        switch origin {
        case .generated: .generated(keyAlgorithm: keyAlgorithm, expiration: WireDuration(expiration))
        case .provided:
            .provided(
                certificatePEM: issuers.last.map { PEM.encode(label: "CERTIFICATE", der: $0.certificate) } ?? "",
                key: KeySource(of: issuers.last))
        }
    }

    /// Its document with these meshes; `issuers` are its roots, oldest first.
    func document(meshes: [MeshName], issuers: [Issuer]) -> CertificateAuthorityDocument {
        let documentRetireAfter: CertificateAuthorityDocument.RetireAfter =
            switch retireAfter {
            case .expired: .expired
            case .reissued: .reissued
            }
        return CertificateAuthorityDocument(
            name: name, root: documentRoot(issuers), meshes: meshes,
            rotation: .init(automatic: rotatesAutomatically, retireAfter: documentRetireAfter), keyStore: keyStore)
    }
}

extension AuthorityState {
    /// The meshes that whatever happens to its root concerns: its owner, and those that use it or may come back to it.
    func concerned(by authority: String) -> Set<MeshName> {
        Set(dependents(of: authority)).union(certificateAuthorities[authority]?.authority.owner.map { [$0] } ?? [])
    }

    /// The roots of a certificate authority, oldest first.
    func roots(of authority: String) -> [Issuer] {
        issuers.values.filter { $0.certificateAuthority == authority }
            .sorted { ($0.notBefore, $0.id) < ($1.notBefore, $1.id) }
    }
}

extension AuthorityState {
    /// Of an authority's roots, oldest first, those that are in the bundle of some mesh of `reach` (nil: of any); where there is
    /// none, the newest that was not revoked.
    func current(of roots: [Issuer], reach: Set<MeshName>?) -> [Issuer] {
        let bound = roots.filter { root in
            meshIssuers.contains { mesh, states in
                states[root.id]?.isBound == true && (reach?.contains(mesh) ?? true)
            }
        }
        guard bound.isEmpty else { return bound }
        return roots.last { $0.revokedAt == nil }.map { [$0] } ?? []
    }
}

extension CertificateAuthorityDocument {
    /// The root that it brings; nil where it is made by the service.
    func providedRoot() throws(AdminError) -> ProvidedRoot? {
        guard case .provided(let certificatePEM, let key) = root else { return nil }
        return ProvidedRoot(
            certificate: try ProvidedRoot.certificate(certificatePEM, field: "cert"), key: ProvidedKey(key))
    }
}
