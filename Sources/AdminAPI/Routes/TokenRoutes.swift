internal import AdminWire
internal import AuthorityService
internal import PKI

/// Tokens: issued as bare text, listed without themselves, revoked for good.
struct TokenRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/tokens", .administrator(.viewer), scope: .filtered, query: ["mesh"], isPaged: true, handle: list),
            AdminRoute(
                .post, "/tokens/dataplane", .administrator(.operator), scope: .filtered, body: .document,
                handle: issueDataplaneToken),
            // Whoever may make a token of any role has every role: for admins of all meshes alone.
            AdminRoute(.post, "/tokens/user", .administrator(.admin), scope: .allMeshes, body: .document, handle: issueUserToken),
            // A token's id does not say whose it is; `/tokens` of a mesh shows which of its tokens are revoked.
            AdminRoute(
                .get, "/tokens/revocations", .administrator(.viewer), scope: .allMeshes, isPaged: true,
                handle: listRevocations),
            AdminRoute(
                .post, "/tokens/revocations", .administrator(.operator), scope: .filtered, body: .document, handle: revoke),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let paging = try Paging(request)
        let mesh = try request.meshFilter(in: authority.state)
        let page = try await authority.tokens(TokenQuery(mesh: mesh, cursor: try paging.cursor(), size: paging.size))
        return try .json(paging.listing(page, request) { TokenMessage($0) })
    }

    private func issueDataplaneToken(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let message = try request.message { node throws(DocumentError) in try DataplaneTokenMessage(node) }
        try request.requireReach(message.mesh)
        let token = try await authority.issueDataplaneToken(
            DataplaneTokenRequest(
                mesh: try authority.state.entry(named: message.mesh).mesh.name, name: message.name ?? "", tags: message.tags,
                validFor: try duration(message.validFor)),
            by: administrator)
        return .text(token)
    }

    private func issueUserToken(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let message = try request.message { node throws(DocumentError) in try UserTokenMessage(node) }
        var roles: Set<AdministratorRole> = []
        for (index, text) in message.roles.enumerated() {
            guard let role = AdministratorRole(rawValue: text) else {
                let known = AdministratorRole.allCases.map(\.rawValue).joined(separator: ", ")
                throw AdminError.invalid([
                    .init(field: "roles[\(index)]", reason: "'\(DocumentNode.excerpt(of: text))' must be one of \(known)")
                ])
            }
            roles.insert(role)
        }
        let token = try await authority.issueUserToken(
            UserTokenRequest(
                name: message.name, roles: roles, meshes: try meshes(message.meshes),
                validFor: try duration(message.validFor)),
            by: administrator)
        return .text(token)
    }

    /// The meshes that the roles hold for; nil: all.
    private func meshes(_ texts: [String]?) throws(AdminError) -> Set<MeshName>? {
        guard let texts else { return nil }
        var meshes: Set<MeshName> = []
        for (index, text) in texts.enumerated() {
            do {
                meshes.insert(try MeshName(text))
            } catch {
                throw .invalid([
                    .init(field: "meshes[\(index)]", reason: "'\(DocumentNode.excerpt(of: text))' \(error)")
                ])
            }
        }
        return meshes
    }

    private func listRevocations(_ request: AdminRequest) async throws -> AdminResponse {
        let state = authority.state
        let revocations =
            state.revokedIdentities.map { RevocationMessage(identity: $0.uri) }
            + state.revokedTokens.map { RevocationMessage(token: $0) }
        let key = { (revocation: RevocationMessage) in
            revocation.identity.map { "identity \($0)" } ?? "token \(revocation.token ?? "")"
        }
        return try .json(
            try Paging(request).page(of: revocations.sorted { key($0) < key($1) }, key: key, request) { $0 })
    }

    private func revoke(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let message = try request.message { node throws(DocumentError) in try RevocationMessage(node) }
        if let token = message.token { try await authority.revokeToken(token, by: administrator) }
        if let text = message.identity {
            let identity: SPIFFEID
            do {
                identity = try SPIFFEID(text)
            } catch {
                throw AdminError.invalid([.init(field: "identity", reason: "is not a SPIFFE ID: \(error)")])
            }
            try await authority.revokeIdentity(identity, by: administrator)
        }
        return try .json(ChangeMessage())
    }

    private func duration(_ text: String?) throws(AdminError) -> Duration? {
        guard let text else { return nil }
        do {
            return try WireDuration(text).duration
        } catch {
            throw .invalid([.init(field: "validFor", reason: "\(error)")])
        }
    }
}
