import AdminWire
import Authority
import Hummingbird
import PKI
import Testing

@Suite struct MeshServiceRouteTests {
    private static func service(_ name: String, tags: String = #"{"kuma.io/service":"api"}"#, more: String = "") -> String {
        #"{"type":"MeshService","mesh":"default","name":"\#(name)","spec":{"selector":{"dataplaneTags":\#(tags)},"ports":[{"port":80}]\#(more)}}"#
    }

    private static let path = "/meshes/default/meshservices"

    @Test func `a service is created, read, replaced, listed and deleted`() async throws {
        try await AdminBench.run { bench in
            let created = try await bench.put(Self.path + "/api", Self.service("api"))
            #expect(created.status == 201 && created.text == #"{"warnings":[]}"#)
            let read = try await bench.send(.get, Self.path + "/api")
            #expect(read.status == 200 && read.headers[.eTag] == created.headers[.eTag])
            #expect(read.json?["spec"]?["selector"]?["dataplaneTags"]?["kuma.io/service"]?.text == "api")
            #expect(read.json?["creationTime"]?.text == "2027-01-15T08:00:00Z")
            let again = try await bench.put(Self.path + "/api", read.text)
            #expect(again.status == 200, "\(again.text)")
            bench.clock.advance(by: .seconds(60))
            let replaced = try await bench.put(
                Self.path + "/api", Self.service("api", more: #","state":"Available""#))
            #expect(replaced.status == 200 && replaced.text.contains("spec.state"))
            #expect(try await bench.send(.get, Self.path + "/api").json?["modificationTime"]?.text == "2027-01-15T08:01:00Z")
            for name in ["b", "c"] { #expect(try await bench.put(Self.path + "/\(name)", Self.service(name)).status == 201) }
            let page = try await bench.send(.get, Self.path + "?size=2")
            #expect(page.json?["total"] == .number("3"))
            #expect(page.json?["items"]?.elements?.compactMap { $0["name"]?.text } == ["api", "b"])
            let next = try #require(page.json?["next"]?.text).dropFirst("https://localhost".count)
            #expect(try await bench.send(.get, String(next)).json?["items"]?.elements?.compactMap { $0["name"]?.text } == ["c"])
            #expect(try await bench.send(.delete, Self.path + "/api").status == 200)
            #expect(try await bench.send(.get, Self.path + "/api").status == 404)
            #expect(try await bench.send(.delete, Self.path + "/api").status == 404)
        }
    }

    @Test func `the identities behind its selector are the service's`() async throws {
        try await AdminBench.run { bench in
            _ = try await bench.dataplaneToken(service: "api-v2")
            #expect(
                try await bench.put(Self.path + "/api", Self.service("api", tags: #"{"kuma.io/service":"api-v2"}"#)).status == 201
            )
            let context = try bench.authority.state.validationContext(
                .service(mesh: try MeshName("default"), name: "api"), for: try await bench.caller())
            #expect(context.subjectAltNames == [.exact(try SPIFFEID("spiffe://default/api-v2"))])
        }
    }

    @Test func `a dry run says what would change and changes nothing`() async throws {
        try await AdminBench.run { bench in
            let new = try await bench.put(Self.path + "/api?dryRun=true", Self.service("api"))
            #expect(new.status == 200 && new.json?["created"] == .bool(true), "\(new.text)")
            #expect(bench.authority.state.meshServices.isEmpty)
            _ = try await bench.put(Self.path + "/api", Self.service("api"))
            let same = try await bench.put(Self.path + "/api?dryRun=true", Self.service("api"))
            #expect(same.json?["created"] == .bool(false) && same.json?["differences"] == .array([]), "\(same.text)")
            let other = try await bench.put(Self.path + "/api?dryRun=true", Self.service("api", tags: #"{"a":"b"}"#))
            #expect(other.text.contains(#""field":"spec.selector.dataplaneTags"#), "\(other.text)")
        }
    }

    @Test(arguments: [
        (service("other"), ["name"]),
        (service("api").replacing("default", with: "orders"), ["mesh"]),
        (service("api", tags: "{}"), ["spec.selector.dataplaneTags"]),
        (#"{"type":"MeshService","mesh":"default","name":"api"}"#, ["spec.selector"]),
    ]) func `a service that cannot be is refused by field`(body: String, fields: [String]) async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.put(Self.path + "/api", body)
            #expect(answer.status == 400)
            #expect(answer.problem?.invalidParameters?.map(\.field) == fields, "\(answer.text)")
            #expect(bench.authority.state.meshServices.isEmpty)
        }
    }

    @Test func `a service of a mesh that is not there is not found, and goes with its mesh`() async throws {
        try await AdminBench.run { bench in
            let body = Self.service("api").replacing("default", with: "orders")
            #expect(try await bench.put("/meshes/orders/meshservices/api", body).status == 404)
            try await bench.putMesh("orders")
            #expect(try await bench.put("/meshes/orders/meshservices/api", body).status == 201)
            #expect(try await bench.send(.delete, "/meshes/orders").status == 200)
            #expect(try await bench.send(.get, "/meshes/orders/meshservices").status == 404)
            #expect(bench.authority.state.meshServices[try MeshName("orders")]?.isEmpty ?? true)
        }
    }

    @Test func `a stale If-Match is refused and a current one is honoured`() async throws {
        try await AdminBench.run { bench in
            let tag = try #require(try await bench.put(Self.path + "/api", Self.service("api")).headers[.eTag])
            #expect(try await bench.put(Self.path + "/api", Self.service("api"), headers: [.ifMatch: "\"999\""]).status == 412)
            #expect(try await bench.put(Self.path + "/api", Self.service("api"), headers: [.ifNoneMatch: "*"]).status == 412)
            let second = try await bench.put(
                Self.path + "/api", Self.service("api", tags: #"{"a":"b"}"#), headers: [.ifMatch: tag])
            #expect(second.status == 200)
            #expect(try await bench.send(.delete, Self.path + "/api", headers: [.ifMatch: tag]).status == 412)
            let current = try #require(second.headers[.eTag])
            #expect(try await bench.send(.delete, Self.path + "/api", headers: [.ifMatch: current]).status == 200)
        }
    }
}
