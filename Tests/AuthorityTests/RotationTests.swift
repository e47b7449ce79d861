import Authority
import Foundation
import PKI
import Testing

/// The paths of a move, and what its gates wait for.
@Suite("Rotations")
struct RotationTests {
    let now = Fixture.now

    /// `a` on its way from its own certificate authority to `corp`, on which `b` is.
    struct Move {
        var bench: CoreBench
        let id: String
        let mesh: MeshName
        let from: IssuerID
        let to: IssuerID

        init(retireAfter: RetireAfter = .expired) throws {
            var fixture = try Fixture("a")
            to = try fixture.add(sharedAuthority: "corp", retireAfter: retireAfter)
            try fixture.add(mesh: "b", sharing: "corp")
            mesh = try MeshName("a")
            from = try #require(fixture.state.activeIssuer(of: mesh)?.id)
            bench = CoreBench(fixture.state)
            let document = try #require(bench.state.meshes[mesh]?.mesh)
            id = try #require(try bench.put(document.sharing("corp"))).id
        }

        var phase: Rotation.Phase? { (bench.state.rotations[id]?.rotation ?? bench.ended.last)?.phase }

        /// What the old and the new issuer are to the mesh.
        var states: [IssuerState?] { [from, to].map { bench.state.meshIssuers[mesh]?[$0] } }

        var step: RotationStep? { bench.state.rotations[id].flatMap { bench.state.step(of: $0.rotation) } }

        mutating func abort() throws {
            let entry = try #require(bench.state.rotations[id])
            let transition = try #require(bench.state.revert(entry.rotation, at: Fixture.now))
            try bench.commit(transition, revision: entry.revision)
        }

        // MARK: Facts for its gate

        /// A report of the current state in which nothing is left to wait for.
        func report(
            _ replica: String = "r1", settled: [UInt64] = [], pending: [RotationBlocker] = [], hasIssuing: Bool = true
        ) throws -> ReplicaReport {
            let entry = try #require(bench.state.rotations[id])
            let progress = RotationProgress(
                revision: entry.revision, hasIssuingCertificates: hasIssuing,
                settled: SubscriberSet(settled.map { SubscriptionKey(SubscriberKey($0), resource: 5) }),
                pendingCount: pending.count, pending: pending)
            return ReplicaReport(replica: replica, revision: bench.state.revision, rotations: [id: progress])
        }

        func gate(_ reports: [ReplicaReport], outstanding: [OutstandingLeaf]? = []) throws -> RotationGate {
            let entry = try #require(bench.state.rotations[id])
            return bench.state.gate(of: entry, facts: RotationFacts(reports: reports, outstanding: outstanding))
        }

        func leaf(_ number: UInt64, node: String? = "n") throws -> OutstandingLeaf {
            OutstandingLeaf(
                mesh: mesh, identity: try SPIFFEID("spiffe://a/p\(number)"), proxy: "p\(number)", node: node,
                notAfter: Fixture.now + .seconds(60), key: node == nil ? nil : SubscriberKey(number))
        }

        func blocker(_ number: Int, _ reason: RotationBlocker.Reason) throws -> RotationBlocker {
            RotationBlocker(
                mesh: mesh, identity: try SPIFFEID("spiffe://a/p\(number)"), proxy: "p\(number)", node: "n",
                resource: "peers", reason: reason, detail: "words")
        }
    }

    // MARK: - Paths

    @Test func `a move goes through its phases to the end, and the old root is bound until it withdraws`() throws {
        var move = try Move()
        #expect(move.phase == .distributing && move.states == [.active, .prepared] && move.step == .distribute(isCovered: false))
        try move.bench.advance(move.id)
        #expect(move.phase == .issuing && move.states == [.outgoing, .active])
        #expect(move.step == .issue(from: move.from, to: move.to))
        try move.bench.advance(move.id)
        #expect(move.phase == .withdrawing && move.states == [.retired, .active] && move.step == .withdraw)
        let later = now + .seconds(9)
        try move.bench.advance(move.id, at: later)
        #expect(move.phase == .completed && move.states == [.retired, .active])
        #expect(move.bench.ended.last?.endedAt == later && move.bench.ended.last?.phaseSince == later)
        #expect(move.bench.state.rotations.isEmpty)
        let ended = try #require(move.bench.ended.last)
        #expect(move.bench.state.advance(ended, at: now) == nil && move.bench.state.revert(ended, at: now) == nil)
        #expect(move.bench.state.step(of: ended) == nil)
    }

