package import Authority
package import AuthorityService
package import PKI

/// Meshes by page, rotations, what their gates are judged by, and who takes them through.
extension MemoryLedger {
    package func rotations(_ query: RotationQuery) async throws(LedgerFailure) -> Page<AuthorityState.RotationEntry> {
        try await perform(.rotations) { store throws(LedgerFailure) in
            MemoryLedger.page(store.rotations, query.cursor, query.size) { entry in
                let rotation = entry.rotation
                return (query.mesh.map { rotation.meshes.contains($0) } ?? true)
                    && (query.certificateAuthority.map {
                        rotation.certificateAuthority == $0 || rotation.previousAuthority == $0
                    } ?? true)
            }
        }
    }

    package func rotation(_ id: String) async throws(LedgerFailure) -> AuthorityState.RotationEntry? {
        try await perform(.rotation) { store throws(LedgerFailure) in store.rotations.first { $0.rotation.id == id } }
    }

    package func rotationEvents(of id: String) async throws(LedgerFailure) -> [RotationEvent] {
        try await perform(.rotationEvents) { store throws(LedgerFailure) in store.rotationEvents[id] ?? [] }
    }

    package func lease(to holder: String, for duration: Duration) async throws(LedgerFailure) -> DriverLease? {
        try await perform(.lease) { [now] store throws(LedgerFailure) in store.takeLease(holder, for: duration, at: now()) }
    }

    package func endLease(_ lease: DriverLease) async throws(LedgerFailure) {
        try await perform(.endLease) { [now] store throws(LedgerFailure) in store.endLease(lease, at: now()) }
    }

    package func outstandingLeaves(
        in meshes: Set<MeshName>, issuer: IssuerID?, issuedBefore: Timestamp?, at now: Timestamp, limit: Int
    ) async throws(LedgerFailure) -> [OutstandingLeaf] {
        try await perform(.outstandingLeaves) { store throws(LedgerFailure) in
            var holders: [OutstandingLeaf: Timestamp] = [:]
            for record in store.certificates where record.kind == .leaf && record.notAfter > now {
                guard let mesh = record.mesh, let identity = record.identity, meshes.contains(mesh),
                    issuer == nil || issuer == record.issuer, issuedBefore.map({ record.issuedAt < $0 }) ?? true
                else { continue }
                // The holder alone, whose end is found in the end.
                let holder = OutstandingLeaf(
                    mesh: mesh, identity: identity, proxy: record.origin?.proxy ?? "", node: record.origin?.node, notAfter: now)
                holders[holder] = max(holders[holder] ?? now, record.notAfter)
            }
            let leaves = holders.map { holder, end in
                var leaf = holder
                leaf.notAfter = end
                return leaf
            }
            return Array(leaves.sorted { MemoryLedger.precedes($0, $1) }.prefix(max(limit, 0)))
        }
    }

    /// The latest end first; among equals, as the database has them.
    private static func precedes(_ left: OutstandingLeaf, _ right: OutstandingLeaf) -> Bool {
        if left.notAfter != right.notAfter { return left.notAfter > right.notAfter }
        return texts(left).lexicographicallyPrecedes(texts(right))
    }

    private static func texts(_ leaf: OutstandingLeaf) -> [String] {
        [leaf.mesh.name, leaf.identity.uri, leaf.proxy, leaf.node == nil ? "" : "node", leaf.node ?? ""]
    }

    package func report(
        _ report: ReplicaReport?, permit: OfflinePermit, of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        try await perform(.report) { [now] store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            let last = store.replicas[replica]
            store.replicaWrites += 1
            store.replicas[replica] = MemoryLedgerStore.Replica(
                seenAt: now(), report: report ?? last?.report, edition: store.replicaWrites,
                keyEncryptionKeys: last?.keyEncryptionKeys ?? [], permit: permit)
        }
    }

    package func permit(
        _ permit: OfflinePermit, of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        try await perform(.permit) { [now] store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            store.replicaWrites += 1
            store.replicas[replica, default: MemoryLedgerStore.Replica(seenAt: now())].seenAt = now()
            store.replicas[replica]?.edition = store.replicaWrites
            store.replicas[replica]?.permit = permit
        }
    }

    package func reports(within window: Duration) async throws(LedgerFailure) -> [ReplicaReport] {
        try await perform(.reports) { [now] store throws(LedgerFailure) in
            let now = now()
            // A day: one that comes back meanwhile finds its report as it was.
            store.forgetReplicas(unheardFor: window, at: now)
            let isForAll = window >= .seconds(86_400)
            return store.replicas
                .filter { $0.value.seenAt > now - window || (isForAll && now < $0.value.seenAt + $0.value.permit.reach) }
                .sorted { $0.key < $1.key }.map { name, replica in
                    var report = replica.report ?? ReplicaReport(replica: name, revision: 0, rotations: [:])
                    report.absence = ReplicaAbsence(permit: replica.permit, seenAt: replica.seenAt, now: now)
                    return report
                }
        }
    }

    package func announce(
        keyEncryptionKeys ids: [String], of replica: String, after known: LedgerPosition?
    ) async throws(LedgerFailure) {
        try await perform(.announce) { [now] store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            store.replicas[replica, default: MemoryLedgerStore.Replica(seenAt: now())].seenAt = now()
            store.replicas[replica]?.keyEncryptionKeys = ids
        }
    }

    package func keyEncryptionKeys(within window: Duration) async throws(LedgerFailure) -> [String: [String]] {
        try await perform(.announcedKeys) { [now] store throws(LedgerFailure) in
            store.replicas.filter { $0.value.seenAt > now() - window }.mapValues(\.keyEncryptionKeys)
        }
    }

    package func livingReplicas(within window: Duration) async throws(LedgerFailure) -> [String] {
        try await perform(.livingReplicas) { [now] store throws(LedgerFailure) in
            store.replicas.filter { $0.value.seenAt > now() - window }.keys.sorted()
        }
    }

    package func replicaRows(
        livingWithin window: Duration, known: [String: Int64], besides own: String
    ) async throws(LedgerFailure) -> [ReplicaRow] {
        try await perform(.replicaRows) { [now] store throws(LedgerFailure) in
            let now = now()
            store.forgetReplicas(unheardFor: window, at: now)
            return store.replicas.sorted { $0.key < $1.key }.map { name, replica in
                let isLeftOut = name == own || known[name] == replica.edition
                let isLiving = replica.seenAt > now - window
                return ReplicaRow(
                    replica: name, isLiving: isLiving, edition: replica.edition,
                    report: isLeftOut ? nil : replica.report ?? ReplicaReport(replica: name, revision: 0, rotations: [:]),
                    absence: isLiving ? nil : ReplicaAbsence(permit: replica.permit, seenAt: replica.seenAt, now: now))
            }
        }
    }

    package func withdrawReport(of replica: String, after known: LedgerPosition?) async throws(LedgerFailure) {
        try await perform(.withdrawReport) { [now] store throws(LedgerFailure) in
            try self.confirm(known, in: store)
            guard let row = store.replicas[replica] else { return }
            store.replicas[replica]?.seenAt = min(row.seenAt, now() - .seconds(3600))
            store.replicas[replica]?.permit = .none
            store.replicaWrites += 1
            store.replicas[replica]?.edition = store.replicaWrites
        }
    }
}
