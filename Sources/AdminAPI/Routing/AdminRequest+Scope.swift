internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

extension Administrator {
    /// Why the route is not this administrator's, whatever stands in the request; nil where the handler has the last word.
    func refusal(of route: AdminRoute, parameters: [String: String]) -> Refusal? {
        guard meshes != nil else { return nil }
        switch route.scope {
        case .allMeshes: return .meshOutOfScope(what: "more than them")
        case .filtered: return nil
        case .meshInPath:
            // A text that cannot be a name is nobody's mesh.
            guard let text = parameters["mesh"], let mesh = try? MeshName(text), reaches(mesh) else {
                return .meshOutOfScope(what: "another one")
            }
            return nil
        }
    }
}

extension AdminRequest {
    /// The meshes that the asker's roles hold for; nil: all.
    var reach: Set<MeshName>? {
        switch asker {
        case .administrator(let administrator): administrator.meshes
        case .proxy(_, let mesh): [mesh]
        }
    }

    /// Whether the asker's roles hold for `mesh`.
    func reaches(_ mesh: MeshName) -> Bool { reach?.contains(mesh) ?? true }

    /// Throws where the asker's roles do not hold for the mesh that `text` would name: before anybody says whether there is one.
    func requireReach(_ text: String) throws(AdminError) {
        guard reach != nil else { return }
        guard let mesh = try? MeshName(text), reaches(mesh) else { throw AdminRequest.outOfScope("another one") }
    }

    /// Throws where the asker's roles hold for none of `meshes`: something that concerns others alone looks to a limited
    /// administrator as what does not exist.
    func requireReach(ofAny meshes: some Sequence<MeshName>) throws(AdminError) {
        guard reach == nil || meshes.contains(where: reaches) else { throw AdminRequest.outOfScope("none of them") }
    }

    /// Throws unless the asker's roles hold for every one of `meshes`; what is of no mesh is of all of them.
    func requireReach(ofAll meshes: some Collection<MeshName>) throws(AdminError) {
        guard reach != nil else { return }
        try requireReach(ofAny: meshes)
        guard meshes.allSatisfy(reaches) else { throw AdminRequest.outOfScope("others too") }
    }

    /// The mesh of `?mesh=`, by which a list that the ledger pages is narrowed.
    ///
    /// Nil for all of them, which a limited administrator never gets: one mesh is meant by itself, of several one must be named.
    /// `state` nil: also one that is not there any more.
    func meshFilter(in state: AuthorityState?) throws -> MeshName? {
        if let text = query["mesh"] {
            try requireReach(text)
            if let state { return try state.entry(named: text).mesh.name }
            do { return try MeshName(text) } catch { throw AdminError.invalid([.init(field: "mesh", reason: "\(error)")]) }
        }
        guard let reach else { return nil }
        guard reach.count == 1, let only = reach.first else {
            throw AdminRequest.outOfScope("all of them: name one of yours with ?mesh=")
        }
        return only
    }

    /// `true` or `false` in the query; false where it is not there.
    func flag(_ name: String) throws(AdminError) -> Bool {
        switch query[name] {
        case nil, "false": return false
        case "true": return true
        default: throw .invalid([.init(field: name, reason: "must be true or false")])
        }
    }

    static func outOfScope(_ what: String) -> AdminError { .authority(.refused(.meshOutOfScope(what: what))) }
}