    @Test func `called off while distributing, the new root goes at once, and then out of every context`() throws {
        var move = try Move()
        try move.abort()
        #expect(move.phase == .reverting && move.states == [.active, .retired] && move.step == .withdraw)
        try move.bench.advance(move.id)
        #expect(move.phase == .aborted && move.states == [.active, .retired])
    }

    @Test func `called off while issuing, the roles are exchanged, and the same gates lead back`() throws {
        var move = try Move()
        try move.bench.advance(move.id)
        try move.abort()
        #expect(move.phase == .reverting && move.states == [.active, .outgoing])
        #expect(move.step == .issue(from: move.to, to: move.from))
        try move.bench.advance(move.id)
        #expect(move.phase == .reverting && move.states == [.active, .retired] && move.step == .withdraw)
        try move.bench.advance(move.id)
        #expect(move.phase == .aborted && move.bench.state.rotations.isEmpty)
    }

    @Test func `there is no way back from withdrawing, nor from the way back`() throws {
        for steps in 0...2 {
            var move = try Move()
            for _ in 0..<steps { try move.bench.advance(move.id) }
            if steps < 2 { try move.abort() }
            let rotation = try #require(move.bench.state.rotations[move.id]?.rotation)
            #expect(move.bench.state.revert(rotation, at: now) == nil)
        }
    }

    @Test func `at no point of any path has a mesh two active issuers, or none`() throws {
        for path in ["+++", "-+", "+-++"] {
            var move = try Move()
            for step in path {
                #expect(move.states.filter { $0 == .active }.count == 1)
                if step == "+" { try move.bench.advance(move.id) } else { try move.abort() }
            }
            #expect(move.states.filter { $0 == .active }.count == 1)
            #expect(move.bench.state.rotations.isEmpty)
        }
    }

    @Test func `a transition is a compare-and-swap, and its changes apply in their order`() throws {
        var move = try Move()
        let entry = try #require(move.bench.state.rotations[move.id])
        let transition = try #require(move.bench.state.advance(entry.rotation, at: now))
        #expect(transition.changes.map(\.to) == [.outgoing, .active])
        try move.bench.commit(transition, revision: entry.revision)
        #expect(throws: CoreBench.Conflict.self) { try move.bench.commit(transition, revision: entry.revision) }
    }

    // MARK: - Gates

    @Test func `the gate is open when every replica confirmed and nobody is left`() throws {
        var move = try Move()
        for _ in 0..<3 {
            let gate = try move.gate([move.report("r1", settled: [1, 2]), move.report("r2", settled: [2, 3])])
            #expect(gate == RotationGate(isOpen: true, settled: 3, pendingCount: 0, blockers: []))
            try move.bench.advance(move.id)
        }
    }

    @Test func `without any replica the gate is shut`() throws {
        var move = try Move()
        for _ in 0..<3 {
            let gate = try move.gate([])
            #expect(!gate.isOpen && gate.pendingCount == 1 && gate.blockers.map(\.reason) == [.replica])
            try move.bench.advance(move.id)
        }
    }

    @Test func `a report of an older state counts for nothing, and its replica holds the gate`() throws {
        var move = try Move()
        for _ in 0..<3 {
            let good = try move.report("r1")
            let old = try move.report("r2", settled: [1])
            for change: (inout ReplicaReport) -> Void in [
                { $0.revision -= 1 }, { $0.rotations = [:] }, { $0.rotations[move.id]?.revision -= 1 },
                { $0.rotations[move.id]?.revision += 1 },
            ] {
                var report = old
                change(&report)
                // The rotation's row is as new as the state here: one less is before it.
                let gate = try move.gate([good, report])
                #expect(!gate.isOpen && gate.settled == 0)
                #expect(gate.blockers.map(\.proxy) == ["r2"] && gate.blockers.map(\.reason) == [.replica])
            }
            try move.bench.advance(move.id)
        }
    }

