internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird
internal import PKI

/// Certificate authorities and their roots: certificates and figures, never a key.
struct CertificateAuthorityRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        let (all, one) = ("/certificate-authorities", "/certificate-authorities/{ca}")
        return [
            AdminRoute(.get, all, .administrator(.viewer), scope: .filtered, isPaged: true, handle: list),
            AdminRoute(.get, one, .administrator(.viewer), scope: .filtered, handle: read),
            AdminRoute(
                .put, one, .administrator(.admin), scope: .allMeshes, body: .document, query: ["dryRun"], handle: write),
            AdminRoute(.delete, one, .administrator(.admin), scope: .allMeshes, handle: delete),
            AdminRoute(
                .get, one + "/issuers", .administrator(.viewer), scope: .filtered, isPaged: true, handle: listIssuers),
            AdminRoute(.get, one + "/issuers/{id}", .administrator(.viewer), scope: .filtered, handle: readIssuer),
            AdminRoute(
                .post, one + "/issuers/{id}/revoke", .administrator(.operator), scope: .filtered, body: .document,
                handle: revokeIssuer),
        ]
    }

    private func list(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        let entries = state.certificateAuthorities.values
            .filter { request.reaches($0.authority, in: state) }.sorted { $0.authority.name < $1.authority.name }
        return try .json(
            try Paging(request).page(of: entries, key: \.authority.name, request) {
                CertificateAuthorityMessage($0, in: state, reach: request.reach)
            })
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let state = authority.state
        let entry = try request.certificateAuthority(in: state)
        let heldBy = entry.authority.isAutomaticHeld ? await abortedRotation(of: entry.authority.name) : nil
        return try .json(
            CertificateAuthorityMessage(entry, in: state, heldBy: heldBy, reach: request.reach),
            entityTag: Precondition.entityTag(entry.revision))
    }

    /// The newest of its rotations that was aborted. What the ledger cannot say now is left out: the rest is known without it.
    private func abortedRotation(of name: String) async -> String? {
        let newest = try? await authority.rotations(RotationQuery(certificateAuthority: name, size: 100))
        return newest?.items.map(\.rotation).first { $0.kind == .replace && $0.phase == .aborted }?.id
    }

    private func write(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let isDryRun = try request.flag("dryRun")
        let name = request.parameter("ca")
        let document = try request.message { node throws(DocumentError) in try CertificateAuthorityDocument(node) }
        try AdminError.confirm("name", path: name, body: document.name)
        let state = authority.state
        let current = state.certificateAuthorities[name]
        let root = try document.providedRoot()
        let what = "certificate authority '\(name)'"
        let revision = try Precondition.revision(request.headers, current: current?.revision, what: what)
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.put(
                CertificateAuthority(document, keyStore: current?.authority.keyStore), meshes: document.meshes, root: root,
                isDryRun: isDryRun, ifMatch: revision, by: administrator)
        }
        return try .changed(outcome, document, from: state, isDryRun: isDryRun)
    }

    private func delete(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let entry = try request.certificateAuthority(in: authority.state)
        let what = "certificate authority '\(entry.authority.name)'"
        let revision = try Precondition.revision(request.headers, current: entry.revision, what: what)
        try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.delete(certificateAuthority: entry.authority.name, ifMatch: revision, by: administrator)
        }
        return try .json(ChangeMessage())
    }

    private func listIssuers(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        let name = try request.certificateAuthority(in: state).authority.name
        let issuers = state.issuers.values.filter { $0.certificateAuthority == name }.sorted { $0.id < $1.id }
        return try .json(
            try Paging(request).page(of: issuers, key: \.id.text, request) {
                IssuerMessage($0, in: state, reach: request.reach)
            })
    }

    private func readIssuer(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        return try .json(IssuerMessage(try issuer(request, in: state), in: state, reach: request.reach))
    }

    private func revokeIssuer(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let message = try request.message { node throws(DocumentError) in try IssuerRevocationRequest(node) }
        let state = authority.state
        let name = try request.certificateAuthority(in: state).authority.name
        try request.requireReach(ofAll: state.concerned(by: name))
        let issuer = try issuer(request, in: state)
        let outcome = try await authority.revoke(
            issuer: issuer.id, of: name, reason: message.reason, root: try message.root?.provided(), by: administrator)
        return try .json(
            IssuerRevocationMessage(
                revoked: outcome.revoked.map(\.text), newIssuer: outcome.newIssuer?.text, rotation: outcome.rotation?.id,
                warnings: outcome.warnings))
    }

    /// The issuer that the path names, of the certificate authority that it names.
    private func issuer(_ request: AdminRequest, in state: AuthorityState) throws -> Issuer {
        let name = try request.certificateAuthority(in: state).authority.name
        guard let issuer = IssuerID(request.parameter("id")).flatMap({ state.issuers[$0] }),
            issuer.certificateAuthority == name
        else { throw AuthorityError.notFound(kind: "issuer", name: DocumentNode.excerpt(of: request.parameter("id"))) }
        return issuer
    }
}

extension AdminRequest {
    /// The certificate authority that the path names; one of other meshes looks to a limited administrator as one that is not
    /// there.
    func certificateAuthority(in state: AuthorityState) throws -> AuthorityState.CertificateAuthorityEntry {
        let name = parameter("ca")
        guard let found = state.certificateAuthorities[name] else {
            try requireReach(ofAny: [])
            throw AuthorityError.notFound(kind: "certificate authority", name: DocumentNode.excerpt(of: name))
        }
        guard reaches(found.authority, in: state) else { throw AdminRequest.outOfScope("none of them") }
        return found
    }

    /// Whether one of the asker's meshes owns the certificate authority, names it in a backend, or is bound to a root of it.
    func reaches(_ authority: CertificateAuthority, in state: AuthorityState) -> Bool {
        guard reach != nil else { return true }
        return authority.owner.map(reaches) ?? state.dependents(of: authority.name).contains(where: reaches)
    }
}
