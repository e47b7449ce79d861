import Authority
import AuthorityService
import PKI
import TestSupport
import Testing

@Suite("Doors between meshes", .timeLimit(.minutes(1)))
struct CrossMeshAccessTests {
    private typealias Door = CrossMeshAccess

    private static func door(
        _ name: String = "orders-to-payments", from: String = "orders", fromServices: [String]? = nil,
        to: String = "payments", toServices: [String]? = nil
    ) throws -> CrossMeshAccess {
        CrossMeshAccess(
            name: name, from: Door.Side(mesh: try MeshName(from), services: fromServices),
            to: Door.Side(mesh: try MeshName(to), services: toServices))
    }

    /// The meshes `orders` and `payments`, each with a CA of its own.
    private static func started() async throws -> Service {
        let service = try await Service.started()
        for mesh in ["orders", "payments"] { try await service.makeMesh(mesh) }
        return service
    }

    private static func put(_ door: CrossMeshAccess, ifMatch: Int64? = nil, in service: Service) async throws -> PutOutcome {
        try await service.authority.put(door, ifMatch: ifMatch, by: Service.administrator)
    }

    /// The fields that a refusal names; nil if it was none of that kind.
    private static func invalidFields(_ door: CrossMeshAccess, in service: Service) async -> [String]? {
        do {
            _ = try await service.authority.put(door, ifMatch: nil, by: Service.administrator)
            return nil
        } catch {
            guard case .invalid(let parameters) = error else { return nil }
            return parameters.map(\.field)
        }
    }

