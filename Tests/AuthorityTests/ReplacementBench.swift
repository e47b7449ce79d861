import Authority
import PKI
import Testing

/// A root that is replaced: `corp`, which `a` and `b` share; `c` has a certificate authority of its own and a door to `a`.
struct ReplacementBench {
    var bench: CoreBench
    let id: String
    let from: IssuerID
    let to: IssuerID

    static func meshes(retireAfter: RetireAfter = .reissued) throws -> CoreBench {
        var fixture = try Fixture("c")
        try fixture.add(sharedAuthority: "corp", retireAfter: retireAfter)
        try fixture.add(sharedAuthority: "spare")
        try fixture.add(mesh: "a", sharing: "corp")
        try fixture.add(mesh: "b", sharing: "corp")
        let access = CrossMeshAccess(
            name: "c-to-a", from: .init(mesh: try MeshName("c"), services: nil), to: .init(mesh: try MeshName("a"), services: nil)
        )
        fixture.state.crossMeshAccesses["c-to-a"] = AuthorityState.CrossMeshAccessEntry(
            access: access, revision: 1, createdAt: Fixture.now, modifiedAt: Fixture.now)
        return CoreBench(fixture.state)
    }

    init(retireAfter: RetireAfter = .reissued, isCovered: Bool = true, isManual: Bool = false) throws {
        var bench = try ReplacementBench.meshes(retireAfter: retireAfter)
        let rotation = try bench.replace("corp", isManual: isManual, isCovered: isCovered)
        (id, from, to) = (rotation.id, rotation.from, rotation.to)
        self.bench = bench
    }

    var entry: AuthorityState.RotationEntry {
        get throws { try #require(bench.state.rotations[id]) }
    }

    /// Of the running rotation, or as it ended.
    var rotation: Rotation {
        get throws { try #require(bench.state.rotations[id]?.rotation ?? bench.ended.first { $0.id == id }) }
    }

    /// What the old and the new root are to each of the meshes.
    func states(_ mesh: String) throws -> [IssuerState?] {
        let name = try MeshName(mesh)
        return [from, to].map { bench.state.meshIssuers[name]?[$0] }
    }

    mutating func advance(_ times: Int = 1, at now: Timestamp = Fixture.now) throws {
        for _ in 0..<times { try bench.advance(id, at: now) }
    }

    // MARK: Facts for its gate

    /// A report of the current state in which nothing is left to wait for.
    func report(
        _ replica: String = "r1", settled: [UInt64] = [], lagging: [UInt64] = [], pending: [RotationBlocker] = [],
        hasIssuing: Bool = true
    ) throws -> ReplicaReport {
        let progress = RotationProgress(
            revision: try entry.revision, hasIssuingCertificates: hasIssuing,
            settled: SubscriberSet(settled.map { SubscriptionKey(SubscriberKey($0), resource: 5) }),
            lagging: SubscriberSet(lagging.map { SubscriptionKey(SubscriberKey($0), resource: 6, at: 9) }),
            pendingCount: pending.count, pending: pending)
        return ReplicaReport(replica: replica, revision: bench.state.revision, rotations: [id: progress])
    }

    func gate(
        _ reports: [ReplicaReport], outstanding: [OutstandingLeaf]? = [], late: [OutstandingLeaf] = [],
        early: [OutstandingLeaf] = []
    ) throws -> RotationGate {
        bench.state.gate(
            of: try entry, facts: RotationFacts(reports: reports, outstanding: outstanding, late: late, early: early))
    }

    func leaf(_ number: UInt64, mesh: String = "a", node: String? = "n") throws -> OutstandingLeaf {
        OutstandingLeaf(
            mesh: try MeshName(mesh), identity: try SPIFFEID("spiffe://\(mesh)/p\(number)"), proxy: "p\(number)", node: node,
            notAfter: Fixture.now + .seconds(60), key: node == nil ? nil : SubscriberKey(number))
    }

    func blocker(_ number: Int, _ reason: RotationBlocker.Reason = .pending) throws -> RotationBlocker {
        RotationBlocker(
            mesh: try MeshName("a"), identity: try SPIFFEID("spiffe://a/p\(number)"), proxy: "p\(number)", node: "n",
            resource: "peers", reason: reason, detail: "words")
    }

    static let open = RotationGate(isOpen: true, settled: 0, pendingCount: 0, blockers: [])
}

/// The words of a refusal; nil, and an issue, where nothing was refused.
func refusal<Result>(
    at location: SourceLocation = #_sourceLocation, _ act: () throws -> Result
) -> String? {
    do {
        let result = try act()
        Issue.record("not refused: \(result)", sourceLocation: location)
        return nil
    } catch let refusal as RotationRefusal {
        return refusal.detail
    } catch let MeshChangeRefusal.conflict(detail) {
        return detail
    } catch {
        Issue.record("another error: \(error)", sourceLocation: location)
        return nil
    }
}

extension RotationGate {
    /// That many hold it.
    static func held(by blockers: RotationBlocker...) -> RotationGate {
        RotationGate(isOpen: false, settled: 0, pendingCount: blockers.count, blockers: blockers)
    }
}
