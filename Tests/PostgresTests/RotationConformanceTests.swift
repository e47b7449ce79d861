import Authority
import AuthorityService
import PKI
import Synchronization
import TestSupport
import Testing

/// What both ledgers promise of rotations, and of what their gates are judged by.
@Suite("Every ledger, where roots are replaced", .timeLimit(.minutes(2)))
struct RotationConformanceTests {
    typealias Fixture = LedgerFixture

    @Test("goes from phase to phase by compare-and-swap, and remembers what ended", arguments: LedgerKind.allCases)
    func phases(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var rotation = try Fixture.move(1, of: "m", to: "corp")
            // The order within a transaction is free: the rotation before its mesh.
            #expect(
                try await ledger.commit(
                    Fixture.transaction([.insertRotation(rotation), .insertMesh(Fixture.mesh("m"), at: Fixture.now)])) == 1)
            var entry = AuthorityState.RotationEntry(rotation: rotation, revision: 1)
            #expect(try await ledger.load().authority.rotations == [rotation.id: entry])
            #expect(try await ledger.rotation(rotation.id) == entry)
            for phase in Rotation.Phase.allCases where phase.isRunning {
                rotation.phase = phase
                rotation.phaseSince = rotation.phaseSince + .milliseconds(1)
                let step = try Fixture.transaction([.replaceRotation(rotation, revision: entry.revision)])
                entry = AuthorityState.RotationEntry(rotation: rotation, revision: try await ledger.commit(step))
                #expect(try await ledger.load().authority.rotations == [rotation.id: entry])
                await #expect(throws: LedgerFailure.conflict(what: "rotation 'rot-1'")) { _ = try await ledger.commit(step) }
            }
            rotation.phase = .completed
            rotation.endedAt = Fixture.now + .seconds(9)
            let end = try Fixture.transaction([.replaceRotation(rotation, revision: entry.revision)])
            entry = AuthorityState.RotationEntry(rotation: rotation, revision: try await ledger.commit(end))
            #expect(try await ledger.load().authority.rotations.isEmpty)
            #expect(try await ledger.rotation(rotation.id) == entry)
            #expect(try await ledger.rotation("rot-2") == nil)
            #expect(try await ledger.rotation("rot-1\0") == nil)
            let again = try Fixture.transaction([.insertRotation(rotation)])
            await #expect(throws: LedgerFailure.conflict(what: "rotation 'rot-1'")) { _ = try await ledger.commit(again) }
            let unknown = try Fixture.move(2, of: "m", to: "corp")
            await #expect(throws: LedgerFailure.conflict(what: "rotation 'rot-2'")) {
                _ = try await ledger.commit(Fixture.transaction([.replaceRotation(unknown, revision: 1)]))
            }
        }
    }

    @Test("lets one rotation of a mesh run at a time", arguments: LedgerKind.allCases)
    func oneAtATime(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            var first = try Fixture.move(1, of: "a", to: "corp")
            first.meshes.append(try MeshName("b"))
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertMesh(Fixture.mesh("a"), at: Fixture.now), .insertMesh(Fixture.mesh("b"), at: Fixture.now),
                    .insertMesh(Fixture.mesh("c"), at: Fixture.now), .insertRotation(first),
                ]))
            var second = try Fixture.move(2, of: "c", to: "corp")
            second.meshes.append(try MeshName("b"))
            let before = try await ledger.load().authority
            let beginning = try Fixture.transaction([.insertRotation(second)])
            await #expect(throws: LedgerFailure.conflict(what: "the rotation of mesh 'b'")) {
                _ = try await ledger.commit(beginning)
            }
            #expect(try await ledger.load().authority == before)
            #expect(try await ledger.rotations(RotationQuery()).total == 1)
            await #expect(throws: LedgerFailure.conflict(what: "the mesh")) {
                _ = try await ledger.commit(Fixture.transaction([.insertRotation(Fixture.move(3, of: "x", to: "corp"))]))
            }
            // Free once the first has ended, in the same transaction even.
            first.phase = .aborted
            first.endedAt = Fixture.now
            _ = try await ledger.commit(
                Fixture.transaction([.replaceRotation(first, revision: 1), .insertRotation(second)]))
            #expect(try await ledger.load().authority.rotations.keys.sorted() == ["rot-2"])
            // An ended one cannot run again beside another.
            first.phase = .issuing
            first.endedAt = nil
            await #expect(throws: LedgerFailure.conflict(what: "the rotation of mesh 'b'")) {
                _ = try await ledger.commit(Fixture.transaction([.replaceRotation(first, revision: 2)]))
            }
            #expect(try await ledger.rotation("rot-1")?.rotation.phase == .aborted)
        }
    }

    @Test("lets exactly one of many begin a rotation of a mesh", arguments: LedgerKind.allCases)
    func race(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            _ = try await ledger.commit(Fixture.transaction([.insertMesh(Fixture.mesh("m"), at: Fixture.now)]))
            let results = await withTaskGroup(of: Result<Int64, LedgerFailure>.self) { group in
                for number in 1...UInt8(20) {
                    group.addTask {
                        do {
                            let move = try Fixture.move(number, of: "m", to: "corp")
                            return .success(try await ledger.commit(Fixture.transaction([.insertRotation(move)])))
                        } catch {
                            return .failure(error as? LedgerFailure ?? .rejected(detail: "\(error)"))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            let lost = Result<Int64, LedgerFailure>.failure(.conflict(what: "the rotation of mesh 'm'"))
            #expect(results.filter { $0 == .success(2) }.count == 1 && results.filter { $0 == lost }.count == 19)
            #expect(try await ledger.load().authority.rotations.count == 1)
        }
    }

    @Test("deletes no mesh that is in a rotation", arguments: LedgerKind.allCases)
    func deletion(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let name = try MeshName("m")
            var rotation = try Fixture.move(1, of: "m", to: "corp")
            _ = try await ledger.commit(
                Fixture.transaction([.insertMesh(Fixture.mesh("m"), at: Fixture.now), .insertRotation(rotation)]))
            let deletion = LedgerWrite.deleteMesh(name, revision: 1, freeAt: Fixture.now)
            await #expect(throws: LedgerFailure.conflict(what: "the rotation of mesh 'm'")) {
                _ = try await ledger.commit(Fixture.transaction([deletion]))
            }
            #expect(try await ledger.load().authority.meshes.count == 1)
            rotation.phase = .completed
            rotation.endedAt = Fixture.now
            _ = try await ledger.commit(
                Fixture.transaction([deletion, .replaceRotation(rotation, revision: 1)]))
            #expect(try await ledger.load().authority.meshes.isEmpty)
            #expect(try await ledger.rotations(RotationQuery(mesh: name)).items.map(\.rotation) == [rotation])
        }
    }

    @Test("pages rotations newest first, by mesh and by either certificate authority", arguments: LedgerKind.allCases)
    func pages(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            _ = try await ledger.commit(
                Fixture.transaction([
                    .insertMesh(Fixture.mesh("a"), at: Fixture.now), .insertMesh(Fixture.mesh("b"), at: Fixture.now),
                ]))
            for number in 1...UInt8(7) {
                let (mesh, authority) = (number % 2 == 0 ? "b" : "a", number < 4 ? "corp" : "other")
                var rotation = try Fixture.move(number, of: mesh, to: authority, phase: .completed)
                if number == 7 { rotation.previousAuthority = "corp" }
                _ = try await ledger.commit(Fixture.transaction([.insertRotation(rotation)]))
            }
            func read(_ query: RotationQuery, total: Int64) async throws -> [String] {
                var (query, ids) = (query, [String]())
                repeat {
                    let page = try await ledger.rotations(query)
                    #expect(page.total == total)
                    ids += page.items.map(\.rotation.id)
                    query.cursor = page.next
                } while query.cursor != nil
                return ids
            }
            #expect(try await read(RotationQuery(size: 3), total: 7) == (1...7).reversed().map { "rot-\($0)" })
            #expect(try await read(RotationQuery(mesh: MeshName("b"), size: 2), total: 3) == ["rot-6", "rot-4", "rot-2"])
            #expect(
                try await read(RotationQuery(certificateAuthority: "corp", size: 2), total: 4)
                    == ["rot-7", "rot-3", "rot-2", "rot-1"])
            #expect(try await read(RotationQuery(mesh: MeshName("b"), certificateAuthority: "corp"), total: 1) == ["rot-2"])
            #expect(try await read(RotationQuery(certificateAuthority: "corp\0"), total: 0).isEmpty)
            #expect(try await ledger.rotations(RotationQuery(size: 1)).items.first?.revision == 8)
        }
    }

    @Test("knows who holds an unexpired leaf, each with its latest end", arguments: LedgerKind.allCases)
    func outstandingLeaves(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let now = Fixture.now
            let (a, b) = (try MeshName("a"), try MeshName("b"))
            let other = IssuerID(random: [UInt8](repeating: 2, count: 8))
            func leaf(
                _ number: UInt64, _ end: Int64, mesh: String = "a", service: String = "api", proxy: String = "p",
                node: String? = "n", issuer: IssuerID? = nil
            ) throws -> CertificateRecord {
                var record = try Fixture.leaf(number, mesh: mesh, service: service, lifetime: .seconds(end))
                record.origin = CertificateRecord.Origin(tokenID: "t", proxy: proxy, tags: [:], node: node)
                if let issuer { record.issuer = issuer }
                return record
            }
            var issuing = try leaf(100, 9999)
            issuing.kind = .issuing
            let records = [
                // One holder: the newest is not the longest-lived, and another issuer's is among them.
                try leaf(1, 50), try leaf(2, 90), try leaf(3, 20), try leaf(4, 95, issuer: other),
                try leaf(5, 60, node: "n2"), try leaf(6, 70, node: nil), try leaf(7, 65, node: ""),
                try leaf(8, 80, service: "web"), try leaf(9, 75, proxy: "q"), try leaf(10, 85, mesh: "b"),
                try leaf(11, 0, service: "ended"), try leaf(12, 1, service: "ending"), issuing,
            ]
            try await ledger.record(records)
            #expect(try await ledger.certificate(Fixture.serial(6))?.origin?.node == nil)
            #expect(try await ledger.certificate(Fixture.serial(7))?.origin?.node == "")
            #expect(try await ledger.certificate(Fixture.serial(5)) == records[4])
            func outstanding(
                _ number: Int, _ end: Int64
            ) throws -> OutstandingLeaf {
                let record = records[number - 1]
                return OutstandingLeaf(
                    mesh: try #require(record.mesh), identity: try #require(record.identity),
                    proxy: try #require(record.origin).proxy, node: record.origin?.node, notAfter: now + .seconds(end))
            }
            let ofA = try [
                outstanding(1, 95), outstanding(8, 80), outstanding(9, 75), outstanding(6, 70), outstanding(7, 65),
                outstanding(5, 60), outstanding(12, 1),
            ]
            #expect(try await ledger.outstandingLeaves(in: [a], issuer: nil, issuedBefore: nil, at: now, limit: 100) == ofA)
            #expect(
                try await ledger.outstandingLeaves(in: [a, b], issuer: nil, issuedBefore: nil, at: now, limit: 3)
                    == [ofA[0], outstanding(10, 85), ofA[1]])
            let first = try #require(records.first?.issuer)
            #expect(
                try await ledger.outstandingLeaves(in: [a], issuer: first, issuedBefore: nil, at: now + .seconds(1), limit: 100)
                    == [outstanding(1, 90)] + ofA.dropFirst().dropLast())
            #expect(
                try await ledger.outstandingLeaves(in: [a, b], issuer: other, issuedBefore: nil, at: now, limit: 100) == [
                    outstanding(1, 95)
                ])
            #expect(try await ledger.outstandingLeaves(in: [b], issuer: other, issuedBefore: nil, at: now, limit: 100).isEmpty)
            #expect(
                try await ledger.outstandingLeaves(in: [a, b], issuer: nil, issuedBefore: nil, at: now + .seconds(95), limit: 9)
                    .isEmpty)
            #expect(
                try await ledger.outstandingLeaves(in: [a, b], issuer: nil, issuedBefore: Fixture.now, at: now, limit: 9).isEmpty)
            #expect(
                try await ledger.outstandingLeaves(
                    in: [a], issuer: nil, issuedBefore: Fixture.now + .milliseconds(1), at: now, limit: 100) == ofA)
            #expect(try await ledger.outstandingLeaves(in: [], issuer: nil, issuedBefore: nil, at: now, limit: 100).isEmpty)
            #expect(try await ledger.outstandingLeaves(in: [a], issuer: nil, issuedBefore: nil, at: now, limit: 0).isEmpty)
        }
    }

    @Test("keeps a replica's last report, and gives those of the living", arguments: LedgerKind.allCases)
    func reports(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let blocker = RotationBlocker(
                mesh: try MeshName("m"), identity: try SPIFFEID("spiffe://m/api"), proxy: "p\0", node: "n \" é", resource: "r",
                reason: .rejected, detail: "Envoy's\nown \0 words", until: Fixture.now)
            let keys = (0..<10_000 as Range<UInt64>).map {
                SubscriptionKey(SubscriberKey($0 &* 0x9E37_79B9_7F4A_7C15), resource: 7)
            }
            let report = ReplicaReport(
                replica: "a", revision: 7,
                rotations: [
                    "rot-1": RotationProgress(
                        revision: 5, hasIssuingCertificates: true, settled: SubscriberSet(keys), pendingCount: 1,
                        pending: [blocker])
                ])
            let minute = Duration.seconds(60)
            #expect(try await ledger.reports(within: minute).isEmpty)
            try await ledger.report(report, of: "a")
            try await ledger.report(nil, of: "b")
            // One that lives and has told nothing yet serves nothing yet.
            let silent = ReplicaReport(replica: "b", revision: 0, rotations: [:])
            #expect(try await ledger.reports(within: minute) == [report, silent])
            try await ledger.report(nil, of: "a")
            #expect(try await ledger.reports(within: minute) == [report, silent])
            let next = ReplicaReport(replica: "a", revision: 8, rotations: [:])
            try await ledger.report(next, of: "a")
            try await ledger.withdrawReport(of: "b")
            try await ledger.withdrawReport(of: "b")
            #expect(try await ledger.reports(within: minute) == [next])
            #expect(try await ledger.revision() == 0)
        }
    }

    @Test("gives every replica's row, without the reports that are known already", arguments: LedgerKind.allCases)
    func replicaRows(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let minute = Duration.seconds(60)
            func rows(_ known: [String: Int64] = [:], besides own: String = "") async throws -> [ReplicaRow] {
                try await ledger.replicaRows(livingWithin: minute, known: known, besides: own)
            }
            #expect(try await rows().isEmpty)
            let report = ReplicaReport(replica: "a", revision: 7, rotations: [:])
            try await ledger.report(report, of: "a")
            try await ledger.report(nil, of: "b")
            try await ledger.report(ReplicaReport(replica: "c", revision: 2, rotations: [:]), of: "c")
            try await ledger.withdrawReport(of: "c")
            let first = try await rows()
            #expect(first.map(\.replica) == ["a", "b", "c"] && first.map(\.isLiving) == [true, true, false])
            #expect(first.map { $0.report?.revision } == [7, 0, 2])
            #expect(try await rows(besides: "a").map { $0.report?.revision } == [nil, 0, 2])
            #expect(try await ledger.livingReplicas(within: minute) == ["a", "b"])
            // Read again, nothing is sent that is known.
            let known = Dictionary(uniqueKeysWithValues: first.map { ($0.replica, $0.edition) })
            let again = try await rows(known)
            #expect(again.map(\.report) == [nil, nil, nil] && again.map(\.edition) == first.map(\.edition))
            // Whatever is written is another edition: news, and a heartbeat.
            try await ledger.report(ReplicaReport(replica: "a", revision: 8, rotations: [:]), of: "a")
            try await ledger.report(nil, of: "b")
            let later = try await rows(known)
            #expect(later.map { $0.report?.revision } == [8, 0, nil])
            #expect(later[0].edition != first[0].edition && later[1].edition != first[1].edition)
            // What is known of one is nothing of another.
            #expect(
                try await rows(["b": later[0].edition, "nobody": later[1].edition]).map { $0.report?.revision } == [8, 0, 2])
        }
    }

    @Test("counts a replica as living while it says so, and finds its report again", arguments: LedgerKind.allCases)
    func liveness(_ kind: LedgerKind) async throws {
        try await kind.withLedger { ledger in
            let window = Duration.milliseconds(300)
            let (a, b) = (
                ReplicaReport(replica: "a", revision: 1, rotations: [:]), ReplicaReport(replica: "b", revision: 2, rotations: [:])
            )
            try await ledger.report(a, of: "a")
            try await ledger.report(b, of: "b")
            let isAlone = try await eventually {
                try await ledger.report(nil, of: "b")
                return try await ledger.reports(within: window) == [b]
            }
            #expect(isAlone)
            #expect(try await ledger.reports(within: .seconds(600)) == [a, b])
            try await ledger.report(nil, of: "a")
            #expect(try await ledger.reports(within: .seconds(600)) == [a, b])
        }
    }

    @Test func `a replica that was away for more than a day is removed, and its report with it`() async throws {
        let clock = Mutex(Fixture.now)
        let ledger = MemoryLedger(now: { clock.withLock { $0 } })
        try await ledger.report(ReplicaReport(replica: "a", revision: 1, rotations: [:]), of: "a")
        clock.withLock { $0 = $0 + .seconds(86_401) }
        #expect(try await ledger.reports(within: .seconds(10)).isEmpty)
        #expect(ledger.disk.store.replicas.isEmpty)
    }

    @Test func `a replica's report waits and fails as any other call`() async throws {
        let ledger = MemoryLedger()
        ledger.inject(.unavailable, into: .report)
        await #expect(throws: LedgerFailure.unavailable(detail: "injected")) { try await ledger.report(nil, of: "a") }
        #expect(try await ledger.reports(within: .seconds(10)).isEmpty)
        ledger.inject(.persistedThenFailed, into: .report)
        await #expect(throws: LedgerFailure.outcomeUnknown(detail: "injected, persisted")) {
            try await ledger.report(nil, of: "a")
        }
        #expect(try await ledger.reports(within: .seconds(10)).count == 1)
    }
}
