import Foundation
import TestSupport
import Testing

/// A door between two meshes of different CAs, with real Envoys on both sides and nothing but `signet envoy bootstrap`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct CrossMeshAccessTests {
    @Test func `a door lets the named services through, one way, until it is shut, and trust check says what the Envoys do`()
        async throws
    {
        try await World.open("door") { world in
            try await world.makeMesh("edge")
            try await world.makeMesh("shop")
            let rooms = try await world.startRooms()
            let everyWay = [rooms.gatewayToAPI, rooms.gatewayToDatabase, rooms.otherToAPI, rooms.apiToGateway]
            for way in everyWay { try await world.expect(way, isOpen: false, reason: "no-door") }
            try await world.expectWall(rooms)

            // The documents of the meshes once more, in one file with the door: it changes nothing of them.
            let documents = try await ["edge", "shop"].asyncMap {
                try await world.signet.command("get", "mesh", $0, "-o", "yaml")
            }
            let file = try world.workspace.write((documents + [Self.door]).joined(separator: "---\n"), to: "door.yaml")
            let preview = try await world.signet.command("apply", "-f", file, "--dry-run")
            #expect(
                preview == "mesh 'edge' unchanged\nmesh 'shop' unchanged\n"
                    + "CrossMeshAccess 'gateway' would be created\n  shop would begin to accept edge\n")
            try await world.expect(rooms.gatewayToAPI, isOpen: false, reason: "no-door")
            let applied = try await world.signet.command("apply", "-f", file)
            #expect(applied == "mesh 'edge' replaced\nmesh 'shop' replaced\nCrossMeshAccess 'gateway' created\n")

            try await eventually(within: .seconds(10), "a request through the door") {
                try await world.passes(rooms.gatewayToAPI)
            }
            for _ in 0..<20 { try await world.expect(rooms.gatewayToAPI, isOpen: true, reason: "door") }
            try await world.expect(rooms.gatewayToDatabase, isOpen: false, reason: "not-through-door")
            try await world.expect(rooms.otherToAPI, isOpen: false, reason: "not-through-door")
            try await world.expect(rooms.apiToGateway, isOpen: false, reason: "no-door")
            try await world.expectWall(rooms)
            let cells = try await world.signet.json(MatrixReport.self, "trust", "matrix").cells
            #expect(cells.contains(.init(from: "edge", to: "shop", extent: "some", through: ["gateway"])), "\(cells)")
            #expect(cells.contains(.init(from: "shop", to: "edge", extent: "none", through: [])), "\(cells)")

            #expect(try await world.adminRequest("DELETE", "/cross-mesh-accesses/gateway") == #"{"warnings":[]}"#)

            try await eventually(within: .seconds(10), "the door to be shut") { try await !world.passes(rooms.gatewayToAPI) }
            for _ in 0..<20 { #expect(try await !world.passes(rooms.gatewayToAPI)) }
            for way in everyWay { try await world.expect(way, isOpen: false, reason: "no-door") }
            try await world.expectWall(rooms)
            #expect(try await world.passes(rooms.withinShop), "the mesh itself goes on")
            for word in ["cross-mesh-access-created", "cross-mesh-access-deleted"] { try await world.waitForAudit(word) }
        }
    }

    private static let door = """
        apiVersion: kuma.io/v1alpha1
        kind: CrossMeshAccess
        metadata: {name: gateway}
        spec:
          from: {mesh: edge, services: [gateway]}
          to: {mesh: shop, services: [api]}
        """
}

/// One way from a proxy to another: the local port that leads there, and what comes back if it is open.
private struct Way: Sendable {
    let port: Int
    let from: String
    let to: String
    let answer: String
}

/// `edge` with a gateway and another service, `shop` with an API and a database.
private struct Rooms: Sendable {
    let gatewayToAPI: Way
    let gatewayToDatabase: Way
    let otherToAPI: Way
    let apiToGateway: Way
    let withinShop: Way
    /// Clients that accept whatever a server shows: here the server's side alone decides.
    let other: FetchedIdentity
    let database: FetchedIdentity
    let api: Proxy
    let gateway: Proxy
}

