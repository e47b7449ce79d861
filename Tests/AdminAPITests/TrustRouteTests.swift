import AdminWire
import Testing

@Suite struct TrustRouteTests {
    @Test func `the matrix has a cell for each pair of meshes with mTLS and names what opens it`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            _ = try await bench.send(.put, "/meshes/plain", type: "application/json", body: #"{"type":"Mesh","name":"plain"}"#)
            #expect(try await bench.matrix() == ["default>default all same-mesh", "orders>orders all same-mesh"])

            try await bench.putDoor("whole", from: #"{"mesh":"orders"}"#)
            #expect(
                try await bench.matrix()
                    == ["default>default all same-mesh", "orders>default all whole", "orders>orders all same-mesh"])

            try await bench.putDoor("whole", from: #"{"mesh":"orders"}"#, to: #"{"mesh":"default","services":["api"]}"#)
            #expect(
                try await bench.matrix()
                    == ["default>default all same-mesh", "orders>default some whole", "orders>orders all same-mesh"])
        }
    }

    @Test func `the matrix is narrowed to the meshes that are named, in either spelling, and an unknown one is refused`()
        async throws
    {
        try await AdminBench.run { bench in
            for name in ["a", "b", "c"] { try await bench.putMesh(name) }
            for query in ["mesh=a,b", "mesh=b&mesh=a", "mesh=a%2Cb", "mesh=a,b&mesh=a"] {
                let answer = try await bench.send(.get, "/trust/matrix?\(query)")
                #expect(answer.status == 200 && answer.json?["meshes"] == .array([.string("a"), .string("b")]), "\(query)")
                #expect(answer.json?["cells"]?.elements?.count == 4)
            }
            for query in ["mesh=none", "mesh=a,none", "mesh=", "mesh=a,,b", "mesh=A", "mesh=a&mesh=none"] {
                let answer = try await bench.send(.get, "/trust/matrix?\(query)")
                #expect(answer.status == 400 && answer.problem?.invalidParameters?.map(\.field) == ["mesh"], "\(query)")
            }
        }
    }

    @Test func `a matrix of more than two hundred meshes is refused, and says how to get a smaller one`() async throws {
        try await AdminBench.run { bench in
            for number in 1...200 {
                let put = try await bench.send(
                    .put, "/meshes/m\(number)", type: "application/json", body: #"{"type":"Mesh","name":"m\#(number)"}"#)
                #expect(put.status == 201)
            }
            let whole = try await bench.send(.get, "/trust/matrix")
            #expect(whole.status == 400 && whole.problem?.invalidParameters?.map(\.field) == ["mesh"])
            #expect(try await bench.send(.get, "/trust/matrix?mesh=default").status == 200)
        }
    }

    @Test func `a check says yes or no, a stable reason, and what decides it`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            _ = try await bench.dataplaneToken(mesh: "orders", service: "web")
            _ = try await bench.dataplaneToken(mesh: "orders", service: "batch")
            for service in ["api", "db"] { _ = try await bench.dataplaneToken(service: service) }
            let (web, batch) = ("spiffe://orders/web", "spiffe://orders/batch")
            let (api, db) = ("spiffe://default/api", "spiffe://default/db")
            #expect(try await bench.check(api, db) == "yes same-mesh")
            #expect(try await bench.check(web, api) == "no no-door")
            #expect(try await bench.check("spiffe://stranger/web", api) == "no unknown-trust-domain")

            try await bench.putDoor(
                "d", from: #"{"mesh":"orders","services":["web"]}"#, to: #"{"mesh":"default","services":["api"]}"#)
            #expect(try await bench.check(web, api) == "yes door")
            #expect(try await bench.check(web, db) == "no not-through-door")
            #expect(try await bench.check(batch, api) == "no not-through-door")
            #expect(try await bench.check(api, web) == "no no-door")
            let answer = try await bench.ask(web, api)
            #expect(answer.text == #"{"accepted":true,"detail":"the CrossMeshAccess 'd' admits it","reason":"door"}"#)

            _ = try await bench.send(
                .post, "/tokens/revocations", type: "application/json", body: #"{"identity":"\#(web)"}"#)
            #expect(try await bench.check(web, api) == "no identity-revoked")
            _ = try await bench.send(.delete, "/cross-mesh-accesses/d")
            #expect(try await bench.check(batch, api) == "no no-door")
        }
    }

    @Test(arguments: [
        (#"{"from":"spiffe://a/b"}"#, ["to"]), (#"{"from":"spiffe://a","to":"http://b/c"}"#, ["from", "to"]),
        (#"{"from":"spiffe://a/b","to":"spiffe://b/c","mesh":"m"}"#, ["mesh"]),
    ]) func `a question that is none is refused by field`(body: String, fields: [String]) async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.post, "/trust/check", type: "application/json", body: body)
            #expect(answer.status == 400)
            #expect(answer.problem?.invalidParameters?.map(\.field) == fields, "\(answer.text)")
        }
    }
}

extension AdminBench {
    /// The open cells of the matrix, each as `from>to extent through`; the square must be whole.
    fileprivate func matrix() async throws -> [String] {
        let answer = try await send(.get, "/trust/matrix")
        let matrix = try WireJSON.decode(TrustMatrixMessage.self, from: Array(answer.text.utf8))
        let pairs = matrix.meshes.flatMap { from in matrix.meshes.map { "\(from)>\($0)" } }
        #expect(answer.status == 200 && matrix.cells.map { "\($0.from)>\($0.to)" } == pairs)
        #expect(matrix.cells.allSatisfy { ($0.extent == "none") == $0.through.isEmpty })
        return matrix.cells.filter { $0.extent != "none" }
            .map { "\($0.from)>\($0.to) \($0.extent) \($0.through.joined(separator: ","))" }
    }

    fileprivate func ask(_ from: String, _ to: String) async throws -> Answer {
        try await send(.post, "/trust/check", type: "application/json", body: #"{"from":"\#(from)","to":"\#(to)"}"#)
    }

    /// `yes` or `no`, and the reason.
    fileprivate func check(_ from: String, _ to: String) async throws -> String {
        let verdict = try WireJSON.decode(TrustVerdictMessage.self, from: Array(try await ask(from, to).text.utf8))
        #expect(!verdict.detail.isEmpty)
        return "\(verdict.accepted ? "yes" : "no") \(verdict.reason)"
    }
}
