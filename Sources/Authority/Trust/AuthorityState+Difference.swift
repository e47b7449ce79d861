package import PKI

extension AuthorityState {
    /// The meshes for whose proxies some decision may be another one now than by `previous`: whether they may stay, whom they
    /// accept, which issuer signs for them. Those that are gone are among them.
    ///
    /// May name more than it must, and never fewer: whoever serves thousands of proxies asks nothing anew for a mesh that is
    /// not named. Everything that a context is made of belongs to a mesh, to one that shares its certificate authority, or to
    /// one behind a door; so a mesh whose own facts changed is named with those around it, by both states.
    package func meshesChanged(since previous: AuthorityState) -> Set<MeshName> {
        var changed = Set(AuthorityState.differing(meshes, previous.meshes) { $0.mesh == $1.mesh })
        // A token's mesh is not known here. The ids that are left out again have ended of themselves: nobody had a stream by them.
        if !revokedTokens.isSubset(of: previous.revokedTokens) {
            changed.formUnion(meshes.keys)
            changed.formUnion(previous.meshes.keys)
        }
        changed.formUnion(AuthorityState.differing(meshIssuers, previous.meshIssuers, by: ==))
        changed.formUnion(AuthorityState.differing(serviceIdentities, previous.serviceIdentities, by: ==))
        changed.formUnion(AuthorityState.differing(meshServiceIdentities, previous.meshServiceIdentities, by: ==))
        for name in AuthorityState.differing(crossMeshAccesses, previous.crossMeshAccesses, by: { $0.access == $1.access }) {
            for access in [crossMeshAccesses[name], previous.crossMeshAccesses[name]].compactMap({ $0?.access }) {
                changed.formUnion([access.from.mesh, access.to.mesh])
            }
        }
        for id in AuthorityState.differing(rotations, previous.rotations, by: ==) {
            for entry in [rotations[id], previous.rotations[id]].compactMap({ $0 }) {
                changed.formUnion(entry.rotation.meshes)
            }
        }
        let domains = Set(revokedIdentities.symmetricDifference(previous.revokedIdentities).map(\.trustDomain))
        if !domains.isEmpty {
            for state in [self, previous] {
                changed.formUnion(state.meshes.values.map(\.mesh).filter { domains.contains($0.trustDomain) }.map(\.name))
            }
        }
        changed.formUnion(meshesOfChangedRoots(since: previous))
        guard !changed.isEmpty else { return [] }
        return changed.union(around(changed)).union(previous.around(changed))
    }

    /// Those with a root, or a certificate authority behind one, that is not as it was.
    private func meshesOfChangedRoots(since previous: AuthorityState) -> Set<MeshName> {
        let roots = AuthorityState.differing(issuers, previous.issuers, by: ==)
        let authorities = Set(
            AuthorityState.differing(certificateAuthorities, previous.certificateAuthorities) { $0.authority == $1.authority })
        guard !roots.isEmpty || !authorities.isEmpty else { return [] }
        // A root that was brought is shared as soon as another has its key, whosever that is.
        let twins = roots.compactMap { issuers[$0] ?? previous.issuers[$0] }
        var changed: Set<MeshName> = []
        for state in [self, previous] {
            for (mesh, own) in state.meshIssuers where !changed.contains(mesh) {
                let isTouched = own.keys.contains { id in
                    guard let root = state.issuers[id] else { return true }
                    return roots.contains(id) || authorities.contains(root.certificateAuthority)
                        || twins.contains { $0.hasSameKey(as: root) }
                }
                if isTouched { changed.insert(mesh) }
            }
        }
        return changed
    }

    /// Whoever shares a certificate authority with one of `chosen`, or has a door to or from it.
    private func around(_ chosen: Set<MeshName>) -> Set<MeshName> {
        var around: Set<MeshName> = []
        let shared = Set(
            chosen.compactMap { name -> String? in
                guard let mesh = meshes[name]?.mesh, case .shared? = mesh.enabledBackend?.kind else { return nil }
                return mesh.enabledAuthority
            })
        if !shared.isEmpty {
            for mesh in meshes.values.map(\.mesh) {
                if let authority = mesh.enabledAuthority, shared.contains(authority) { around.insert(mesh.name) }
            }
        }
        for access in crossMeshAccesses.values.map(\.access) {
            if chosen.contains(access.from.mesh) { around.insert(access.to.mesh) }
            if chosen.contains(access.to.mesh) { around.insert(access.from.mesh) }
        }
        return around
    }

    /// The keys that only one of the two has, or whose values are not the same.
    private static func differing<Key: Hashable, Value>(
        _ next: [Key: Value], _ previous: [Key: Value], by isSame: (Value, Value) -> Bool
    ) -> [Key] {
        var keys: [Key] = []
        for (key, value) in next {
            guard let before = previous[key], isSame(value, before) else {
                keys.append(key)
                continue
            }
        }
        if next.count != previous.count || !keys.isEmpty {
            keys += previous.keys.filter { next[$0] == nil }
        }
        return keys
    }
}
