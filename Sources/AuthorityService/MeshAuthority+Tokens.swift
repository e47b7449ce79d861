internal import Authority
import Foundation
import JWTKit
internal import Logging
package import PKI
internal import PKICrypto

extension MeshAuthority {
    /// Who comes with an admin token; a refusal is counted, logged and audited.
    package nonisolated func administrator(
        token: String?, source: String, requestID: String
    ) async throws(AuthorityError) -> Administrator {
        let snapshot = try snapshot
        let key = LimitKey(token)
        try admitted { () throws(LimitRefusal) in try admission.admitCredentials(token == nil ? nil : key, from: source) }
        let refusal: Refusal
        if let token {
            do {
                let claims = try await snapshot.administratorClaims(of: token, at: clock.now)
                // Of a mesh that was deleted and made again since, the name is another's.
                let state = snapshot.authority
                let meshes = claims.meshes.map { names in
                    Set(names.compactMap { try? MeshName($0) }).filter { name in
                        state.meshes[name].map { $0.createdAt.seconds <= claims.iat } ?? false
                    }
                }
                admission.credentialsAccepted(key)
                return Administrator(
                    name: claims.sub, roles: Set(claims.roles), meshes: meshes, source: source, requestID: requestID,
                    tokenID: claims.jti)
            } catch {
                refusal = error
            }
        } else {
            refusal = .tokenInvalid(detail: "there is none: send 'Authorization: Bearer' with an admin token")
        }
        note(refusal, source: source, requestID: requestID)
        admission.credentialsRefused(key, from: source)
        throw .refused(refusal)
    }

    /// A dataplane token: refused unless its tags give an identity that the mesh admits.
    package func issueDataplaneToken(
        _ request: DataplaneTokenRequest, by administrator: Administrator
    ) async throws(AuthorityError) -> String {
        let now = clock.now
        try confirm(administrator, reaches: request.mesh)
        guard let mesh = state.meshes[request.mesh]?.mesh else { throw .notFound(kind: "mesh", name: request.mesh.name) }
        try MeshAuthority.checkName(request.name)
        try MeshAuthority.checkTags(request.tags)
        let identity: SPIFFEID
        do {
            identity = try mesh.identityPath.identity(in: mesh.trustDomain, tags: request.tags)
        } catch {
            throw .invalid([InvalidParameter(field: "tags", reason: error.description)])
        }
        if let violation = mesh.membership.refusal(of: request.tags) {
            throw refuse(.membership(violation), administrator, mesh: mesh.name)
        }
        guard !state.revokedIdentities.contains(identity) else {
            throw refuse(.identityRevoked(identity), administrator, mesh: mesh.name)
        }
        let lifetime = try lifetime(request.validFor, otherwise: settings.dataplaneTokenLifetime)
        let id = MeshAuthority.newTokenID()
        let payload = DataplaneTokenPayload(
            mesh: mesh.name.name, name: request.name, tags: request.tags, jti: id, iat: now.seconds, nbf: now.seconds,
            exp: (now + lifetime).seconds)
        let token = try await sign(payload, mesh: mesh.name)
        let record = TokenRecord(
            id: id, kind: .dataplane, mesh: mesh.name, name: request.name, tags: request.tags, roles: [],
            identity: identity, digest: Fingerprint(sha256: Digest.sha256(Array(token.utf8))), issuedAt: now,
            expiresAt: Timestamp(seconds: payload.exp))
        try await commit(
            [.insertToken(record)], administrator, action: "dataplane-token-issued", mesh: mesh.name, object: id,
            details: ["identity": identity.uri, "expires": record.expiresAt.iso8601])
        return token
    }

