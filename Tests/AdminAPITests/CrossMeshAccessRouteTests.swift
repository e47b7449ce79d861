import AdminWire
import Hummingbird
import Testing

@Suite struct CrossMeshAccessRouteTests {
    @Test func `a door is opened, read, replaced and shut`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let created = try await bench.putDoor("d", from: #"{"mesh":"orders","services":["web"]}"#)
            #expect(created.status == 201 && created.text == #"{"warnings":[]}"#)
            let read = try await bench.send(.get, "/cross-mesh-accesses/d")
            #expect(read.status == 200 && read.headers[.eTag] == created.headers[.eTag])
            #expect(
                read.text
                    == #"{"type":"CrossMeshAccess","name":"d","creationTime":"2027-01-15T08:00:00Z","modificationTime":"2027-01-15T08:00:00Z","#
                    + #""from":{"mesh":"orders","services":["web"]},"to":{"mesh":"default"}}"#)
            bench.clock.advance(by: .seconds(60))
            let replaced = try await bench.putDoor("d", from: #"{"mesh":"orders"}"#)
            #expect(replaced.status == 200 && replaced.headers[.eTag] != created.headers[.eTag])
            let again = try await bench.send(.get, "/cross-mesh-accesses/d")
            #expect(again.json?["from"] == .object([.init("mesh", .string("orders"))]))
            #expect(again.json?["creationTime"]?.text == "2027-01-15T08:00:00Z")
            #expect(again.json?["modificationTime"]?.text == "2027-01-15T08:01:00Z")
            let back = try await bench.send(.put, "/cross-mesh-accesses/d", type: "application/json", body: again.text)
            #expect(back.status == 200, "what was read can be written back: \(back.text)")
            let shut = try await bench.send(.delete, "/cross-mesh-accesses/d")
            #expect(shut.status == 200 && shut.text == #"{"warnings":[]}"#)
            for method in [HTTPRequest.Method.get, .delete] {
                let gone = try await bench.send(method, "/cross-mesh-accesses/d")
                #expect(gone.status == 404 && gone.problem?.detail == "there is no CrossMeshAccess 'd'")
            }
        }
    }

