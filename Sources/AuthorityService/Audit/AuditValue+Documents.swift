internal import Authority
internal import PKI
internal import PKICrypto

/// What can be changed, as it stands in the audit trail: every property, and of keys and certificates their digests.
extension AuditValue {
    init(_ position: LedgerPosition) {
        self = .members([
            "id": .text(position.ledger), "epoch": .text("\(position.epoch)"), "revision": .text("\(position.revision)"),
        ])
    }

    init(_ mesh: Mesh) {
        self = .members([
            "name": .text(mesh.name.name), "trustDomain": .text(mesh.trustDomain.name),
            "mtls": mesh.mtls.map { mtls in
                .members([
                    "enabledBackend": .optional(mtls.enabledBackend), "backends": .list(mtls.backends.map { AuditValue($0) }),
                ])
            },
            "identityPath": .text(mesh.identityPath.template), "isolated": .flag(mesh.isolated),
            "nameConstraints": .flag(mesh.nameConstraints),
            "membership": .members([
                "requirements": .list(mesh.membership.requirements.map { AuditValue($0) }),
                "restrictions": .list(mesh.membership.restrictions.map { AuditValue($0) }),
            ]),
            "otherFields": .optional(mesh.otherFields),
        ])
    }

    private init(_ tags: [String: String]) { self = .object(tags.mapValues { .text($0) }) }

    private init(_ tags: [String: [String]]) { self = .object(tags.mapValues { .texts($0) }) }

    private init(_ backend: Mesh.Backend) {
        var members: [String: AuditValue?] = [
            "name": .text(backend.name), "mode": .text(backend.mode.rawValue),
            "leafLifetime": .duration(backend.leafLifetime), "document": .text(backend.document),
        ]
        switch backend.kind {
        case .builtin(let keyAlgorithm, let expiration):
            members["kind"] = .text("builtin")
            members["keyAlgorithm"] = .text(keyAlgorithm.rawValue)
            members["expiration"] = .duration(expiration)
        case .provided(let certificate):
            members["kind"] = .text("provided")
            members["certificateSHA256"] = .text(Hex.encode(Digest.sha256(certificate)))
        case .shared(let authority):
            members["kind"] = .text("shared")
            members["authority"] = .text(authority)
        }
        self = .members(members)
    }

    init(_ authority: CertificateAuthority) {
        let keyStore: AuditValue =
            switch authority.keyStore {
            case .database: .text("database")
            case .pkcs11(let location):
                .members([
                    "module": .text(location.module), "token": .text(location.token), "pinFile": .text(location.pinFile),
                ])
            }
        self = .members([
            "name": .text(authority.name), "keyAlgorithm": .text(authority.keyAlgorithm.rawValue),
            "expiration": .duration(authority.expiration), "owner": .optional(authority.owner?.name),
            "origin": .text(authority.origin.rawValue), "keyStore": keyStore,
            "rotatesAutomatically": .flag(authority.rotatesAutomatically), "retireAfter": .text(authority.retireAfter.rawValue),
            "isAutomaticHeld": .flag(authority.isAutomaticHeld),
        ])
    }

    init(_ issuer: Issuer) {
        self = .members([
            "id": .text(issuer.id.text), "certificateAuthority": .text(issuer.certificateAuthority),
            "certificateSHA256": .text(issuer.fingerprint.description), "serial": .text(issuer.serial.description),
            "keySHA256": .optional(issuer.keyFingerprint?.description), "notBefore": .time(issuer.notBefore),
            "notAfter": .time(issuer.notAfter), "revokedAt": .time(issuer.revokedAt),
        ])
    }

    init(_ key: IssuerKey) {
        switch key {
        case .sealed(let sealed): self.init(sealed)
        case .token(let reference):
            self = .members(["token": .text(reference.location.token), "id": .text(reference.id)])
        }
    }

    init(_ key: SealedKey) {
        self = .members(["keyEncryptionKey": .text(key.keyEncryptionKeyID)])
    }

    init(_ key: TokenSigningKey) {
        self = .members([
            "id": .text(key.id), "mesh": .optional(key.mesh?.name),
            "publicKeySHA256": .text(Hex.encode(Digest.sha256(key.publicKey))), "createdAt": .time(key.createdAt),
            "endsAt": .time(key.endsAt), "keyEncryptionKey": .text(key.sealedKey.keyEncryptionKeyID),
        ])
    }

    init(_ token: TokenRecord) {
        self = .members([
            "id": .text(token.id), "kind": .text(token.kind.rawValue), "mesh": .optional(token.mesh?.name),
            "name": .text(token.name), "tags": AuditValue(token.tags), "roles": .texts(token.roles),
            "identity": .optional(token.identity?.uri), "issuedAt": .time(token.issuedAt), "expiresAt": .time(token.expiresAt),
            "revokedAt": .time(token.revokedAt), "meshes": token.meshes.map { .texts($0.map(\.name)) },
        ])
    }

    init(_ access: CrossMeshAccess) {
        func side(_ side: CrossMeshAccess.Side) -> AuditValue {
            .members(["mesh": .text(side.mesh.name), "services": side.services.map { .texts($0) }])
        }
        self = .members(["name": .text(access.name), "from": side(access.from), "to": side(access.to)])
    }

    init(_ service: MeshService) {
        self = .members([
            "mesh": .text(service.mesh.name), "name": .text(service.name), "selector": AuditValue(service.selector),
            "document": .text(service.document),
        ])
    }

    init(_ rotation: Rotation) {
        self = .members([
            "id": .text(rotation.id), "kind": .text(rotation.kind.rawValue), "trigger": .text(rotation.trigger.rawValue),
            "meshes": .texts(rotation.meshes.map(\.name)), "certificateAuthority": .text(rotation.certificateAuthority),
            "previousAuthority": .text(rotation.previousAuthority), "from": .text(rotation.from.text),
            "to": .text(rotation.to.text), "phase": .text(rotation.phase.rawValue), "phaseSince": .time(rotation.phaseSince),
            "retireAfter": .text(rotation.retireAfter.rawValue), "isManual": .flag(rotation.isManual),
            "isPaused": .flag(rotation.isPaused),
            "crossCertificate": rotation.crossCertificate.map { cross in
                .members([
                    "certificateSHA256": .text(Hex.encode(Digest.sha256(cross.certificate))),
                    "notBefore": .time(cross.notBefore), "notAfter": .time(cross.notAfter),
                ])
            },
            "startedAt": .time(rotation.startedAt), "endedAt": .time(rotation.endedAt),
        ])
    }

    init(_ record: CertificateRecord) {
        self = .members([
            "serial": .text(record.serial.description), "kind": .text(record.kind.rawValue), "mesh": .optional(record.mesh?.name),
            "certificateAuthority": .text(record.certificateAuthority), "issuer": .text(record.issuer.text),
            "signedBy": .text(record.signedBy.description), "identity": .optional(record.identity?.uri),
            "notBefore": .time(record.notBefore), "notAfter": .time(record.notAfter),
            "tbsSHA256": .text(record.digest.description),
        ])
    }
}