    @Test func `what was settled for one phase is not for the next`() throws {
        var move = try Move(retireAfter: .reissued)
        let distributed = try move.report(settled: [1])
        #expect(try move.gate([distributed], outstanding: [move.leaf(1)]).isOpen)
        try move.bench.advance(move.id)
        let gate = try move.gate([distributed], outstanding: [move.leaf(1)])
        #expect(!gate.isOpen && gate.settled == 0)
    }

    @Test func `without its issuing certificates a replica holds the distribution, and it alone`() throws {
        var move = try Move()
        for isShut in [true, false, false] {
            let gate = try move.gate([move.report("r1"), move.report("r2", hasIssuing: false)])
            #expect(gate.isOpen == !isShut)
            #expect(gate.blockers.map(\.proxy) == (isShut ? ["r2"] : []))
            try move.bench.advance(move.id)
        }
    }

    @Test(arguments: [RotationBlocker.Reason.pending, .rejected, .silent])
    func `a connected proxy that has not acknowledged holds every phase, by name`(reason: RotationBlocker.Reason) throws {
        var move = try Move()
        for _ in 0..<3 {
            let blocker = try move.blocker(7, reason)
            let gate = try move.gate([move.report("r1", settled: [1]), move.report("r2", pending: [blocker])])
            #expect(gate == RotationGate(isOpen: false, settled: 1, pendingCount: 1, blockers: [blocker]))
            try move.bench.advance(move.id)
        }
    }

    @Test func `who is away with a certificate holds the distribution, unless it acknowledged before`() throws {
        let move = try Move()
        let away = try move.gate([move.report(settled: [1])], outstanding: [move.leaf(1), move.leaf(2)])
        #expect(!away.isOpen && away.pendingCount == 1)
        let blocker = try #require(away.blockers.first)
        #expect(blocker.reason == .away && blocker.proxy == "p2" && blocker.until == now + .seconds(60))
        #expect(try move.gate([move.report(settled: [1, 2])], outstanding: [move.leaf(1), move.leaf(2)]).isOpen)
    }

    @Test func `who fetched a certificate once holds until it ends, whatever anybody acknowledged`() throws {
        for retireAfter in RetireAfter.allCases {
            var move = try Move(retireAfter: retireAfter)
            for _ in 0..<2 {
                let gate = try move.gate([move.report(settled: [1])], outstanding: [move.leaf(1, node: nil)])
                #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.unsubscribed])
                #expect(gate.blockers.first?.until == now + .seconds(60))
                try move.bench.advance(move.id)
            }
            #expect(try move.gate([move.report()], outstanding: [move.leaf(1, node: nil)]).isOpen)
        }
    }

    @Test func `of several statements about a subscription the newest counts, and of equally new ones the one that lags`() throws
    {
        for (retireAfter, steps) in [(RetireAfter.expired, 0), (.reissued, 1)] {
            var move = try Move(retireAfter: retireAfter)
            for _ in 0..<steps { try move.bench.advance(move.id) }
            func key(_ resource: UInt32, _ at: UInt32 = SubscriptionKey.open) -> SubscriptionKey {
                SubscriptionKey(SubscriberKey(1), resource: resource, at: at)
            }
            func isOpen(_ settled: [SubscriptionKey], lagging: [SubscriptionKey]) throws -> Bool {
                var (here, there) = (try move.report("r1"), try move.report("r2"))
                here.rotations[move.id]?.settled = SubscriberSet(settled)
                there.rotations[move.id]?.lagging = SubscriberSet(lagging)
                let isOpen = try move.gate([here, there], outstanding: [move.leaf(1)]).isOpen
                #expect(try move.gate([there, here], outstanding: [move.leaf(1)]).isOpen == isOpen)
                return isOpen
            }
            #expect(try isOpen([key(5)], lagging: []))
            #expect(try isOpen([key(5, 7)], lagging: []))
            // A subscription that nobody settled takes its proxy's word back.
            #expect(try !isOpen([key(5)], lagging: [key(6)]))
            #expect(try !isOpen([key(5)], lagging: [key(6, 1)]))
            #expect(try !isOpen([], lagging: [key(6)]))
            // It went from the one to the other.
            #expect(try isOpen([key(5), key(6)], lagging: [key(6, 99)]))
            #expect(try isOpen([key(5), key(6, 100)], lagging: [key(6, 99)]))
            #expect(try !isOpen([key(5), key(6, 98)], lagging: [key(6, 99)]))
            #expect(try !isOpen([key(5), key(6, 99)], lagging: [key(6, 99)]))
            #expect(try !isOpen([key(5), key(6)], lagging: [key(6)]))
            #expect(try !isOpen([key(5), key(6, 99)], lagging: [key(6)]))
            // Another's lagging is another's.
            #expect(try isOpen([key(5)], lagging: [SubscriptionKey(SubscriberKey(2), resource: 6)]))
        }
    }

