import AdminAPI
import AdminWire
import Foundation
import Hummingbird
import TestSupport
import Testing

/// `openapi.yaml` and the route table, held against each other in both directions.
@Suite struct OpenAPITests {
    @Test func `the embedded text is the file`() throws {
        let file = try String(contentsOfFile: Repository.path("Sources/AdminAPI/openapi.yaml"), encoding: .utf8)
        #expect(OpenAPIDocument.text + "\n" == file || OpenAPIDocument.text == file, "run `make generate`")
    }

    @Test func `the file describes every route and nothing else`() async throws {
        let document = try document()
        try await AdminBench.run { bench in
            var described: Set<String> = []
            for path in members(document["paths"]) {
                for operation in members(path.value) where operation.key != "parameters" {
                    described.insert("\(operation.key.uppercased()) \(path.key)")
                }
            }
            #expect(described == Set(bench.table.routes.map { "\($0.method.rawValue) \($0.path)" }))
        }
    }

    @Test func `parameters, bodies and credentials are those of the routes`() async throws {
        let document = try document()
        try await AdminBench.run { bench in
            for route in bench.table.routes {
                let path = try #require(document["paths"]?[route.path.description])
                let operation = try #require(path[route.method.rawValue.lowercased()])
                let parameters = ((path["parameters"]?.elements ?? []) + (operation["parameters"]?.elements ?? [])).map {
                    resolve($0, document)
                }
                func names(_ place: String) -> Set<String> {
                    Set(parameters.filter { $0["in"]?.text == place }.compactMap { $0["name"]?.text })
                }
                #expect(names("query") == Set(route.query), "\(route.path)")
                #expect(names("path") == Set(route.path.parameters), "\(route.path)")
                let types = Set(members(operation["requestBody"]?["content"]).map(\.key))
                #expect((route.body == nil) == types.isEmpty, "\(route.path)")
                #expect(types.isSubset(of: Set(route.body?.contentTypes ?? [])), "\(route.path)")
                let security = operation["security"]?.elements?.first.flatMap { members($0).first?.key } ?? "adminToken"
                #expect((security == "dataplaneToken") == (route.credential == .dataplaneToken), "\(route.path)")
            }
        }
    }

    @Test func `every operation says by which statuses it answers and leaves none to chance`() async throws {
        try await AdminBench.run { bench in
            for route in bench.table.routes {
                let operation = try #require(
                    OpenAPIContract.file.operations.first {
                        $0.method == route.method.rawValue && $0.path == route.path.description
                    })
                var expected: Set<Int> = [200, 400, 401, 429, 503]
                if route.body != nil { expected.formUnion([413, 415]) }
                if !route.path.parameters.isEmpty || route.method != .get || route.scope == .allMeshes { expected.insert(403) }
                if route.method == .put { expected.formUnion([201, 409, 412]) }
                if route.method == .delete { expected.formUnion([404, 409, 412]) }
                if route.method == .get, !route.path.parameters.isEmpty { expected.insert(404) }
                #expect(expected.subtracting(operation.statuses).isEmpty, "\(route.name)")
                #expect(!operation.hasDefault && operation.statuses.isDisjoint(with: [405, 500]), "\(route.name)")
            }
        }
    }

    @Test func `every write of a resource says that it takes preconditions`() throws {
        let document = try document()
        for path in members(document["paths"]) {
            for operation in members(path.value) where ["put", "delete"].contains(operation.key) {
                let names = Set(
                    (operation.value["parameters"]?.elements ?? []).compactMap { resolve($0, document)["name"]?.text })
                #expect(names.contains("If-Match"), "\(operation.key) \(path.key)")
                #expect(names.contains("If-None-Match") == (operation.key == "put"), "\(operation.key) \(path.key)")
            }
        }
    }

    @Test func `every reference leads somewhere`() throws {
        let document = try document()
        func walk(_ value: JSONValue) {
            switch value {
            case .object(let members):
                for member in members {
                    if member.key == "$ref" {
                        #expect(resolve(value, document) != .null, "\(member.value)")
                    } else {
                        walk(member.value)
                    }
                }
            case .array(let values): values.forEach(walk)
            case .bool, .null, .number, .string: break
            }
        }
        walk(document)
    }

    @Test func `the service answers its own description`() async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.get, "/openapi.yaml")
            #expect(answer.status == 200 && answer.headers[.contentType] == "application/yaml")
            #expect(answer.text == OpenAPIDocument.text)
        }
    }

    private func document() throws -> JSONValue {
        JSONValue(try #require(try DocumentText.parse(Array(OpenAPIDocument.text.utf8), format: .yaml).first))
    }

    private func members(_ value: JSONValue?) -> [JSONValue.Member] {
        if case .object(let members) = value { members } else { [] }
    }

    private func resolve(_ value: JSONValue, _ document: JSONValue) -> JSONValue {
        guard let reference = value["$ref"]?.text else { return value }
        return reference.split(separator: "/").dropFirst().reduce(document) { $0[String($1)] ?? .null }
    }
}
