import AdminWire
import Hummingbird
import Testing

@testable import AdminAPI

@Suite struct RoutingTests {
    @Test func `a method that a path does not have is answered 405 with those that it has`() async throws {
        try await AdminBench.run { bench in
            let paths = Dictionary(grouping: bench.table.routes, by: \.path)
            for (path, routes) in paths {
                var allowed = Set(routes.map(\.method))
                if allowed.contains(.get) { allowed.insert(.head) }
                let target = path.filled { $0 == "mesh" ? "default" : "x" }
                for method in [HTTPRequest.Method.get, .head, .put, .post, .delete, .patch, .options, .trace]
                where !allowed.contains(method) {
                    let answer = try await bench.send(method, target)
                    #expect(answer.status == 405, "\(method) \(target)")
                    #expect(answer.headers[.allow] == allowed.map(\.rawValue).sorted().joined(separator: ", "))
                    if method != .head { #expect(answer.problem?.status == 405) }
                }
            }
        }
    }

    @Test(arguments: [
        "//", "//meshes", "/meshes/", "/meshes//default", "/Meshes", "/meshes/default/", "/meshes/../meshes", "/meshes/%2e%2e",
        "/meshes/a%2Fb",
        "/meshes/%00", "/meshes/%ff", "/meshes/%", "/meshes/%4", "/meshes/%zz", "/healthz", "/metrics",
        "/meshes/default/proxies/%F0%9F%98%80",
        "/certificate-authorities/..", "/certificate-authorities/default.ca-1/issuers/0", "/tokens/dataplane/x", "/index.html",
        "/meshes/default;x=y",
        "/meshes/\u{1F600}", "?", "meshes", "*", "http://host/nothing",
    ]) func `a path that is nowhere is 404 or 400 and never a failure`(path: String) async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.get, path)
            #expect([400, 404].contains(answer.status) || path == "?", "\(answer.status)")
            if answer.status != 200 { #expect(answer.problem?.status == answer.status) }
        }
    }

    @Test(arguments: [
        "/meshes?sise=1", "/meshes?size=1&size=2", "/meshes?size=%zz", "/meshes?size=0", "/meshes?size=1001", "/meshes?size=x",
        "/meshes?size=",
        "/meshes?offset=abc", "/meshes?offset=%00", "/?x=1", "/meshes/default?dryRun=true", "/audit?offset=a2E",
        "/meshes/default/certificates?kind=laef", "/meshes/default/certificates?identity=http://a/b",
        "/rotations?size=0", "/rotations?size=1001", "/tokens?size=1001", "/audit?size=0", "/audit?size=2000",
        "/meshes/default/certificates?size=1001", "/certificate-authorities?size=0", "/meshes/default/meshservices?size=1001",
        "/certificate-authorities/default.ca-1/meshes?size=1001", "/certificate-authorities/default.ca-1/rotations?size=0",
        "/rotations?phase=issuing", "/rotations?offset=a2E", "/meshes?offset=Yjc", "/audit?mesh=a&mesh=b",
    ]) func `a query that a path does not know is refused with the parameter's name`(path: String) async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.get, path)
            #expect(answer.status == 400, "\(answer.status)")
            if !path.contains("%") { #expect(answer.problem?.invalidParameters?.count == 1, "\(answer.text)") }
        }
    }

    @Test func `a HEAD is a GET without its body`() async throws {
        try await AdminBench.run { bench in
            for path in ["/", "/meshes", "/meshes/default", "/openapi.yaml", "/meshes/none"] {
                let read = try await bench.send(.get, path)
                let head = try await bench.send(.head, path)
                #expect(head.status == read.status && head.text.isEmpty)
                #expect(head.headers[.eTag] == read.headers[.eTag])
                #expect(head.headers[.contentType] == read.headers[.contentType])
            }
        }
    }

    @Test func `a plain request id is kept and any other replaced`() async throws {
        try await AdminBench.run { bench in
            let kept = try await bench.send(.get, "/nothing", headers: AdminBench.requestID("abc-1.2_3"))
            #expect(kept.requestID == "abc-1.2_3" && kept.problem?.instance == "abc-1.2_3")
            for bad in ["", "a b", "a\"b", String(repeating: "a", count: 65)] {
                let answer = try await bench.send(.get, "/nothing", headers: AdminBench.requestID(bad))
                #expect(answer.requestID != bad && answer.requestID?.isEmpty == false)
                #expect(answer.problem?.instance == answer.requestID)
            }
        }
    }

    @Test func `a request id of ours has sixteen digits, whatever the number`() async throws {
        #expect(AdminResponder.requestID(0) == "0000000000000000" && AdminResponder.requestID(0xAB) == "00000000000000ab")
        #expect(AdminResponder.requestID(.max) == "ffffffffffffffff")
        try await AdminBench.run { bench in
            let answer = try await bench.send(.get, "/")
            #expect(answer.requestID?.count == 16)
        }
    }

    @Test(
        arguments: [
            ("application/json", nil, 201), ("application/json; charset=utf-8", nil, 201),
            ("application/json;charset=\"UTF-8\"", nil, 201), ("application/json; profile=x", "identity", 201),
            ("application/json; charset=iso-8859-1", nil, 415), ("application/json; profile=x; Charset=utf-16", nil, 415),
            ("application/json; charset", nil, 415), ("application/json", "gzip", 415), ("application/json", "identity, br", 415),
        ] as [(String, String?, Int)])
    func `a body in another charset or packed is refused, not misread`(type: String, coding: String?, status: Int) async throws {
        try await AdminBench.run { bench in
            var headers: HTTPFields = [:]
            headers[.contentEncoding] = coding
            let answer = try await bench.send(
                .put, "/meshes/orders", type: type, headers: headers, body: AdminBench.mesh("orders"))
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    @Test func `every read has an ETag and no answer allows another origin`() async throws {
        try await AdminBench.run { bench in
            for route in bench.table.routes where route.method == .get {
                let path = route.path.filled { $0 == "mesh" ? "default" : $0 == "ca" ? "default.ca-1" : "x" }
                let answer = try await bench.send(.get, path, headers: [.origin: "https://evil.example"])
                guard answer.status == 200 else { continue }
                #expect(answer.headers[.eTag]?.hasSuffix("\"") == true, "\(path)")
                #expect(answer.headers[.accessControlAllowOrigin] == nil)
                #expect(!answer.text.contains("PRIVATE KEY"))
            }
        }
    }

    @Test func `the service says who it is`() async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.get, "/")
            #expect(answer.text == #"{"instance":"\#(bench.authority.instance)","product":"Signet","version":"1.2.3"}"#)
        }
    }

    @Test func `over a real connection a body that is too large is refused and the service goes on`() async throws {
        try await AdminBench.run(.live) { bench in
            let large = String(repeating: " ", count: 10 << 20)
            let refused = try await bench.send(.put, "/meshes/orders", type: "application/json", body: large)
            #expect(refused.status == 413)
        }
        try await AdminBench.run(.live) { bench in
            #expect(try await bench.putMesh("orders").status == 201)
            let page = try await bench.send(.get, "/meshes?size=1")
            #expect(page.json?["next"]?.text?.hasPrefix("https://localhost/meshes?") == true, "\(page.text)")
            let unknown = try await bench.send(.get, "/meshes/%zz")
            #expect(unknown.status == 400 && unknown.headers[.contentLength] == String(unknown.text.utf8.count))
            let head = try await bench.send(.head, "/meshes/orders")
            #expect(head.status == 200 && head.text.isEmpty)
            #expect(try await bench.send(.get, "/", token: nil).status == 401)
        }
    }
}
