import AdminWire

extension PolicyDocument {
    /// Where the document is in the admin API.
    var path: String {
        switch self {
        case .certificateAuthority(let document): AuthorityCommand.path(document.name)
        case .crossMeshAccess(let document): "/cross-mesh-accesses/" + PathText.segment(document.name)
        case .mesh(let document): "/meshes/" + PathText.segment(document.name.name)
        case .meshService(let document):
            "/meshes/\(PathText.segment(document.mesh.name))/meshservices/" + PathText.segment(document.name)
        }
    }

    /// What it is, for people.
    var title: String {
        switch self {
        case .certificateAuthority(let document): "certificate authority '\(document.name)'"
        case .crossMeshAccess(let document): "CrossMeshAccess '\(document.name)'"
        case .mesh(let document): "mesh '\(document.name)'"
        case .meshService(let document): "MeshService '\(document.mesh)/\(document.name)'"
        }
    }

    /// The documents that must be there before this one, by their titles.
    var dependencies: [String] {
        func mesh(_ name: some CustomStringConvertible) -> String { "mesh '\(name)'" }
        switch self {
        case .certificateAuthority(let document): return document.meshes.map(mesh)
        case .crossMeshAccess(let document): return [mesh(document.from.mesh), mesh(document.to.mesh)]
        case .mesh(let document):
            return (document.mtls?.backends ?? []).compactMap { backend in
                if case .shared(let authority) = backend.kind { "certificate authority '\(authority)'" } else { nil }
            }
        case .meshService(let document): return [mesh(document.mesh)]
        }
    }
}