    @Test func `a door changes the peers of its target and nobody else's, and wakes the listeners`() async throws {
        let service = try await Self.started()
        let (orders, payments) = (try await service.caller(mesh: "orders"), try await service.caller(mesh: "payments"))
        let before = try service.authority.trust(.peers, for: payments)
        let ordersBefore = try service.authority.trust(.peers, for: orders)
        let changes = service.authority.changes()
        let outcome = try await Self.put(Self.door(), in: service)
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() != nil)
        let opened = try service.authority.trust(.peers, for: payments)
        #expect(opened.version != before.version)
        #expect(opened.context.admits(orders.identity) && !before.context.admits(orders.identity))
        let root = try #require(service.authority.state.activeIssuer(of: orders.mesh)).certificate
        #expect(opened.context.trustDomains[orders.identity.trustDomain] == [root])
        #expect(try service.authority.trust(.peers, for: orders).version == ordersBefore.version)
        let entry = try #require(service.authority.state.crossMeshAccesses["orders-to-payments"])
        #expect(outcome == .created(revision: entry.revision))
        #expect(entry.createdAt == service.clock.now)
    }

    @Test func `a deleted door is gone from the contexts, which are as before it, and the listeners hear of it`() async throws {
        let service = try await Self.started()
        let (orders, payments) = (try await service.caller(mesh: "orders"), try await service.caller(mesh: "payments"))
        let before = try service.authority.trust(.peers, for: payments).version
        let destinations = try service.authority.trust(.destinations, for: orders).version
        _ = try await Self.put(Self.door(), in: service)
        #expect(try service.authority.trust(.destinations, for: orders).version != destinations)
        let changes = service.authority.changes()
        try await service.authority.delete(crossMeshAccess: "orders-to-payments", ifMatch: nil, by: Service.administrator)
        var iterator = changes.makeAsyncIterator()
        #expect(await iterator.next() != nil)
        #expect(try service.authority.trust(.peers, for: payments).version == before)
        #expect(try service.authority.trust(.destinations, for: orders).version == destinations)
        #expect(service.authority.state.crossMeshAccesses.isEmpty)
        await #expect(throws: AuthorityError.notFound(kind: "CrossMeshAccess", name: "orders-to-payments")) {
            try await service.authority.delete(crossMeshAccess: "orders-to-payments", ifMatch: nil, by: Service.administrator)
        }
    }

    @Test func `a replaced door admits whom it names now`() async throws {
        let service = try await Self.started()
        let payments = try await service.caller(mesh: "payments")
        let (web, job) = (
            try await service.caller(mesh: "orders", service: "web"), try await service.caller(mesh: "orders", service: "job")
        )
        guard case .created(let revision) = try await Self.put(Self.door(), in: service) else {
            Issue.record("the door was there already")
            return
        }
        service.clock.advance(by: .seconds(5))
        let narrow = try Self.door(fromServices: ["web"])
        #expect(try await Self.put(narrow, ifMatch: revision, in: service) == .replaced(revision: revision + 1))
        let context = try service.authority.trust(.peers, for: payments).context
        #expect(context.admits(web.identity) && !context.admits(job.identity))
        let entry = try #require(service.authority.state.crossMeshAccesses[narrow.name])
        #expect(entry.access == narrow && entry.modifiedAt == service.clock.now)
        #expect(entry.createdAt == service.clock.now - .seconds(5))
    }

    @Test func `a chain of the other mesh is accepted through the door and only while it is open`() async throws {
        let service = try await Self.started()
        let chain = try await Service.chain(of: service.authority.issueLeaf(for: service.caller(mesh: "orders"), node: "node-1"))
        let payments = try MeshName("payments")
        #expect(
            try service.authority.verify(chain: chain, mesh: payments, service: nil).reason == "unknown-trust-domain")
        _ = try await Self.put(Self.door(), in: service)
        #expect(try service.authority.verify(chain: chain, mesh: payments, service: nil).isAccepted)
        let back = try await Service.chain(of: service.authority.issueLeaf(for: service.caller(mesh: "payments"), node: "node-1"))
        #expect(try !service.authority.verify(chain: back, mesh: MeshName("orders"), service: nil).isAccepted)
        try await service.authority.delete(crossMeshAccess: "orders-to-payments", ifMatch: nil, by: Service.administrator)
        #expect(
            try service.authority.verify(chain: chain, mesh: payments, service: nil).reason == "unknown-trust-domain")
    }

    @Test func `a revision that is not the current one loses, for a replacement as for a deletion`() async throws {
        let service = try await Self.started()
        let door = try Self.door()
        func isLost(_ act: () async throws -> Void) async -> Bool {
            do {
                try await act()
                return false
            } catch {
                return if case .preconditionFailed = error as? AuthorityError { true } else { false }
            }
        }
        #expect(await isLost { _ = try await Self.put(door, ifMatch: 1, in: service) })
        _ = try await Self.put(door, ifMatch: 0, in: service)
        let revision = try #require(service.authority.state.crossMeshAccesses[door.name]?.revision)
        for stale in [0, revision - 1, revision + 1] {
            #expect(await isLost { _ = try await Self.put(door, ifMatch: stale, in: service) })
            #expect(
                await isLost {
                    try await service.authority.delete(crossMeshAccess: door.name, ifMatch: stale, by: Service.administrator)
                })
        }
        #expect(service.authority.state.crossMeshAccesses[door.name]?.revision == revision)
        try await service.authority.delete(crossMeshAccess: door.name, ifMatch: revision, by: Service.administrator)
    }

    @Test func `a door that cannot be is refused by field, and nothing changes`() async throws {
        let service = try await Self.started()
        let revision = try await service.ledger.revision()
        let long = String(repeating: "x", count: 254)
        let cases: [(CrossMeshAccess, [String])] = [
            (try Self.door("Not_A_Label"), ["name"]), (try Self.door(""), ["name"]),
            (try Self.door(from: "nowhere"), ["from.mesh"]), (try Self.door(to: "nowhere"), ["to.mesh"]),
            (try Self.door(from: "no", to: "where"), ["from.mesh", "to.mesh"]),
            (try Self.door(to: "orders"), ["to.mesh"]), (try Self.door(fromServices: []), ["from.services"]),
            (try Self.door(toServices: []), ["to.services"]),
            (
                try Self.door(fromServices: ["web", "", "a\0b", long], toServices: ["api", "a\n"]),
                ["from.services[1]", "from.services[2]", "from.services[3]", "to.services[1]"]
            ),
        ]
        for (door, fields) in cases { #expect(await Self.invalidFields(door, in: service) == fields) }
        let empty = await #expect(throws: AuthorityError.self) {
            try await Self.put(Self.door(toServices: []), in: service)
        }
        #expect(empty?.description.contains("leave `services` out for all") == true)
        #expect(try await service.ledger.revision() == revision)
    }

    @Test func `a mesh that another replica made a moment ago is known`() async throws {
        let service = try await Service.started()
        let other = try Service(ledger: service.ledger, keyEncryptionKey: service.keyEncryptionKey)
        try await other.authority.start()
        for mesh in ["orders", "payments"] { try await other.makeMesh(mesh) }
        #expect(service.authority.state.meshes.count == 1)
        _ = try await Self.put(Self.door(), in: service)
    }

    @Test func `a mesh that a door names is not deleted, and the error names the doors`() async throws {
        let service = try await Self.started()
        _ = try await Self.put(Self.door("b"), in: service)
        _ = try await Self.put(Self.door("a", from: "payments", to: "orders"), in: service)
        for mesh in ["orders", "payments"] {
            let error = await #expect(throws: AuthorityError.self) {
                try await service.authority.delete(mesh: MeshName(mesh), ifMatch: nil, by: Service.administrator)
            }
            guard case .conflict(let detail) = error else {
                Issue.record("\(String(describing: error)) is no conflict")
                continue
            }
            #expect(detail.hasSuffix(": a, b"))
        }
        for door in ["a", "b"] {
            try await service.authority.delete(crossMeshAccess: door, ifMatch: nil, by: Service.administrator)
        }
        try await service.authority.delete(mesh: MeshName("orders"), ifMatch: nil, by: Service.administrator)
    }

    @Test func `a replica that has not heard of the door cannot delete its mesh either`() async throws {
        let service = try await Self.started()
        let other = try Service(ledger: service.ledger, keyEncryptionKey: service.keyEncryptionKey)
        try await other.authority.start()
        _ = try await Self.put(Self.door(), in: service)
        await #expect(throws: AuthorityError.ledger(.conflict(what: "a mesh of a CrossMeshAccess"))) {
            try await other.authority.delete(mesh: MeshName("payments"), ifMatch: nil, by: Service.administrator)
        }
    }

    @Test func `each act on a door is in the audit trail of the mesh that it opens`() async throws {
        let service = try await Self.started()
        _ = try await Self.put(Self.door(), in: service)
        _ = try await Self.put(Self.door(fromServices: ["web", "job"], toServices: ["api"]), in: service)
        try await service.authority.delete(crossMeshAccess: "orders-to-payments", ifMatch: nil, by: Service.administrator)
        let entries = try await service.authority.audit(AuditQuery(mesh: MeshName("payments"))).items
            .filter { $0.object == "orders-to-payments" }
        #expect(
            entries.map(\.action) == [
                "cross-mesh-access-deleted", "cross-mesh-access-replaced", "cross-mesh-access-created",
            ])
        #expect(entries.allSatisfy { $0.actor == "user:alice" && $0.requestID == "r-1" })
        let narrow = ["from": "orders", "to": "payments", "from-services": "web job", "to-services": "api"]
        #expect(entries.map(\.details) == [narrow, narrow, ["from": "orders", "to": "payments"]])
    }

    @Test func `a door that could not be stored opens nothing`() async throws {
        let service = try await Self.started()
        let payments = try await service.caller(mesh: "payments")
        let before = try service.authority.trust(.peers, for: payments).version
        service.ledger.inject(.unavailable, into: .commit)
        await #expect(throws: AuthorityError.self) { try await Self.put(Self.door(), in: service) }
        #expect(try service.authority.trust(.peers, for: payments).version == before)
        #expect(try await service.ledger.load().authority.crossMeshAccesses.isEmpty)
    }

    @Test func `a proxy is admitted through a door for its service once it has a token`() async throws {
        let service = try await Self.started()
        let payments = try await service.caller(mesh: "payments")
        let before = try service.authority.trust(.peers, for: payments).version
        _ = try await Self.put(Self.door(fromServices: ["web"]), in: service)
        // Nobody is behind the service yet: not even its trust domain is bound.
        #expect(try service.authority.trust(.peers, for: payments).version == before)
        let web = try await service.caller(mesh: "orders", service: "web")
        _ = try await Self.put(Self.door("second", from: "payments", to: "orders"), in: service)
        #expect(try service.authority.trust(.peers, for: payments).context.admits(web.identity))
        try await service.authority.revokeToken(web.tokenID, by: Service.administrator)
        #expect(try service.authority.trust(.peers, for: payments).version == before)
    }
}