    /// An admin token. Only whoever may do all may hand roles out, which the doors see to.
    package func issueUserToken(
        _ request: UserTokenRequest, by administrator: Administrator
    ) async throws(AuthorityError) -> String {
        let now = clock.now
        try confirmUnlimited(administrator, for: "admin tokens")
        let unknown = (request.meshes ?? []).filter { state.meshes[$0] == nil }.map(\.name).sorted()
        guard unknown.isEmpty else {
            throw .invalid([InvalidParameter(field: "meshes", reason: "there is no mesh '\(unknown[0])': apply it first")])
        }
        guard request.meshes?.isEmpty != true else {
            throw .invalid([InvalidParameter(field: "meshes", reason: "must not be empty: leave it out for all meshes")])
        }
        guard !request.name.isEmpty else { throw .invalid([InvalidParameter(field: "name", reason: "must not be empty")]) }
        try MeshAuthority.checkName(request.name)
        guard !request.roles.isEmpty else {
            throw .invalid([InvalidParameter(field: "roles", reason: "must name at least one of admin, operator, viewer")])
        }
        let lifetime = try lifetime(request.validFor, otherwise: settings.userTokenLifetime)
        let id = MeshAuthority.newTokenID()
        let payload = UserTokenPayload(
            sub: request.name, roles: request.roles.sorted { $0.rawValue < $1.rawValue },
            meshes: request.meshes?.map(\.name).sorted(), jti: id,
            iat: now.seconds, nbf: now.seconds, exp: (now + lifetime).seconds)
        let token = try await sign(payload, mesh: nil)
        let record = TokenRecord(
            id: id, kind: .user, mesh: nil, name: request.name, tags: [:], roles: payload.roles.map(\.rawValue),
            identity: nil, digest: Fingerprint(sha256: Digest.sha256(Array(token.utf8))), issuedAt: now,
            expiresAt: Timestamp(seconds: payload.exp), meshes: request.meshes?.sorted())
        try await commit(
            [.insertToken(record)], administrator, action: "user-token-issued", mesh: nil, object: id,
            details: [
                "name": request.name, "roles": record.roles.joined(separator: " "),
                "meshes": payload.meshes?.joined(separator: " ") ?? "all",
            ])
        return token
    }

    /// From now on the token opens nothing, and the streams that it opened end.
    package func revokeToken(_ id: String, by administrator: Administrator) async throws(AuthorityError) {
        let record: TokenRecord?
        do { record = try await ledger.token(id) } catch { throw .ledger(error) }
        guard let record else { throw .notFound(kind: "token", name: LogText.escaped(id)) }
        // Whoever may not hand out a role may not take it away either.
        guard record.kind == .dataplane || administrator.roles.contains(.admin) else {
            throw refuse(.role(needed: AdministratorRole.admin.rawValue), administrator, mesh: nil)
        }
        if let mesh = record.mesh {
            try confirm(administrator, reaches: mesh)
        } else {
            try confirmUnlimited(administrator, for: "admin tokens")
        }
        try await commit(
            [.revokeToken(id: id, at: clock.now)], administrator, action: "token-revoked", mesh: record.mesh, object: id,
            token: record)
        try await takeUp()
    }

    /// From now on nobody is this identity, whatever token or certificate is shown.
    package func revokeIdentity(_ identity: SPIFFEID, by administrator: Administrator) async throws(AuthorityError) {
        guard let mesh = state.mesh(of: identity.trustDomain) else {
            try confirmUnlimited(administrator, for: "a trust domain of no mesh")
            throw .notFound(kind: "trust domain", name: identity.trustDomain.name)
        }
        try confirm(administrator, reaches: mesh.name)
        try await commit(
            [.revokeIdentity(identity, at: clock.now)], administrator, action: "identity-revoked", mesh: mesh.name,
            object: identity.uri)
        try await takeUp()
    }

    /// Signs with the newest key for the mesh, or for admin tokens.
    private func sign(_ payload: some JWTPayload, mesh: MeshName?) async throws(AuthorityError) -> String {
        guard let key = try snapshot.signingKeys[mesh] else {
            throw .notFound(kind: "token signing key of mesh", name: mesh?.name ?? "")
        }
        let secret = try await ServiceKeys.open(key.sealedKey, owner: ServiceKeys.tokenOwner, name: key.id, with: keyRing)
        do {
            let pem = try PrivateKey(pkcs8: secret).pkcs8PEM()
            let signing = try ES256PrivateKey(pem: pem.withUnsafeBytes { Data($0) })
            let kid = JWKIdentifier(string: key.id)
            return try await JWTKeyCollection().add(ecdsa: signing, kid: kid).sign(payload, kid: kid)
        } catch {
            throw .crypto(detail: "signing a token: \(error)")
        }
    }

