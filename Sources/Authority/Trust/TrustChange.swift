package import PKI

/// Two meshes, the second of which accepts the first, at least in part.
package struct TrustPair: Hashable, Sendable {
    package var from: MeshName
    package var to: MeshName

    package init(from: MeshName, to: MeshName) {
        self.from = from
        self.to = to
    }
}

/// Which pairs of meshes begin or cease to accept each other for a change, whatever else is under way.
package struct TrustChange: Hashable, Sendable {
    package var begins: [TrustPair]
    package var ceases: [TrustPair]

    package init(begins: [TrustPair] = [], ceases: [TrustPair] = []) {
        self.begins = begins
        self.ceases = ceases
    }
}

extension AuthorityState {
    /// This state once the meshes are as `next` says and every mesh that is on its way has arrived.
    package func settled(with next: [Mesh], at now: Timestamp) -> AuthorityState {
        var state = self
        state.rotations = state.rotations.filter { $0.value.rotation.kind != .move }
        for (index, mesh) in next.enumerated() {
            state.meshes[mesh.name] = MeshEntry(
                mesh: mesh, revision: meshes[mesh.name]?.revision ?? 0, createdAt: now, modifiedAt: now)
            state.meshIssuers[mesh.name] = nil
            guard let authority = mesh.enabledAuthority else { continue }
            if let issuer = currentIssuer(of: authority, at: now) {
                state.meshIssuers[mesh.name] = [issuer.id: .active]
                continue
            }
            // A root that is still to be made: nobody's but this mesh's.
            let pending = Issuer(
                id: IssuerID(random: withUnsafeBytes(of: UInt64(index)) { Array($0) }), certificateAuthority: authority,
                certificate: Array(mesh.name.name.utf8), serial: SerialNumber(bytes: [1]),
                fingerprint: Fingerprint(sha256: Array(repeating: 0, count: 32)), notBefore: now, notAfter: now)
            state.issuers[pending.id] = pending
            state.meshIssuers[mesh.name] = [pending.id: .active]
        }
        return state
    }

    /// Which pairs with one of `meshes` change from this state to `next`, by the contexts of both.
    package func trustChange(to next: AuthorityState, about meshes: [MeshName]) -> TrustChange {
        let names = Set(self.meshes.keys).union(next.meshes.keys).sorted()
        let before = open(about: meshes, names: names)
        let after = next.open(about: meshes, names: names)
        let order: (TrustPair, TrustPair) -> Bool = { ($0.from, $0.to) < ($1.from, $1.to) }
        return TrustChange(
            begins: after.subtracting(before).sorted(by: order), ceases: before.subtracting(after).sorted(by: order))
    }

    private func open(about meshes: [MeshName], names: [MeshName]) -> Set<TrustPair> {
        let chosen = Set(meshes)
        var pairs: Set<TrustPair> = []
        for to in names {
            let sources = chosen.contains(to) ? names : chosen.sorted()
            for cell in column(to: to, from: sources) where cell.extent != .none && cell.from != cell.to {
                pairs.insert(TrustPair(from: cell.from, to: cell.to))
            }
        }
        return pairs
    }
}
