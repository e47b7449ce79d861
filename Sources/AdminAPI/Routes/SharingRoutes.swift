internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

/// Who shares a certificate authority: a mesh joins by PUT, and leaves by DELETE.
struct SharingRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        let (all, one) = ("/certificate-authorities/{ca}/meshes", "/certificate-authorities/{ca}/meshes/{mesh}")
        return [
            AdminRoute(.get, all, .administrator(.viewer), scope: .filtered, isPaged: true, handle: list),
            AdminRoute(.get, one, .administrator(.viewer), scope: .meshInPath, handle: read),
            AdminRoute(.put, one, .administrator(.admin), scope: .meshInPath, query: ["dryRun"], handle: share),
            AdminRoute(.delete, one, .administrator(.admin), scope: .meshInPath, query: ["dryRun"], handle: unshare),
        ]
    }

    private func list(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        let name = try request.certificateAuthority(in: state).authority.name
        let users = state.users(of: name).filter(request.reaches).compactMap { state.meshes[$0] }
        return .json(try Paging(request).documents(of: users, key: \.mesh.name.name, request) { try $0.json(in: state) })
    }

    /// The mesh's document, where it has the certificate authority enabled.
    private func read(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        let name = try request.certificateAuthority(in: state).authority.name
        let entry = try state.entry(named: request.parameter("mesh"))
        guard entry.mesh.enabledAuthority == name else {
            throw AuthorityError.notFound(kind: "member of the CA '\(name)' named", name: entry.mesh.name.name)
        }
        return .json(try entry.json(in: state), entityTag: Precondition.entityTag(entry.revision))
    }

    private func share(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let isDryRun = try request.flag("dryRun")
        let state = authority.state
        let entry = try state.entry(named: request.parameter("mesh"))
        let name = request.parameter("ca")
        let what = membership(of: entry, in: name)
        let revision = try Precondition.revision(request.headers, current: entry.revision(sharing: name), what: what)
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.share(name, with: entry.mesh.name, isDryRun: isDryRun, by: administrator)
        }
        // Created is its membership, not the mesh.
        return try .changed(outcome, from: state, isDryRun: isDryRun, reach: request.reach)
    }

    private func unshare(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let isDryRun = try request.flag("dryRun")
        let state = authority.state
        let entry = try state.entry(named: request.parameter("mesh"))
        let name = request.parameter("ca")
        let what = membership(of: entry, in: name)
        var revision: Int64?
        // Where there is no membership, the authority says so, and why.
        if let current = entry.revision(sharing: name) {
            revision = try Precondition.revision(request.headers, current: current, what: what)
        }
        let outcome = try await Precondition.changing(what, from: revision) { () async throws(AuthorityError) in
            try await authority.unshare(name, from: entry.mesh.name, isDryRun: isDryRun, by: administrator)
        }
        return try .changed(outcome, from: state, isDryRun: isDryRun, reach: request.reach)
    }

    /// What a precondition is about.
    private func membership(of entry: AuthorityState.MeshEntry, in certificateAuthority: String) -> String {
        "membership of mesh '\(entry.mesh.name)' in the CA '\(DocumentNode.excerpt(of: certificateAuthority))'"
    }
}

extension AuthorityState.MeshEntry {
    /// What the ETag of the membership says: the mesh's own revision; nil where the mesh is no member.
    fileprivate func revision(sharing certificateAuthority: String) -> Int64? {
        mesh.enabledAuthority == certificateAuthority ? revision : nil
    }
}
