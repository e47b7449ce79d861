import Authority
import PKI
import Testing

/// A replica that went without a goodbye holds what depends on the leaves that it may have issued.
@Suite struct AbsentReplicaTests {
    private static let seenAt = Timestamp(seconds: 1_800_000_000)
    private static let permit = OfflinePermit(leafLifetimes: [.seconds(86_400)])

    @Test func `its absence lasts as long as a leaf may that it signed last, and is forgotten then`() throws {
        let early = try #require(ReplicaAbsence(permit: Self.permit, seenAt: Self.seenAt, now: Self.seenAt + .seconds(30)))
        #expect(early.maySign && early.signsUntil == Self.seenAt + .seconds(3600))
        #expect(early.leavesUntil == Self.seenAt + .seconds(3600 + 86_400 + 60))
        let late = try #require(ReplicaAbsence(permit: Self.permit, seenAt: Self.seenAt, now: Self.seenAt + .seconds(3600)))
        #expect(!late.maySign)
        #expect(ReplicaAbsence(permit: Self.permit, seenAt: Self.seenAt, now: early.leavesUntil) == nil)
        #expect(ReplicaAbsence(permit: .none, seenAt: Self.seenAt, now: Self.seenAt) == nil)
    }

    @Test func `a permit covers the longest window and the longest leaf of the meshes`() {
        let permit = OfflinePermit(leafLifetimes: [.seconds(20), .seconds(3000)])
        #expect(permit.signing == .seconds(1500) && permit.reach == .seconds(4560))
        #expect(OfflinePermit(leafLifetimes: []) == .none)
        #expect(OfflinePermit.window(ofLeafLiving: .seconds(20)) == .seconds(10))
        #expect(OfflinePermit.window(ofLeafLiving: .seconds(10 * 86_400)) == .seconds(3600))
    }
}

extension AbsentReplicaTests {
    private static func absent(maySign: Bool = true) -> ReplicaReport {
        var report = ReplicaReport(replica: "r2", revision: 0, rotations: [:])
        report.absence = ReplicaAbsence(
            signsUntil: seenAt + .seconds(3600), leavesUntil: seenAt + .seconds(90_000), maySign: maySign)
        return report
    }

    @Test func `no root is withdrawn, and nobody without the new one is signed for, while it may have issued leaves`() throws {
        var move = try RotationTests.Move()
        for phase in [Rotation.Phase.distributing, .issuing] {
            #expect(move.phase == phase)
            let entry = try #require(move.bench.state.rotations[move.id])
            let facts = RotationFacts(reports: [try move.report()], departed: [Self.absent()], outstanding: [])
            let gate = move.bench.state.gate(of: entry, facts: facts)
            #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.absent] && gate.blockers[0].proxy == "r2")
            #expect(gate.blockers[0].until == Self.seenAt + .seconds(90_000))
            // An operator who knows that it is gone may say so.
            let forced = try move.bench.state.transition(
                of: entry.rotation, by: .advance(force: true), gate: gate, at: Self.seenAt)
            #expect(forced.rotation.phase != phase)
            #expect(try move.gate([move.report()]).isOpen)
            try move.bench.advance(move.id)
        }
        // By then none of its leaves lives.
        let entry = try #require(move.bench.state.rotations[move.id])
        let facts = RotationFacts(reports: [try move.report()], departed: [Self.absent()], outstanding: nil)
        #expect(move.phase == .withdrawing && move.bench.state.gate(of: entry, facts: facts).isOpen)
    }

    @Test func `a revocation names it for as long as it may sign, and no longer`() throws {
        #expect(RotationStep.expel.end(of: try #require(Self.absent().absence)) == Self.seenAt + .seconds(3600))
        #expect(RotationStep.expel.end(of: try #require(Self.absent(maySign: false).absence)) == nil)
        #expect(RotationStep.distribute(isCovered: true).end(of: try #require(Self.absent().absence)) == nil)
    }
}