    @Test func `YAML and the Kubernetes form are read too`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let yaml =
                "apiVersion: kuma.io/v1alpha1\nkind: CrossMeshAccess\nmetadata: {name: d}\n"
                + "spec:\n  from: {mesh: orders}\n  to:\n    mesh: default\n    services: [api]\n"
            #expect(
                try await bench.send(.put, "/cross-mesh-accesses/d", type: "application/yaml", body: yaml).status == 201)
            let door = try #require(bench.authority.state.crossMeshAccesses["d"]?.access)
            #expect(door.from.services == nil && door.to.services == ["api"])
        }
    }

    @Test(arguments: [
        (#""name":"d","from":{"mesh":"orders","service":["a"]},"to":{"mesh":"default"}"#, ["from.service"]),
        (#""name":"d","from":{"mesh":"orders","services":[]},"to":{"mesh":"default"}"#, ["from.services"]),
        (#""name":"d","from":{"mesh":"default"},"to":{"mesh":"default"}"#, ["to.mesh"]),
        (#""name":"d","from":{"mesh":"none"},"to":{"mesh":"nowhere"}"#, ["from.mesh", "to.mesh"]),
        (#""name":"other","from":{"mesh":"orders"},"to":{"mesh":"default"}"#, ["name"]),
        (#""name":"D","from":{"mesh":"orders"},"to":{"mesh":"default"}"#, ["name"]),
    ]) func `a door that cannot be is refused by field, and nothing is half done`(members: String, fields: [String])
        async throws
    {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let answer = try await bench.send(
                .put, "/cross-mesh-accesses/d", type: "application/json", body: #"{"type":"CrossMeshAccess",\#(members)}"#)
            #expect(answer.status == 400)
            #expect(answer.problem?.invalidParameters?.map(\.field) == fields, "\(answer.text)")
            #expect(bench.authority.state.crossMeshAccesses.isEmpty)
        }
    }

    @Test func `a document of another type does not become a door, and a door no mesh`() async throws {
        try await AdminBench.run { bench in
            let mesh = try await bench.send(
                .put, "/cross-mesh-accesses/d", type: "application/json", body: #"{"type":"Mesh","name":"d"}"#)
            #expect(mesh.status == 400 && mesh.problem?.invalidParameters?.map(\.field) == ["type"])
            let door = try await bench.send(
                .put, "/meshes/d", type: "application/json", body: #"{"type":"CrossMeshAccess","name":"d"}"#)
            #expect(door.status == 400 && door.problem?.invalidParameters?.map(\.field) == ["type"])
            #expect(bench.authority.state.meshes.count == 1 && bench.authority.state.crossMeshAccesses.isEmpty)
        }
    }

    @Test func `a stale If-Match is refused and a current one is honoured`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let side = #"{"mesh":"orders"}"#
            #expect(try await bench.putDoor("d", from: side, headers: [.ifMatch: "*"]).status == 412)
            let first = try #require(
                try await bench.putDoor("d", from: side, headers: [.ifNoneMatch: "*"]).headers[.eTag])
            #expect(try await bench.putDoor("d", from: side, headers: [.ifNoneMatch: "*"]).status == 412)
            let same = try await bench.putDoor("d", from: side, headers: [.ifMatch: first])
            #expect(same.status == 200 && same.headers[.eTag] == first, "what is unchanged is not written")
            let some = #"{"mesh":"orders","services":["web"]}"#
            let second = try #require(try await bench.putDoor("d", from: some, headers: [.ifMatch: first]).headers[.eTag])
            #expect(try await bench.putDoor("d", from: side, headers: [.ifMatch: first]).status == 412)
            #expect(try await bench.send(.delete, "/cross-mesh-accesses/d", headers: [.ifMatch: first]).status == 412)
            bench.ledger.inject(.failed(.conflict(what: "CrossMeshAccess 'd'")), into: .commit)
            #expect(try await bench.putDoor("d", from: side, headers: [.ifMatch: second]).status == 412)
            bench.ledger.inject(.failed(.conflict(what: "CrossMeshAccess 'd'")), into: .commit)
            #expect(try await bench.putDoor("d", from: side).status == 409)
            #expect(try await bench.send(.delete, "/cross-mesh-accesses/d", headers: [.ifMatch: second]).status == 200)
        }
    }

    @Test func `doors are listed by name, page by page`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            for name in ["c", "a", "e", "b", "d"] {
                #expect(try await bench.putDoor(name, from: #"{"mesh":"orders"}"#).status == 201)
            }
            var seen: [String] = []
            var url: String? = "/cross-mesh-accesses?size=2"
            while let current = url {
                let page = try await bench.send(.get, current)
                #expect(page.status == 200 && page.json?["total"] == .number("5"))
                seen += (page.json?["items"]?.elements ?? []).compactMap { $0["name"]?.text }
                url = page.json?["next"]?.text.map { String($0.dropFirst("https://localhost".count)) }
            }
            #expect(seen == ["a", "b", "c", "d", "e"])
            #expect(try await bench.send(.get, "/cross-mesh-accesses?size=2000").status == 400)
        }
    }

    @Test func `a mesh that a door names is not deleted, and the refusal names the doors`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            try await bench.putDoor("in", from: #"{"mesh":"orders"}"#)
            try await bench.putDoor("out", from: #"{"mesh":"default"}"#, to: #"{"mesh":"orders"}"#)
            let refused = try await bench.send(.delete, "/meshes/orders")
            #expect(refused.status == 409)
            for name in ["in", "out"] { #expect(refused.problem?.detail.contains(name) == true, "\(refused.text)") }
            #expect(try await bench.send(.delete, "/cross-mesh-accesses/in").status == 200)
            #expect(try await bench.send(.delete, "/meshes/orders").status == 409)
            #expect(try await bench.send(.delete, "/cross-mesh-accesses/out").status == 200)
            #expect(try await bench.send(.delete, "/meshes/orders").status == 200)
        }
    }
}

extension AdminBench {
    @discardableResult func putDoor(
        _ name: String, from: String, to: String = #"{"mesh":"default"}"#, headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await send(
            .put, "/cross-mesh-accesses/\(name)", type: "application/json", headers: headers,
            body: #"{"type":"CrossMeshAccess","name":"\#(name)","from":\#(from),"to":\#(to)}"#)
    }
}
