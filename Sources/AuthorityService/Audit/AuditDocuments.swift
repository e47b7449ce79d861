internal import Authority
internal import PKI

/// What an act found and what it left, made from the very writes that it commits: nothing that is written can be forgotten here.
///
/// Two JSON objects whose members are named by kind and name, such as `mesh payments` or `issuer 0123456789abcdef`. A member only
/// in the second was made, only in the first was taken away; what the act left as it was is in neither. Keys are named by their
/// fingerprint and by the key-encryption key that they are sealed under, tokens by their id: no secret is here in any form.
/// What is large is abridged, after both sides were compared.
struct AuditDocuments {
    private var found: [String: AuditValue] = [:]
    private var left: [String: AuditValue] = [:]

    /// `state` is what the writes were judged by; where they replace a row, the revision that they name is the proof of it.
    /// `token` is the one that is revoked: tokens are in no state.
    init(of writes: [LedgerWrite], in state: AuthorityState, token: TokenRecord? = nil) {
        for write in writes { add(write, state, token) }
        for (name, value) in found where left[name] == value {
            found[name] = nil
            left[name] = nil
        }
    }

    /// Nil where there was nothing.
    var before: String? { found.isEmpty ? nil : AuditValue.abridged(found).json }
    var after: String? { left.isEmpty ? nil : AuditValue.abridged(left).json }

