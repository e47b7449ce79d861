import Authority
import PKI
import TestSupport
import Testing

@testable import AuthorityService

/// A tally looks only at what changed, and comes to what a look at everything does.
@Suite("Tallies of rotations", .timeLimit(.minutes(2)))
struct ProgressTallyTests {
    /// A proxy as the registry sees it, which does whatever a test draws.
    private struct Actor {
        var caller: Caller
        var node: String
        var streams: [ProxyRegistry.StreamID] = []
        var leaf: DeliveredLeaf?
    }

    /// The meshes `a` and `b` share a certificate authority, `c` has its own, and a door leads from `c` to `a`.
    private static func world() async throws -> Cluster {
        let cluster = try await Cluster.started()
        try await cluster.makeMeshes("a", "b", "c")
        try await cluster.makeAuthority("corp")
        try await cluster.shareAndComplete("corp", "a", "b")
        _ = try await cluster.authority.put(
            CrossMeshAccess(
                name: "c-to-a", from: .init(mesh: try MeshName("c"), services: nil),
                to: .init(mesh: try MeshName("a"), services: nil)), ifMatch: nil, by: Cluster.alice)
        return cluster
    }

    private static func expectSame(
        _ tally: inout ProgressTally, _ cluster: Cluster, _ what: String, _ at: SourceLocation = #_sourceLocation
    ) async throws {
        let authority = cluster.authority
        let snapshot = try authority.snapshot
        tally.look(at: snapshot, authority.proxies)
        let reference = ProgressReference(snapshot: snapshot, subscribers: authority.proxies.subscribers())
        for (id, entry) in snapshot.authority.rotations {
            let wanted = reference.progress(of: entry)
            let progress = tally.progress(of: id, in: snapshot, authority.proxies)
            var found = try #require(progress, sourceLocation: at)
            #expect(found.pending.count == min(found.pendingCount, RotationProgress.mostBlockers), sourceLocation: at)
            #expect(tally.isHeld(id) == (wanted.pendingCount > 0), sourceLocation: at)
            found.pending = []
            #expect(found == wanted, "after \(what)", sourceLocation: at)
        }
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `whatever proxies, operators and time do, the tally is what a look at everything gives`(seed: UInt64) async throws {
        let cluster = try await Self.world()
        let authority = cluster.authority
        var random = SeededNumbers(seed: seed)
        var actors: [Actor] = []
        for (mesh, service) in [("a", "api"), ("a", "web"), ("b", "job"), ("c", "shop"), ("c", "cart")] {
            let caller = try await cluster.first.caller(mesh: mesh, service: service)
            for node in ["n1", "n2"] { actors.append(Actor(caller: caller, node: node)) }
        }
        var tally = ProgressTally()
        let names: [(String, SecretName)] = [
            ("default", .identity), ("ROOTCA", .meshTrust), ("ALL", .allTrust), ("in", .peers), ("out", .destinations),
        ]
        try await Self.expectSame(&tally, cluster, "the start")
        for step in 0..<220 {
            let index = Int.random(in: actors.indices, using: &random)
            let now = cluster.clock.now
            let what: String
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<18:
                what = "a stream opened"
                actors[index].streams.append(authority.proxies.opened(actors[index].caller, node: actors[index].node, at: now))
            case 18..<26:
                what = "a stream closed"
                if let stream = actors[index].streams.popLast() { authority.proxies.closed(stream, at: now) }
            case 26..<30:
                what = "a name was given up"
                if let stream = actors[index].streams.last, let name = names.randomElement(using: &random)?.0 {
                    authority.proxies.forget(stream, resource: name)
                }
            case 30..<84:
                what = "a report"
                guard let stream = actors[index].streams.randomElement(using: &random),
                    let (resource, name) = names.randomElement(using: &random)
                else { continue }
                if name == .identity, actors[index].leaf == nil || Int.random(in: 0..<3, using: &random) == 0 {
                    actors[index].leaf = try? await authority.issueLeaf(for: actors[index].caller, node: actors[index].node)
                }
                let version =
                    name == .identity
                    ? actors[index].leaf?.version : try? authority.trust(name, for: actors[index].caller).version
                var status = SubscriptionStatus(resource: resource, meaning: name, sentVersion: version, sentAt: now)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: break
                case 1: status.ackedVersion = "old"
                case 2:
                    status.ackedVersion = version
                    status.sentVersion = "later"
                case 3:
                    status.ackedVersion = version
                    status.sentVersion = "rejected"
                    status.nack = .init(version: "rejected", message: "no", at: now)
                default: status.ackedVersion = version
                }
                if name == .identity { status.leaf = actors[index].leaf?.held }
                authority.proxies.report(stream, status)
            case 84..<88:
                what = "time went by"
                cluster.clock.advance(by: .seconds(Int64.random(in: 1...70, using: &random)))
                authority.proxies.sweep(at: cluster.clock.now) { _ in .seconds(60) }
            case 88..<92:
                what = "a rotation began"
                let name = ["corp", "c.ca-1"].randomElement(using: &random) ?? "corp"
                _ = try? await authority.rotate(RotationRequest(certificateAuthority: name, isManual: true), by: Cluster.alice)
            case 92..<97:
                what = "a rotation went on"
                guard let rotation = cluster.running.randomElement(using: &random)?.rotation else { continue }
                // Its own row may have grown old, while nothing runs.
                try await cluster.first.ledger.report(nil, of: authority.instance)
                _ = try? await authority.steer(rotation.id, .advance(force: true), reason: "test", by: Cluster.alice)
            case 97..<98:
                what = "a rotation was paused or resumed"
                guard let rotation = cluster.running.randomElement(using: &random)?.rotation else { continue }
                _ = try? await authority.steer(
                    rotation.id, rotation.isPaused ? .resume : .pause, reason: nil, by: Cluster.alice)
            case 98..<99:
                what = "a door went or came"
                let door = try CrossMeshAccess(
                    name: "b-to-c", from: .init(mesh: MeshName("b"), services: nil), to: .init(mesh: MeshName("c"), services: nil)
                )
                if let there = authority.state.crossMeshAccesses[door.name] {
                    try await authority.delete(crossMeshAccess: door.name, ifMatch: there.revision, by: Cluster.alice)
                } else {
                    _ = try await authority.put(door, ifMatch: nil, by: Cluster.alice)
                }
            default:
                what = "a mesh's document changed"
                var mesh = try cluster.mesh("b")
                mesh.isolated.toggle()
                _ = try await authority.put(mesh, ifMatch: nil, by: Cluster.alice)
            }
            try await Self.expectSame(&tally, cluster, "\(what), step \(step)")
        }
    }

    @Test func `a tally says when somebody begins to lag, and when the last one settles`() async throws {
        let world = try await SharedWorld(.own)
        let authority = world.authority
        var tally = ProgressTally()
        tally.look(at: try authority.snapshot, authority.proxies)
        #expect(!tally.isNews && !tally.mayOpen)
        let rotation = try await world.rotate()
        tally.look(at: try authority.snapshot, authority.proxies)
        #expect(tally.isNews && tally.mayOpen && tally.isHeld(rotation.id))
        tally.tell()
        // One of two settles: nothing that anybody must know at once.
        try await world.proxies[0].follow()
        let edition = tally.edition
        tally.look(at: try authority.snapshot, authority.proxies)
        #expect(!tally.isNews && !tally.mayOpen && tally.isHeld(rotation.id) && tally.edition > edition)
        try await world.proxies[1].follow()
        tally.look(at: try authority.snapshot, authority.proxies)
        #expect(tally.isNews && tally.mayOpen && !tally.isHeld(rotation.id))
        tally.tell()
        tally.look(at: try authority.snapshot, authority.proxies)
        #expect(!tally.isNews && !tally.mayOpen)
        // Another one comes, who has nothing yet.
        let late = try await FollowingProxy("payments", "late", at: world.cluster.first)
        late.open()
        late.reject(.peers, saying: "no")
        tally.look(at: try authority.snapshot, authority.proxies)
        #expect(tally.isNews && !tally.mayOpen && tally.isHeld(rotation.id))
    }
}
