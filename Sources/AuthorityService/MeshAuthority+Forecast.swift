internal import Authority
internal import PKI

extension MeshAuthority {
    /// What a rotation of these meshes away from `root` would meet, by the ledger and by the proxies that are connected here.
    func forecast(of rotation: Rotation, from root: Issuer) async throws(AuthorityError) -> RotationForecast {
        let now = clock.now
        let meshes = Set(rotation.meshes)
        let holders: [OutstandingLeaf]
        let replicas: Int
        do {
            replicas = try await ledger.livingReplicas(within: settings.replicaWindow).count
            holders = try await ledger.outstandingLeaves(
                in: meshes, issuer: root.id, issuedBefore: nil, at: now, limit: MeshAuthority.mostForecast)
        } catch {
            throw .ledger(error)
        }
        let concerned = state.meshesConcerned(by: rotation)
        let connected = proxies.subscribers(of: concerned).filter(\.isConnected)
        let here = Set(
            connected.map { Holder(mesh: $0.caller.mesh, identity: $0.caller.identity, proxy: $0.caller.proxy, node: $0.node) })
        let rejecting = connected.flatMap { subscriber in
            subscriber.open.filter { $0.meaning != .identity && ($0.nack != nil || $0.isSilent) }.map { status in
                RotationBlocker(
                    mesh: subscriber.caller.mesh, identity: subscriber.caller.identity, proxy: subscriber.caller.proxy,
                    node: subscriber.node, resource: status.resource, reason: status.nack == nil ? .silent : .rejected,
                    detail: status.nack?.message ?? "it has not answered what it was sent last")
            }
        }
        let lasting = holders.compactMap { leaf -> RotationBlocker? in
            let isHere = here.contains(Holder(mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: leaf.node ?? ""))
            let reason: RotationBlocker.Reason
            if leaf.node == nil {
                reason = .unsubscribed
            } else if !isHere {
                reason = .away
            } else if rotation.retireAfter == .expired {
                reason = .unexpired
            } else {
                return nil
            }
            return RotationBlocker(
                mesh: leaf.mesh, identity: leaf.identity, proxy: leaf.proxy, node: leaf.node ?? "", resource: "", reason: reason,
                detail: (reason == .away && replicas > 1
                    ? "it is not connected to the replica that was asked, but may be to another of the \(replicas); " : "")
                    + "its certificate of the old root is valid until \(leaf.notAfter.iso8601)", until: leaf.notAfter)
        }
        return RotationForecast(
            connected: connected.count, reissue: .seconds(holders.count) / settings.reissuePace,
            distributing: Array(rejecting.prefix(RotationGate.mostBlockers)),
            issuing: Array(lasting.prefix(RotationGate.mostBlockers)), lastExpiry: holders.map(\.notAfter).max(),
            isCrossCertified: isCrossSigner(root, at: now))
    }

    /// Enough for a forecast; of more, the re-issue takes as long as that of these.
    private static let mostForecast = 100_000

    private struct Holder: Hashable {
        var mesh: MeshName
        var identity: SPIFFEID
        var proxy: String
        var node: String
    }
}
