package import Authority
package import PKI

extension MeshAuthority {
    /// Names the identities of a mesh behind a selector, for `…:service:<name>`; the contexts that pin it follow within a push.
    package func put(
        _ service: MeshService, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) -> PutOutcome {
        try confirm(administrator, reaches: service.mesh)
        if self.state.meshes[service.mesh] == nil { try await refresh() }
        let state = state
        guard state.meshes[service.mesh] != nil else {
            throw .invalid([
                InvalidParameter(field: "mesh", reason: "there is no mesh '\(service.mesh)': apply it first")
            ])
        }
        guard DNSLabel.isValid(service.name) else {
            throw .invalid([
                InvalidParameter(
                    field: "name",
                    reason: "must be a DNS label: 1 to 63 lower-case letters, digits or hyphens, not beginning or ending with "
                        + "a hyphen")
            ])
        }
        guard !service.selector.isEmpty else {
            throw .invalid([
                InvalidParameter(
                    field: "spec.selector.dataplaneTags", reason: "must not be empty: a service of everybody pins nobody")
            ])
        }
        let current = state.meshServices[service.mesh]?[service.name]
        try MeshAuthority.confirm(ifMatch, current: current?.revision, of: "MeshService '\(service.name)'")
        if let current, current.service == service { return .replaced(revision: current.revision) }
        let now = clock.now
        let write: LedgerWrite =
            if let current {
                .replaceMeshService(service, revision: current.revision, at: now)
            } else {
                .insertMeshService(service, at: now)
            }
        let revision = try await commit(
            [write], administrator, action: current == nil ? "mesh-service-created" : "mesh-service-replaced",
            mesh: service.mesh, object: service.name,
            details: ["selector": service.selector.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: " ")])
        try await takeUp()
        return current == nil ? .created(revision: revision) : .replaced(revision: revision)
    }

    package func delete(
        meshService name: String, in mesh: MeshName, ifMatch: Int64?, by administrator: Administrator
    ) async throws(AuthorityError) {
        try confirm(administrator, reaches: mesh)
        guard let current = state.meshServices[mesh]?[name] else {
            throw .notFound(kind: "MeshService", name: LogText.escaped(name))
        }
        try MeshAuthority.confirm(ifMatch, current: current.revision, of: "MeshService '\(name)'")
        try await commit(
            [.deleteMeshService(mesh, name: name, revision: current.revision)], administrator,
            action: "mesh-service-deleted", mesh: mesh, object: name)
        try await takeUp()
    }
}