/// What `signet trust matrix -o json` prints.
private struct MatrixReport: Decodable, Sendable {
    let cells: [Cell]

    struct Cell: Decodable, Sendable, Hashable {
        let from: String
        let to: String
        let extent: String
        let through: [String]
    }
}

extension World {
    fileprivate func startRooms() async throws -> Rooms {
        var gateway = try Proxy.Plan(mesh: "edge", service: "gateway")
        var other = try Proxy.Plan(mesh: "edge", service: "other")
        var api = try Proxy.Plan(mesh: "shop", service: "api")
        let database = try Proxy.Plan(mesh: "shop", service: "database")
        func way(_ port: Int, _ from: Proxy.Plan, _ to: Proxy.Plan) -> Way {
            Way(port: port, from: from.identity, to: to.identity, answer: to.name + "\n")
        }
        let gatewayToAPI = way(try gateway.call(api), gateway, api)
        let gatewayToDatabase = way(try gateway.call(database), gateway, database)
        let otherToAPI = way(try other.call(api), other, api)
        let apiToGateway = way(try api.call(gateway), api, gateway)
        let withinShop = way(try api.call(database), api, database)
        let gatewayProxy = try await start(gateway)
        _ = try await start(other)
        let apiProxy = try await start(api)
        _ = try await start(database)
        #expect(try await passes(withinShop), "the Envoys are up and the mesh itself is open")
        return Rooms(
            gatewayToAPI: gatewayToAPI, gatewayToDatabase: gatewayToDatabase, otherToAPI: otherToAPI,
            apiToGateway: apiToGateway, withinShop: withinShop,
            other: try await fetchIdentity(
                token: try await makeToken("outside.token", mesh: "edge", service: "other"), named: "outside"),
            database: try await fetchIdentity(
                token: try await makeToken("inside.token", mesh: "shop", service: "database"), named: "inside"),
            api: apiProxy, gateway: gatewayProxy)
    }

    /// Whether a request on a connection of its own is answered by the peer.
    fileprivate func passes(_ way: Way) async throws -> Bool {
        let answer = try await Tool("curl", install: "apt-get install curl").run([
            "--silent", "--no-keepalive", "--max-time", "10", "http://127.0.0.1:\(way.port)/",
        ])
        // 28 is the time limit: an answer that never comes is neither open nor shut.
        #expect(answer.status != 28, "\(answer)")
        return answer.status == 0 && answer.output == way.answer
    }

    /// The Envoys and `trust check` agree.
    fileprivate func expect(_ way: Way, isOpen: Bool, reason: String) async throws {
        #expect(try await passes(way) == isOpen, "\(way)")
        let check = try await signet.commandLine.run(["trust", "check", "--from", way.from, "--to", way.to])
        #expect(check.status == (isOpen ? 0 : 1), "\(check)")
        #expect(check.output.hasPrefix((isOpen ? "accepted: " : "refused: ") + reason + ": "), "\(check)")
    }

    /// The server's side refuses, by itself, a service that no door names, and every service that comes the other way.
    fileprivate func expectWall(_ rooms: Rooms) async throws {
        for (server, client) in [(rooms.api, rooms.other), (rooms.gateway, rooms.database)] {
            let before = try await server.envoy.inbound("ssl.fail_verify_error") + server.envoy.inbound("ssl.fail_verify_san")
            let refused = try await request(server.plan.inbound, with: client)
            #expect(!refused.output.contains(server.plan.name), "\(refused)")
            try await eventually(within: .seconds(5), "the refusal in Envoy's statistics") {
                try await server.envoy.inbound("ssl.fail_verify_error") + server.envoy.inbound("ssl.fail_verify_san") > before
            }
        }
    }
}

extension Sequence where Element: Sendable {
    /// One after the other.
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