    @Test func `what a replica that went knew to lag holds, until another knows better`() throws {
        var move = try Move()
        func key(_ resource: UInt32) -> SubscriptionKey { SubscriptionKey(SubscriberKey(1), resource: resource) }
        func isOpen(_ settled: [UInt32], change: (inout ReplicaReport) -> Void = { _ in }) throws -> Bool {
            var (living, departed) = (try move.report("r1"), try move.report("r2"))
            living.rotations[move.id]?.settled = SubscriberSet(settled.map(key))
            departed.rotations[move.id]?.lagging = SubscriberSet([key(6)])
            departed.rotations[move.id]?.pendingCount = 1
            change(&departed)
            let entry = try #require(move.bench.state.rotations[move.id])
            return move.bench.state.gate(
                of: entry, facts: RotationFacts(reports: [living], departed: [departed], outstanding: [try move.leaf(1)])
            ).isOpen
        }
        #expect(try !isOpen([5]))
        #expect(try isOpen([5, 6]))
        // What it knew to be settled proves nothing: it may have been overtaken.
        #expect(try !isOpen([]) { $0.rotations[move.id]?.settled = SubscriberSet([key(6)]) })
        // Of an earlier phase it says nothing, and nobody waits for it to confirm the present one.
        #expect(try isOpen([5]) { $0.rotations[move.id]?.revision -= 1 })
        #expect(try isOpen([5]) { $0.rotations = [:] })
        // A pause changes the revision and not the phase: what lagged before it lags still.
        let since = try #require(move.bench.state.rotations[move.id]?.rotation.phaseSince)
        #expect(
            try !isOpen([5]) {
                $0.rotations[move.id]?.revision -= 1
                $0.rotations[move.id]?.phaseSince = since
            })
        try move.bench.advance(move.id)
        #expect(try !isOpen([]))
    }

    @Test func `who was issued a leaf later counts only while it is known to lag`() throws {
        let move = try Move()
        let entry = try #require(move.bench.state.rotations[move.id])
        func isOpen(lagging: [UInt32], settled: [UInt32] = [], node: String? = "n") throws -> Bool {
            var report = try move.report()
            func keys(_ resources: [UInt32]) -> SubscriberSet {
                SubscriberSet(resources.map { SubscriptionKey(SubscriberKey(1), resource: $0, at: 9) })
            }
            report.rotations[move.id]?.lagging = keys(lagging)
            report.rotations[move.id]?.settled = keys(settled)
            let facts = RotationFacts(reports: [report], outstanding: [], late: [try move.leaf(1, node: node)])
            return move.bench.state.gate(of: entry, facts: facts).isOpen
        }
        #expect(try isOpen(lagging: []))
        #expect(try isOpen(lagging: [], settled: [5]))
        #expect(try isOpen(lagging: [], node: nil))
        #expect(try !isOpen(lagging: [6]))
        #expect(try !isOpen(lagging: [6], settled: [5]))
    }

    @Test func `who was revoked is waited for by nobody`() throws {
        let move = try Move()
        let (entry, leaf) = (try #require(move.bench.state.rotations[move.id]), try move.leaf(1))
        var state = move.bench.state
        state.revokedIdentities = [leaf.identity]
        #expect(state.gate(of: entry, facts: RotationFacts(reports: [try move.report()], outstanding: [leaf])).isOpen)
        #expect(try !move.gate([move.report()], outstanding: [leaf]).isOpen)
    }

    @Test func `expired waits for the end of every leaf of the old root, reissued for its successor alone`() throws {
        for (retireAfter, isOpen) in [(RetireAfter.expired, false), (.reissued, true)] {
            var move = try Move(retireAfter: retireAfter)
            try move.bench.advance(move.id)
            let gate = try move.gate([move.report(settled: [1])], outstanding: [move.leaf(1)])
            #expect(gate.isOpen == isOpen)
            if !isOpen { #expect(gate.blockers.map(\.reason) == [.unexpired]) }
            // Not acknowledged: either waits.
            let waiting = try move.gate([move.report()], outstanding: [move.leaf(1)])
            #expect(!waiting.isOpen && waiting.blockers.map(\.reason) == [.away])
            #expect(try move.gate([move.report()], outstanding: []).isOpen)
        }
    }

    @Test func `the way back waits in the same way`() throws {
        var move = try Move(retireAfter: .expired)
        try move.bench.advance(move.id)
        try move.abort()
        #expect(try !move.gate([move.report(settled: [1])], outstanding: [move.leaf(1)]).isOpen)
        #expect(try move.gate([move.report(settled: [1])], outstanding: []).isOpen)
        try move.bench.advance(move.id)
        // Nobody's certificate is asked for any more: contexts alone.
        #expect(try move.gate([move.report()], outstanding: nil).isOpen)
    }

    @Test func `as long as the ledger has not been asked the gate is shut, where it matters`() throws {
        var move = try Move()
        for isShut in [true, true, false] {
            #expect(try move.gate([move.report()], outstanding: nil).isOpen == !isShut)
            try move.bench.advance(move.id)
        }
    }

    @Test func `the blockers of a crowd are a hundred, and the count tells the rest`() throws {
        let move = try Move()
        let pending = try (0..<50).map { try move.blocker($0, .pending) }
        var report = try move.report(pending: pending)
        report.rotations[move.id]?.pendingCount = 4000
        let gate = try move.gate([report], outstanding: (0..<500).map { try move.leaf(UInt64($0)) })
        // Who is named already is not named again for its certificate.
        #expect(gate.pendingCount == 4450 && gate.blockers.count == RotationGate.mostBlockers)
        // Nor is anybody counted twice who is connected, and whom the replica's count has among the rest.
        report.rotations[move.id]?.lagging = SubscriberSet(
            (0..<500).map { SubscriptionKey(SubscriberKey(UInt64($0)), resource: 5) })
        let known = try move.gate([report], outstanding: (0..<500).map { try move.leaf(UInt64($0)) })
        #expect(known.pendingCount == 4000 && known.blockers.count == 50)
        #expect(gate.blockers.filter { $0.reason == .pending }.count == 50)
        #expect(Set(gate.blockers.map(\.proxy)).count == 100)
    }

    @Test func `a rotation that is not there has a shut gate`() throws {
        var move = try Move()
        let entry = try #require(move.bench.state.rotations[move.id])
        try move.bench.complete(move.id)
        let ended = AuthorityState.RotationEntry(rotation: try #require(move.bench.ended.last), revision: entry.revision)
        #expect(!move.bench.state.gate(of: ended, facts: RotationFacts(reports: [], outstanding: [])).isOpen)
    }

    @Test func `a report survives its journey through the row`() throws {
        let set = SubscriberSet(
            [1, .max, 0, 0x0123_4567_89ab_cdef].map { SubscriptionKey(SubscriberKey($0), resource: .max - 7, at: 9) })
        let move = try Move()
        let report = ReplicaReport(
            replica: "r", revision: 3,
            rotations: [
                "x": RotationProgress(
                    revision: 2, hasIssuingCertificates: true, settled: set, pendingCount: 1,
                    pending: [try move.blocker(1, .rejected)])
            ])
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(ReplicaReport.self, from: data) == report)
    }

    @Test func `the release before reads a row as a replica that has not confirmed, and its own rows are read`() throws {
        /// As that release decoded a row, all keys of which it needed.
        struct Before: Decodable {
            struct Progress: Decodable {
                var revision: Int64
                var settled: String
            }

            var replica: String
            var revision: Int64
            var rotations: [String: Progress]
        }
        let key = SubscriptionKey(SubscriberKey(0x0123_4567_89ab_cdef), resource: 7, at: .max)
        let progress = RotationProgress(
            revision: 2, hasIssuingCertificates: true, settled: SubscriberSet([key]), pendingCount: 0, pending: [])
        let report = ReplicaReport(replica: "r", revision: 3, rotations: ["x": progress])
        let before = try JSONDecoder().decode(Before.self, from: JSONEncoder().encode(report))
        #expect(before.replica == "r" && before.revision == 3 && before.rotations.isEmpty)
        let row = """
            {"replica": "r", "revision": 3, "rotations": {"x": {"revision": 2, "hasIssuingCertificates": true,
            "settled": "0123456789abcdef00000007ffffffff", "lagging": "", "pendingCount": 0, "pending": []}}}
            """
        #expect(try JSONDecoder().decode(ReplicaReport.self, from: Data(row.utf8)) == report)
        // A gate of the one before, by what it read, is shut.
        let move = try Move()
        let entry = try #require(move.bench.state.rotations[move.id])
        let unconfirmed = ReplicaReport(replica: "r", revision: entry.revision, rotations: [:])
        let gate = move.bench.state.gate(of: entry, facts: RotationFacts(reports: [unconfirmed], outstanding: []))
        #expect(!gate.isOpen && gate.blockers.map(\.reason) == [.replica])
    }

    // MARK: - Dwell

    @Test func `a rotation goes on when its gate was open for the dwell without a break`() throws {
        var move = try Move()
        let open = RotationGate(isOpen: true, settled: 0, pendingCount: 0, blockers: [])
        let shut = RotationGate(isOpen: false, settled: 0, pendingCount: 1, blockers: [])
        var pacer = RotationPacer(dwell: .seconds(1))
        func goesOn(_ entry: AuthorityState.RotationEntry, _ gate: RotationGate, after time: Duration) -> Bool {
            pacer.goesOn(entry, gate: gate, at: now + time)
        }
        let entry = try #require(move.bench.state.rotations[move.id])
        #expect(!goesOn(entry, open, after: .zero))
        #expect(!goesOn(entry, open, after: .milliseconds(999)))
        #expect(!goesOn(entry, shut, after: .milliseconds(999)))
        #expect(!goesOn(entry, open, after: .seconds(2)))
        #expect(goesOn(entry, open, after: .seconds(3)))
        // The dwell of one phase is none of the next's.
        try move.bench.advance(move.id)
        let next = try #require(move.bench.state.rotations[move.id])
        #expect(!goesOn(next, open, after: .seconds(3)))
        #expect(goesOn(next, open, after: .seconds(4)))
        pacer.keep(only: [])
        #expect(!goesOn(next, open, after: .seconds(5)))
        pacer.keep(only: [move.id])
        #expect(goesOn(next, open, after: .seconds(6)))
    }

    @Test func `a dwell is known while it goes on, with its end, and a gate that shuts ends it`() throws {
        var move = try Move()
        let open = RotationGate(isOpen: true, settled: 0, pendingCount: 0, blockers: [])
        var pacer = RotationPacer(dwell: .seconds(1))
        let entry = try #require(move.bench.state.rotations[move.id])
        #expect(!pacer.isDwelling(entry, at: now) && pacer.nextEnd(after: now) == nil)
        let goesOnAtOnce = pacer.goesOn(entry, gate: open, at: now)
        #expect(!goesOnAtOnce)
        #expect(pacer.isDwelling(entry, at: now + .milliseconds(999)))
        #expect(pacer.nextEnd(after: now + .milliseconds(999)) == now + .seconds(1))
        #expect(!pacer.isDwelling(entry, at: now + .seconds(1)) && pacer.nextEnd(after: now + .seconds(1)) == nil)
        // A clock that was set back has seen nothing.
        #expect(!pacer.isDwelling(entry, at: now - .seconds(1)))
        pacer.holds(move.id)
        #expect(!pacer.isDwelling(entry, at: now) && pacer.nextEnd(after: now) == nil)
        let goesOnLater = pacer.goesOn(entry, gate: open, at: now + .seconds(5))
        #expect(!goesOnLater)
        // Of another revision it says nothing.
        try move.bench.advance(move.id)
        #expect(!pacer.isDwelling(try #require(move.bench.state.rotations[move.id]), at: now + .seconds(5)))
    }

    @Test func `without a dwell an open gate is enough, and a shut one never`() throws {
        let move = try Move()
        var pacer = RotationPacer(dwell: .zero)
        let entry = try #require(move.bench.state.rotations[move.id])
        let isOpen = [true, false].map { isOpen in
            pacer.goesOn(
                entry, gate: RotationGate(isOpen: isOpen, settled: 0, pendingCount: isOpen ? 0 : 1, blockers: []), at: now)
        }
        #expect(isOpen == [true, false])
    }
}
