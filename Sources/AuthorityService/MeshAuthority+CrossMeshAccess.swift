package import Authority
internal import PKI

extension MeshAuthority {
    /// Opens a door between two meshes, or makes it be as `access` says; the contexts that it changes follow within a push.
    ///
    /// `ifMatch` is the revision that the client read; 0 means "only if there is none".
    package func put(
        _ access: CrossMeshAccess, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) -> PutOutcome {
        for mesh in [access.from.mesh, access.to.mesh] { try confirm(administrator, reaches: mesh) }
        // Another replica may have made the mesh a moment ago: one more look, before it is called unknown.
        if [access.from.mesh, access.to.mesh].contains(where: { state.meshes[$0] == nil }) { try await refresh() }
        let problems = state.problems(of: access)
        guard problems.isEmpty else { throw .invalid(problems) }
        let current = state.crossMeshAccesses[access.name]
        if let side = current?.access {
            for mesh in [side.from.mesh, side.to.mesh] { try confirm(administrator, reaches: mesh) }
        }
        try MeshAuthority.confirm(ifMatch, current: current?.revision, of: "CrossMeshAccess '\(access.name)'")
        if let current, current.access == access { return .replaced(revision: current.revision) }
        let now = clock.now
        let write: LedgerWrite =
            if let current {
                .replaceCrossMeshAccess(access, revision: current.revision, at: now)
            } else {
                .insertCrossMeshAccess(access, at: now)
            }
        let revision = try await commit(
            [write], administrator, action: current == nil ? "cross-mesh-access-created" : "cross-mesh-access-replaced",
            mesh: access.to.mesh, object: access.name, details: access.auditDetails)
        try await takeUp()
        return current == nil ? .created(revision: revision) : .replaced(revision: revision)
    }

    /// Shuts the door: whom it admitted is out of every context within a push.
    package func delete(
        crossMeshAccess name: String, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) {
        guard let current = state.crossMeshAccesses[name] else {
            throw .notFound(kind: "CrossMeshAccess", name: LogText.escaped(name))
        }
        for mesh in [current.access.from.mesh, current.access.to.mesh] { try confirm(administrator, reaches: mesh) }
        try MeshAuthority.confirm(ifMatch, current: current.revision, of: "CrossMeshAccess '\(name)'")
        try await commit(
            [.deleteCrossMeshAccess(name: name, revision: current.revision)], administrator,
            action: "cross-mesh-access-deleted", mesh: current.access.to.mesh, object: name,
            details: current.access.auditDetails)
        try await takeUp()
    }
}

extension AuthorityState {
    /// The names of the doors from or to `mesh`, sorted.
    func doors(of mesh: MeshName) -> [String] {
        crossMeshAccesses.values.map(\.access).filter { $0.from.mesh == mesh || $0.to.mesh == mesh }.map(\.name).sorted()
    }

    /// Everything about `access` that cannot be what it is, by field.
    fileprivate func problems(of access: CrossMeshAccess) -> [InvalidParameter] {
        var problems: [InvalidParameter] = []
        if !DNSLabel.isValid(access.name) {
            problems.append(
                InvalidParameter(
                    field: "name",
                    reason: "must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with "
                        + "a hyphen"))
        }
        for (field, side) in [("from", access.from), ("to", access.to)] {
            if meshes[side.mesh] == nil {
                problems.append(
                    InvalidParameter(field: "\(field).mesh", reason: "there is no mesh '\(side.mesh)': apply it first"))
            }
            problems += AuthorityState.problems(of: side.services, field: "\(field).services")
        }
        if access.from.mesh == access.to.mesh {
            problems.append(
                InvalidParameter(
                    field: "to.mesh",
                    reason: "must be another mesh than from.mesh: within one mesh every proxy accepts every other already"))
        }
        return problems
    }

    /// The bounds are those of a tag's value, which is what a service is: a name beyond them is nobody's.
    private static func problems(of services: [String]?, field: String) -> [InvalidParameter] {
        guard let services else { return [] }
        guard !services.isEmpty else {
            return [InvalidParameter(field: field, reason: "must not be empty: leave `services` out for all services")]
        }
        return services.enumerated().filter { $1.isEmpty || $1.utf8.count > 253 || $1 != LogText.escaped($1) }
            .map { index, _ in
                InvalidParameter(
                    field: "\(field)[\(index)]", reason: "must be 1 to 253 bytes without control characters")
            }
    }
}

extension CrossMeshAccess {
    /// Who was let in where, for the audit trail.
    fileprivate var auditDetails: [String: String] {
        var details = ["from": from.mesh.name, "to": to.mesh.name]
        if let services = from.services { details["from-services"] = services.joined(separator: " ") }
        if let services = to.services { details["to-services"] = services.joined(separator: " ") }
        return details
    }
}