    /// Commits with the audit entry of the act; returns the revision that the changed rows now have. `token` is the one that is
    /// revoked, for the entry.
    @discardableResult
    func commit(
        _ writes: [LedgerWrite], _ administrator: Administrator, action: String, mesh: MeshName?, object: String,
        details: [String: String] = [:], token: TokenRecord? = nil
    ) async throws(AuthorityError) -> Int64 {
        let entry = AuditEntry(
            at: clock.now, actor: administrator.auditName, source: administrator.source, action: action, mesh: mesh,
            object: object, details: details, requestID: administrator.requestID
        ).with(AuditDocuments(of: writes, in: state, token: token))
        let revision: Int64
        try await confirmWritable()
        Failpoint.pass("before-commit:\(action)")
        do {
            revision = try await ledger.commit(LedgerTransaction(writes: writes, audit: entry, after: outage.position))
        } catch {
            // Which doubt it is, every door is to know.
            if case .behind = error { await catchUp() }
            throw .ledger(error)
        }
        Failpoint.pass("after-commit:\(action)")
        logger.info(
            "\(action)",
            metadata: ["actor": "\(entry.actor)", "object": "\(LogText.escaped(object))", "mesh": "\(mesh?.name ?? "")"])
        return revision
    }

    /// Refuses an administrator whose roles hold for other meshes only.
    nonisolated func confirm(_ administrator: Administrator, reaches mesh: MeshName) throws(AuthorityError) {
        guard !administrator.reaches(mesh) else { return }
        throw refuse(.meshOutOfScope(what: "mesh '\(mesh)'"), administrator, mesh: mesh)
    }

    /// Refuses an administrator whose roles hold for named meshes only: `what` is of no mesh.
    nonisolated func confirmUnlimited(_ administrator: Administrator, for what: String) throws(AuthorityError) {
        guard administrator.meshes != nil else { return }
        throw refuse(.meshOutOfScope(what: what), administrator, mesh: nil)
    }

    nonisolated func refuse(
        _ refusal: Refusal, _ administrator: Administrator, mesh: MeshName?
    ) -> AuthorityError {
        note(
            refusal, actor: administrator.auditName, mesh: mesh, source: administrator.source,
            requestID: administrator.requestID)
        return .refused(refusal)
    }

    private func lifetime(_ asked: Duration?, otherwise: Duration) throws(AuthorityError) -> Duration {
        let lifetime = asked ?? otherwise
        // A token of less than a second is expired before it is printed.
        guard lifetime >= .seconds(1) else {
            throw .invalid([InvalidParameter(field: "validFor", reason: "must be at least 1s")])
        }
        guard lifetime <= settings.maximumTokenLifetime else {
            let days = settings.maximumTokenLifetime.components.seconds / 86_400
            throw .invalid([InvalidParameter(field: "validFor", reason: "must be at most \(days)d")])
        }
        return lifetime
    }

    private static func newTokenID() -> String { Hex.encode(SecureRandom.bytes(16)) }

    /// Names of proxies and users stand in logs, tables and audit rows.
    private static func checkName(_ name: String) throws(AuthorityError) {
        guard name.utf8.count <= 253, name == LogText.escaped(name) else {
            throw .invalid([
                InvalidParameter(field: "name", reason: "must be at most 253 bytes without control characters")
            ])
        }
    }

    private static func checkTags(_ tags: [String: [String]]) throws(AuthorityError) {
        // Kuma's limits: a handful of tags with a few values; the token must fit a header.
        guard tags.count <= 40, tags.values.allSatisfy({ $0.count <= 40 }) else {
            throw .invalid([InvalidParameter(field: "tags", reason: "must be at most 40, with at most 40 values each")])
        }
        for (tag, values) in tags {
            guard !values.isEmpty, !values.contains("") else {
                throw .invalid([
                    InvalidParameter(field: "tags.\(LogText.escaped(tag))", reason: "must have a value, and no empty one")
                ])
            }
            guard ([tag] + values).allSatisfy({ $0.utf8.count <= 253 && $0 == LogText.escaped($0) }) else {
                throw .invalid([
                    InvalidParameter(
                        field: "tags.\(LogText.escaped(tag))",
                        reason: "names and values must be at most 253 bytes without control characters")
                ])
            }
        }
    }
}
