package import Authority
package import AuthorityService
package import PKI
internal import Postgres

/// What a `MemoryLedger` holds, with the conflict rules of the database: a value, so that a transaction is a copy.
package struct MemoryLedgerStore: Sendable {
    package struct Holder: Hashable, Sendable {
        /// The mesh that has the trust domain, or had it last.
        package var mesh: MeshName
        /// Nil while the mesh has it.
        package var freeAt: Timestamp?
    }

    /// What a replica said last.
    package struct Replica: Hashable, Sendable {
        package var seenAt: Timestamp
        /// Nil until the first.
        package var report: ReplicaReport?
        /// Another one after every write.
        package var edition: Int64 = 0
        package var keyEncryptionKeys: [String] = []
        package var permit = OfflinePermit.none
    }

    package var state = LedgerState()
    /// Of the server that answers: another one after a failover.
    package var timeline: Int64 = 1
    package var trustDomains: [TrustDomain: Holder] = [:]
    /// In the order of recording: a row's number is its index plus one, until upkeep removes rows before it.
    package var certificates: [CertificateRecord] = []
    package var tokens: [TokenRecord] = []
    package var audit: [AuditEntry] = []
    /// Of each entry, in the same order: its row's hash.
    package var auditHashes: [[UInt8]] = []
    package var auditSeal: AuditSeal?
    /// In the order of insertion, those that ended included. Those that run are in `state` once it is loaded.
    package var rotations: [AuthorityState.RotationEntry] = []
    package var replicas: [String: Replica] = [:]
    /// How often a replica's row was written.
    package var replicaWrites: Int64 = 0
    /// Of each rotation, in the order of the transactions.
    package var rotationEvents: [String: [RotationEvent]] = [:]
    package var driver: Driver?
    /// The weeks that were made for leaves to end in.
    package var weeks: Set<LedgerWeek> = []
    private var serials: Set<SerialNumber> = []

    package init() { state.ledger = "memory-\(UInt32.random(in: .min ... .max))" }

    /// Those that can hold nobody up any more.
    mutating func forgetReplicas(unheardFor window: Duration, at now: Timestamp) {
        replicas = replicas.filter {
            $0.value.seenAt >= now - max(window, .seconds(86_400)) || now <= $0.value.seenAt + $0.value.permit.reach
        }
    }

    /// Applies all writes or throws; the store is a copy that is thrown away then. `now` is the database's clock.
    mutating func apply(_ transaction: LedgerTransaction, now: Timestamp) throws(LedgerFailure) {
        state.authority.revision += 1
        if let known = transaction.after, let refusal = LedgerFailure(of: state.position, after: known) { throw refusal }
        for write in transaction.writes { try apply(write, at: transaction.audit.at, now: now) }
        for write in transaction.writes { try checkFinally(write) }
        append([transaction.audit])
        try checkReferences()
    }

    /// Refuses whoever has seen another ledger, or more of it.
    func confirm(_ known: LedgerPosition?) throws(LedgerFailure) {
        if let doubt = known?.doubt(about: state.position) { throw .behind(detail: "\(doubt)") }
    }

    mutating func record(_ records: [CertificateRecord]) throws(LedgerFailure) {
        for record in records {
            guard serials.insert(record.serial).inserted else {
                throw .conflict(what: "the certificate with serial \(record.serial)")
            }
            certificates.append(StorableText.storable(record))
        }
    }

    package mutating func append(_ entries: [AuditEntry]) {
        for entry in entries.map({ StorableText.storable($0) }) {
            let previous = auditHashes.last ?? MemoryLedgerStore.auditGenesis
            audit.append(entry)
            auditHashes.append(AuditRow(entry, seq: Int64(audit.count), previous: previous).hash)
        }
    }

    /// A row's number is its index plus one.
    package var auditRows: [AuditRow] {
        audit.indices.map { index in
            let previous = index == 0 ? MemoryLedgerStore.auditGenesis : auditHashes[index - 1]
            var row = AuditRow(audit[index], seq: Int64(index + 1), previous: previous)
            row.hash = auditHashes[index]
            return row
        }
    }

    package var auditHead: AuditHead {
        AuditHead(
            genesis: MemoryLedgerStore.auditGenesis, seq: Int64(audit.count),
            hash: auditHashes.last ?? MemoryLedgerStore.auditGenesis, seal: auditSeal, position: state.position)
    }

    private static let auditGenesis = [UInt8](repeating: 7, count: 32)

    private mutating func apply(_ write: LedgerWrite, at: Timestamp, now: Timestamp) throws(LedgerFailure) {
        switch write {
        case .confirmLedger(let found, let seen, let epoch):
            guard state.epoch == found.epoch, state.ledger == found.ledger else { throw .conflict(what: "the ledger's epoch") }
            state.epoch = epoch
            state.authority.revision = max(state.authority.revision, seen) + LedgerPosition.stride
        case .deleteCertificateAuthority(let name, let revision): try deleteCertificateAuthority(name, revision: revision)
        case .deleteCrossMeshAccess(let name, let revision):
            guard state.authority.crossMeshAccesses[name]?.revision == revision else {
                throw .conflict(what: "CrossMeshAccess '\(name)'")
            }
            state.authority.crossMeshAccesses[name] = nil
        case .deleteMesh(let name, let revision, let freeAt):
            try deleteMesh(name, revision: revision, freeAt: freeAt, at: at)
        case .deleteMeshService(let mesh, let name, let revision):
            try changeService(name, of: mesh) { entry in
                guard entry?.revision == revision else { return false }
                entry = nil
                return true
            }
        case .insertCertificateAuthority(let authority, let at):
            let entry = AuthorityState.CertificateAuthorityEntry(
                authority: authority, revision: state.authority.revision, createdAt: at, modifiedAt: at)
            try insert(entry, at: authority.name, \.certificateAuthorities, "certificate authority '\(authority.name)'")
        case .insertCrossMeshAccess(let access, let at):
            let entry = AuthorityState.CrossMeshAccessEntry(
                access: access, revision: state.authority.revision, createdAt: at, modifiedAt: at)
            try insert(entry, at: access.name, \.crossMeshAccesses, "CrossMeshAccess '\(access.name)'")
        case .insertIssuer(let issuer, let key):
            try insert(issuer, at: issuer.id, \.issuers, "issuer '\(issuer.id)'")
            state.issuerKeys[issuer.id] = key
        case .insertMesh(let mesh, let at): try insertMesh(mesh, at: at)
        case .insertMeshIssuer(let mesh, let issuer, let issuerState):
            guard state.authority.meshIssuers[mesh]?[issuer] == nil else {
                throw .conflict(what: "issuer '\(issuer)' of mesh '\(mesh)'")
            }
            try set(issuerState, of: issuer, in: mesh)
        case .insertMeshService(let service, let at):
            let entry = AuthorityState.MeshServiceEntry(
                service: StorableText.storable(service), revision: state.authority.revision, createdAt: at, modifiedAt: at)
            try changeService(service.name, of: service.mesh) { present in
                guard present == nil else { return false }
                present = entry
                return true
            }
        case .insertRotation(let rotation):
            try checkMakesSense(rotation)
            guard !rotations.contains(where: { $0.rotation.id == rotation.id }) else {
                throw .conflict(what: "rotation '\(rotation.id)'")
            }
            rotations.append(AuthorityState.RotationEntry(rotation: rotation, revision: state.authority.revision))
            try checkIsAlone(rotation)
        case .insertRotationEvent(let rotation, let event): insertEvent(event, of: rotation)
        case .insertServiceKey(let name, let key):
            guard state.serviceKeys[name] == nil else { throw .conflict(what: "the service key '\(name)'") }
            state.serviceKeys[name] = key
        case .insertToken(let token):
            guard !tokens.contains(where: { $0.id == token.id }) else { throw .conflict(what: "token '\(token.id)'") }
            tokens.append(StorableText.storable(token))
        case .insertTokenSigningKey(let key):
            guard !state.tokenSigningKeys.contains(where: { $0.id == key.id }) else {
                throw .conflict(what: "the token signing key '\(key.id)'")
            }
            state.tokenSigningKeys.append(key)
        case .recordCertificate(let record): try self.record([record])
        case .replaceCertificateAuthority(let authority, let revision, let at):
            guard var entry = state.authority.certificateAuthorities[authority.name], entry.revision == revision else {
                throw .conflict(what: "certificate authority '\(authority.name)'")
            }
            entry.authority = authority
            entry.revision = state.authority.revision
            entry.modifiedAt = at
            state.authority.certificateAuthorities[authority.name] = entry
        case .replaceCrossMeshAccess(let access, let revision, let at):
            guard var entry = state.authority.crossMeshAccesses[access.name], entry.revision == revision else {
                throw .conflict(what: "CrossMeshAccess '\(access.name)'")
            }
            entry.access = access
            entry.revision = state.authority.revision
            entry.modifiedAt = at
            state.authority.crossMeshAccesses[access.name] = entry
        case .replaceMesh(let mesh, let revision, let at):
            guard var entry = state.authority.meshes[mesh.name], entry.revision == revision,
                entry.mesh.trustDomain == mesh.trustDomain
            else { throw .conflict(what: "mesh '\(mesh.name)'") }
            entry.mesh = mesh
            entry.revision = state.authority.revision
            entry.modifiedAt = at
            state.authority.meshes[mesh.name] = entry
        case .replaceMeshService(let service, let revision, let at):
            let current = state.authority.revision
            try changeService(service.name, of: service.mesh) { entry in
                guard entry?.revision == revision else { return false }
                entry?.service = StorableText.storable(service)
                entry?.revision = current
                entry?.modifiedAt = at
                return true
            }
        case .replaceRotation(let rotation, let revision):
            guard let index = rotations.firstIndex(where: { $0.rotation.id == rotation.id }),
                rotations[index].revision == revision
            else { throw .conflict(what: "rotation '\(rotation.id)'") }
            try checkMakesSense(rotation)
            rotations[index] = AuthorityState.RotationEntry(rotation: rotation, revision: state.authority.revision)
            try checkIsAlone(rotation)
        case .requireLease(let lease): try requireLease(lease, at: now)
        case .resealKey(let row, let sealed, let from): try reseal(row, as: sealed, from: from)
        case .revokeIssuer(let issuer, let at): try revokeIssuer(issuer, at: at)
        case .revokeIdentity(let identity, _): state.authority.revokedIdentities.insert(identity)
        case .revokeToken(let id, let at):
            guard let index = tokens.firstIndex(where: { $0.id == id }) else { throw .conflict(what: "token '\(id)'") }
            tokens[index].revokedAt = tokens[index].revokedAt ?? at
        case .setMeshIssuer(let mesh, let issuer, let issuerState, let from):
            guard state.authority.meshIssuers[mesh]?[issuer] == from else {
                throw .conflict(what: "issuer '\(issuer)' of mesh '\(mesh)'")
            }
            try set(issuerState, of: issuer, in: mesh)
        }
    }

    private mutating func insert<Key, Value>(
        _ value: Value, at key: Key, _ table: WritableKeyPath<AuthorityState, [Key: Value]>, _ what: String
    ) throws(LedgerFailure) {
        guard state.authority[keyPath: table][key] == nil else { throw .conflict(what: what) }
        state.authority[keyPath: table][key] = value
    }

    private mutating func reseal(_ row: SealedKeyRow, as sealed: SealedKey, from: SealedKey) throws(LedgerFailure) {
        switch row {
        case .issuer(let id):
            guard state.issuerKeys[id] == .sealed(from) else { throw .conflict(what: "the key of issuer '\(id)'") }
            state.issuerKeys[id] = .sealed(sealed)
        case .service(let name):
            guard state.serviceKeys[name] == from else { throw .conflict(what: "the service key '\(name)'") }
            state.serviceKeys[name] = sealed
        case .tokenSigning(let id):
            guard let index = state.tokenSigningKeys.firstIndex(where: { $0.id == id && $0.sealedKey == from }) else {
                throw .conflict(what: "the token signing key '\(id)'")
            }
            state.tokenSigningKeys[index].sealedKey = sealed
        }
    }

    /// `change` answers false when the row is not what it must be.
    private mutating func changeService(
        _ name: String, of mesh: MeshName, _ change: (inout AuthorityState.MeshServiceEntry?) -> Bool
    ) throws(LedgerFailure) {
        guard change(&state.authority.meshServices[mesh, default: [:]][name]) else {
            throw .conflict(what: "MeshService '\(name)' of mesh '\(mesh)'")
        }
        if state.authority.meshServices[mesh] == [:] { state.authority.meshServices[mesh] = nil }
    }

    func running(of mesh: MeshName) -> [AuthorityState.RotationEntry] {
        rotations.filter { $0.rotation.phase.isRunning && $0.rotation.meshes.contains(mesh) }
    }

    /// As the database's checks at the end of a transaction that are no foreign keys.
    private func checkFinally(_ write: LedgerWrite) throws(LedgerFailure) {
        switch write {
        case .deleteMesh(let mesh, _, _):
            if !running(of: mesh).isEmpty { throw .conflict(what: "the rotation of mesh '\(mesh)'") }
        case .insertRotation(let rotation):
            if rotation.meshes.contains(where: { state.authority.meshes[$0] == nil }) { throw .conflict(what: "the mesh") }
        case .insertToken(let token):
            if let mesh = token.mesh, state.authority.meshes[mesh] == nil { throw .conflict(what: "the mesh") }
        default: break
        }
    }

    private mutating func set(_ issuerState: IssuerState, of issuer: IssuerID, in mesh: MeshName) throws(LedgerFailure) {
        state.authority.meshIssuers[mesh, default: [:]][issuer] = issuerState
        let active = state.authority.meshIssuers[mesh, default: [:]].values.filter { $0 == .active }
        if active.count > 1 { throw .conflict(what: "the active issuer of mesh '\(mesh)'") }
    }

    private mutating func insertMesh(_ mesh: Mesh, at: Timestamp) throws(LedgerFailure) {
        guard state.authority.meshes[mesh.name] == nil else { throw .conflict(what: "mesh '\(mesh.name)'") }
        if let holder = trustDomains[mesh.trustDomain] {
            guard let freeAt = holder.freeAt, freeAt <= at else {
                throw .conflict(what: "trust domain '\(mesh.trustDomain)'")
            }
        }
        trustDomains[mesh.trustDomain] = Holder(mesh: mesh.name, freeAt: nil)
        state.authority.meshes[mesh.name] = AuthorityState.MeshEntry(
            mesh: mesh, revision: state.authority.revision, createdAt: at, modifiedAt: at)
    }

    private mutating func deleteMesh(
        _ name: MeshName, revision: Int64, freeAt: Timestamp, at: Timestamp
    ) throws(LedgerFailure) {
        guard let entry = state.authority.meshes[name], entry.revision == revision else {
            throw .conflict(what: "mesh '\(name)'")
        }
        trustDomains[entry.mesh.trustDomain]?.freeAt = freeAt
        state.authority.meshes[name] = nil
        state.authority.meshIssuers[name] = nil
        state.authority.meshServices[name] = nil
        state.tokenSigningKeys.removeAll { $0.mesh == name }
        for index in tokens.indices where tokens[index].mesh == name {
            tokens[index].revokedAt = tokens[index].revokedAt ?? at
        }
    }

    private mutating func deleteCertificateAuthority(_ name: String, revision: Int64?) throws(LedgerFailure) {
        guard let entry = state.authority.certificateAuthorities.removeValue(forKey: name),
            revision == nil || revision == entry.revision
        else { throw .conflict(what: "certificate authority '\(name)'") }
        for issuer in state.authority.issuers.values where issuer.certificateAuthority == name {
            state.authority.issuers[issuer.id] = nil
            state.issuerKeys[issuer.id] = nil
            for (mesh, issuers) in state.authority.meshIssuers {
                guard let issuerState = issuers[issuer.id] else { continue }
                if mesh == entry.authority.owner || !issuerState.isBound {
                    state.authority.meshIssuers[mesh]?[issuer.id] = nil
                }
            }
        }
        state.authority.meshIssuers = state.authority.meshIssuers.filter { !$0.value.isEmpty }
    }

    /// As the database's deferred foreign keys: at the end of the transaction.
    private func checkReferences() throws(LedgerFailure) {
        for issuer in state.authority.issuers.values
        where state.authority.certificateAuthorities[issuer.certificateAuthority] == nil {
            throw .conflict(what: "the certificate authority of an issuer")
        }
        for (mesh, issuers) in state.authority.meshIssuers {
            if state.authority.meshes[mesh] == nil { throw .conflict(what: "the mesh") }
            if issuers.keys.contains(where: { state.authority.issuers[$0] == nil }) {
                throw .conflict(what: "an issuer of a mesh")
            }
        }
        for mesh in state.authority.meshServices.keys where state.authority.meshes[mesh] == nil {
            throw .conflict(what: "the mesh")
        }
        for access in state.authority.crossMeshAccesses.values.map(\.access)
        where [access.from.mesh, access.to.mesh].contains(where: { state.authority.meshes[$0] == nil }) {
            throw .conflict(what: "a mesh of a CrossMeshAccess")
        }
        if rotationEvents.keys.contains(where: { id in !rotations.contains { $0.rotation.id == id } }) {
            throw .conflict(what: "the rotation of an event")
        }
        for case let mesh? in state.tokenSigningKeys.map(\.mesh) where state.authority.meshes[mesh] == nil {
            throw .conflict(what: "the mesh")
        }
    }
}