    private mutating func add(_ write: LedgerWrite, _ state: AuthorityState, _ token: TokenRecord?) {
        switch write {
        case .confirmLedger(let position, _, let epoch):
            found["ledger"] = AuditValue(position)
            left["ledger"] = .members(["id": .text(position.ledger), "epoch": .text("\(epoch)")])
        case .deleteCertificateAuthority(let name, _):
            found["certificate-authority \(name)"] = state.certificateAuthorities[name].map { AuditValue($0.authority) }
            for issuer in state.issuers.values where issuer.certificateAuthority == name {
                found["issuer \(issuer.id)"] = AuditValue(issuer)
                for (mesh, uses) in state.meshIssuers {
                    found["mesh-issuer \(mesh) \(issuer.id)"] = uses[issuer.id].map { .text($0.rawValue) }
                }
            }
        case .deleteCrossMeshAccess(let name, _):
            found["cross-mesh-access \(name)"] = state.crossMeshAccesses[name].map { AuditValue($0.access) }
        case .deleteMesh(let mesh, _, let freeAt):
            found["mesh \(mesh)"] = state.meshes[mesh].map { AuditValue($0.mesh) }
            for (issuer, use) in state.meshIssuers[mesh] ?? [:] {
                found["mesh-issuer \(mesh) \(issuer)"] = .text(use.rawValue)
            }
            for (name, entry) in state.meshServices[mesh] ?? [:] {
                found["mesh-service \(mesh) \(name)"] = AuditValue(entry.service)
            }
            if let domain = state.meshes[mesh]?.mesh.trustDomain {
                left["trust-domain \(domain)"] = .members(["mesh": .text(mesh.name), "freeAt": .time(freeAt)])
            }
        case .deleteMeshService(let mesh, let name, _):
            found["mesh-service \(mesh) \(name)"] = state.meshServices[mesh]?[name].map { AuditValue($0.service) }
        case .insertCertificateAuthority(let authority, _):
            left["certificate-authority \(authority.name)"] = AuditValue(authority)
        case .insertCrossMeshAccess(let access, _):
            left["cross-mesh-access \(access.name)"] = AuditValue(access)
        case .insertIssuer(let issuer, let key):
            left["issuer \(issuer.id)"] = AuditValue(issuer)
            left["issuer-key \(issuer.id)"] = AuditValue(key)
        case .insertMesh(let mesh, _): left["mesh \(mesh.name)"] = AuditValue(mesh)
        case .insertMeshIssuer(let mesh, let issuer, let use):
            left["mesh-issuer \(mesh) \(issuer)"] = .text(use.rawValue)
        case .insertMeshService(let service, _): left["mesh-service \(service.mesh) \(service.name)"] = AuditValue(service)
        case .insertRotation(let rotation): left["rotation \(rotation.id)"] = AuditValue(rotation)
        // What happened is the act itself, and the lease is nobody's act.
        case .insertRotationEvent, .requireLease: break
        case .insertServiceKey(let name, let key): left["service-key \(name)"] = AuditValue(key)
        case .insertToken(let token): left["token \(token.id)"] = AuditValue(token)
        case .insertTokenSigningKey(let key): left["token-signing-key \(key.id)"] = AuditValue(key)
        case .recordCertificate(let record): left["certificate \(record.serial)"] = AuditValue(record)
        case .replaceCertificateAuthority(let authority, let revision, _):
            let name = "certificate-authority \(authority.name)"
            let entry = state.certificateAuthorities[authority.name]
            found[name] = entry?.revision == revision ? entry.map { AuditValue($0.authority) } : nil
            left[name] = AuditValue(authority)
        case .replaceCrossMeshAccess(let access, let revision, _):
            let entry = state.crossMeshAccesses[access.name]
            found["cross-mesh-access \(access.name)"] = entry?.revision == revision ? entry.map { AuditValue($0.access) } : nil
            left["cross-mesh-access \(access.name)"] = AuditValue(access)
        case .replaceMesh(let mesh, let revision, _):
            let entry = state.meshes[mesh.name]
            found["mesh \(mesh.name)"] = entry?.revision == revision ? entry.map { AuditValue($0.mesh) } : nil
            left["mesh \(mesh.name)"] = AuditValue(mesh)
        case .replaceMeshService(let service, let revision, _):
            let name = "mesh-service \(service.mesh) \(service.name)"
            let entry = state.meshServices[service.mesh]?[service.name]
            found[name] = entry?.revision == revision ? entry.map { AuditValue($0.service) } : nil
            left[name] = AuditValue(service)
        case .replaceRotation(let rotation, let revision):
            let entry = state.rotations[rotation.id]
            found["rotation \(rotation.id)"] = entry?.revision == revision ? entry.map { AuditValue($0.rotation) } : nil
            left["rotation \(rotation.id)"] = AuditValue(rotation)
        case .resealKey(let row, let key, let from):
            let name =
                switch row {
                case .issuer(let id): "issuer-key \(id)"
                case .service(let name): "service-key \(name)"
                case .tokenSigning(let id): "token-signing-key \(id)"
                }
            found[name] = AuditValue(from)
            left[name] = AuditValue(key)
        case .revokeIdentity(let identity, let at):
            left["revoked-identity \(identity)"] = .members(["revokedAt": .time(at)])
        case .revokeIssuer(let id, let at):
            guard var issuer = state.issuers[id] else {
                left["issuer \(id)"] = .members(["revokedAt": .time(at)])
                return
            }
            found["issuer \(id)"] = AuditValue(issuer)
            if issuer.revokedAt == nil { issuer.revokedAt = at }
            left["issuer \(id)"] = AuditValue(issuer)
        case .revokeToken(let id, let at):
            guard var token, token.id == id else {
                left["token \(id)"] = .members(["revokedAt": .time(at)])
                return
            }
            found["token \(id)"] = AuditValue(token)
            if token.revokedAt == nil { token.revokedAt = at }
            left["token \(id)"] = AuditValue(token)
        case .setMeshIssuer(let mesh, let issuer, let use, let from):
            found["mesh-issuer \(mesh) \(issuer)"] = .text(from.rawValue)
            left["mesh-issuer \(mesh) \(issuer)"] = .text(use.rawValue)
        }
    }
}

extension AuditEntry {
    /// The entry with what its writes found and left.
    func with(_ documents: AuditDocuments) -> AuditEntry {
        var entry = self
        entry.before = documents.before
        entry.after = documents.after
        return entry
    }
}
