import AdminWire
import AuthorityService
import Hummingbird
import PKI
import TestSupport
import Testing

/// Roles that hold for named meshes alone.
@Suite struct ScopeTests {
    @Test func `lists show what concerns the administrator's meshes and not a word of others`() async throws {
        try await AdminBench.run { bench in
            _ = try await Estate.make(in: bench)
            _ = try await bench.dataplaneToken(mesh: Estate.strange, service: "web")
            let abroad = try await bench.userToken(.admin, meshes: [Estate.strange])
            let home = try await bench.userToken(.viewer, meshes: ["home"])
            for route in bench.table.routes where route.method == .get && route.path.parameters.isEmpty {
                guard route.path.description != "/openapi.yaml" else { continue }
                let answer = try await bench.send(.get, route.path.description, token: abroad)
                guard answer.status == 200 else {
                    #expect(route.scope == .allMeshes && answer.status == 403, "\(route.name): \(answer.text)")
                    continue
                }
                for word in ["home", "annex", "corp", "inner", "default"] {
                    #expect(!answer.text.contains(word), "\(route.name) says '\(word)': \(answer.text)")
                }
            }
            func names(_ path: String, _ key: String, _ token: String) async throws -> [String] {
                let answer = try await bench.send(.get, path, token: token)
                let items = answer.json?["items"]?.elements ?? []
                #expect(answer.json?["total"] == .number(String(items.count)), "\(path): \(answer.text)")
                return items.compactMap { $0[key]?.text }
            }
            #expect(try await names("/meshes", "name", home) == ["home"])
            #expect(try await names("/certificate-authorities", "name", home) == ["corp", "home.ca-1"])
            #expect(try await names("/certificate-authorities/corp/meshes", "name", home) == ["home"])
            #expect(try await names("/cross-mesh-accesses", "name", home) == ["inner"])
            #expect(try await names("/rotations", "certificateAuthority", home) == ["corp"])
            #expect(try await names("/tokens", "mesh", home) == ["home"])
            #expect(Set(try await names("/audit?size=1000", "mesh", home)) == ["home"])
            let corp = try await bench.send(.get, "/certificate-authorities/corp", token: home)
            #expect(corp.json?["meshes"] == .array([.string("home")]), "\(corp.text)")
            let matrix = try await bench.send(.get, "/trust/matrix", token: home)
            #expect(matrix.json?["meshes"] == .array([.string("home")]))
        }
    }

    @Test func `a page of meshes counts the administrator's own alone, page after page`() async throws {
        try await AdminBench.run { bench in
            for name in ["a", "b", "c", "d", "e"] { try await bench.putMesh(name) }
            let token = try await bench.userToken(.viewer, meshes: ["a", "c", "e"])
            var seen: [String] = []
            var url: String? = "/meshes?size=2"
            while let current = url {
                let page = try await bench.send(.get, current, token: token)
                #expect(page.json?["total"] == .number("3"), "\(page.text)")
                seen += (page.json?["items"]?.elements ?? []).compactMap { $0["name"]?.text }
                url = page.json?["next"]?.text.map { String($0.dropFirst("https://localhost".count)) }
            }
            #expect(seen == ["a", "c", "e"])
        }
    }

    @Test func `a token for several meshes says which of them a list of the ledger is to be about`() async throws {
        try await AdminBench.run { bench in
            for name in ["a", "b", "c"] { try await bench.putMesh(name) }
            let token = try await bench.userToken(.viewer, meshes: ["a", "b"])
            for path in ["/tokens", "/audit", "/rotations"] {
                let all = try await bench.send(.get, path, token: token)
                #expect(all.status == 403 && all.problem?.detail.contains("?mesh=") == true, "\(all.text)")
                #expect(try await bench.send(.get, path + "?mesh=b", token: token).status == 200)
                for other in ["c", "nowhere", "A"] {
                    #expect(try await bench.send(.get, path + "?mesh=\(other)", token: token).status == 403)
                }
            }
        }
    }

    @Test func `an administrator of one mesh changes it, and neither others nor what it shares with them`() async throws {
        try await AdminBench.run { bench in
            let estate = try await Estate.make(in: bench)
            let home = try await bench.userToken(.admin, meshes: ["home"])
            func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> Int {
                let answer = try await bench.send(
                    method, path, token: home, type: body == nil ? nil : "application/json", body: body)
                if answer.status == 403 {
                    #expect(!answer.text.contains("annex") && !answer.text.contains("abroad"), "\(answer.text)")
                }
                return answer.status
            }
            let service = Estate.service.replacing("\"api\"", with: "\"db\"")
            #expect(try await send(.put, "/meshes/home/meshservices/db", service) == 201)
            #expect(try await send(.delete, "/meshes/home/meshservices/db") == 200)
            let preview = try await bench.send(
                .put, "/meshes/home?dryRun=true&leave=true", token: home, type: "application/json",
                body: AdminBench.mesh("home", more: #","labels":{"a":"b"}"#))
            #expect([200, 403].contains(preview.status) && !preview.text.contains("annex"), "\(preview.text)")
            #expect(try await send(.put, "/meshes/annex", AdminBench.mesh("annex")) == 403)
            #expect(try await send(.delete, "/meshes/abroad") == 403)
            #expect(
                try await send(.put, "/certificate-authorities/corp", #"{"type":"CertificateAuthority","name":"corp"}"#) == 403)
            #expect(try await send(.delete, "/certificate-authorities/corp") == 403)
            #expect(try await send(.delete, "/certificate-authorities/corp/meshes/home") == 403)
            #expect(try await send(.put, "/certificate-authorities/corp/meshes/abroad") == 403)
            #expect(try await send(.get, "/cross-mesh-accesses/inner") == 200)
            #expect(try await send(.delete, "/cross-mesh-accesses/inner") == 403)
            let door = #"{"type":"CrossMeshAccess","name":"mine","from":{"mesh":"abroad"},"to":{"mesh":"home"}}"#
            #expect(try await send(.put, "/cross-mesh-accesses/mine", door) == 403)
            #expect(try await send(.put, "/cross-mesh-accesses/mine?dryRun=true", door) == 403)
            #expect(try await send(.post, "/tokens/user", #"{"name":"x","roles":["admin"],"meshes":["home"]}"#) == 403)
            #expect(try await send(.post, "/tokens/dataplane", #"{"mesh":"home","tags":{"kuma.io/service":["x"]}}"#) == 200)
            #expect(try await send(.post, "/tokens/dataplane", #"{"mesh":"annex","tags":{"kuma.io/service":["x"]}}"#) == 403)
            #expect(try await send(.post, "/tokens/revocations", #"{"identity":"spiffe://annex/x"}"#) == 403)
            #expect(try await send(.post, "/tokens/revocations", #"{"identity":"spiffe://nowhere/x"}"#) == 403)
            _ = try await bench.dataplaneToken(mesh: "annex")
            let foreign = try await bench.newestTokenID()
            #expect(try await send(.post, "/tokens/revocations", #"{"token":"\#(foreign)"}"#) == 403)
            #expect(try await send(.post, "/tokens/revocations", #"{"token":"\#(estate.token)"}"#) == 200)
            #expect(bench.authority.state.revokedTokens == [estate.token] && bench.authority.state.revokedIdentities.isEmpty)
            let check = { (from: String, to: String) in #"{"from":"spiffe://\#(from)/x","to":"spiffe://\#(to)/y"}"# }
            #expect(try await send(.post, "/trust/check", check("home", "home")) == 200)
            for (from, to) in [("home", "annex"), ("abroad", "home"), ("home", "nowhere")] {
                #expect(try await send(.post, "/trust/check", check(from, to)) == 403)
            }
            for (from, to, what) in [
                ("home", "annex", "another mesh too"), ("nowhere", "home", "another mesh too"),
                ("abroad", "annex", "none of them"),
            ] {
                let answer = try await bench.send(
                    .post, "/trust/check", token: home, type: "application/json", body: check(from, to))
                #expect(answer.problem?.detail.hasSuffix("this concerns \(what)") == true, "\(answer.text)")
            }
            #expect(try await send(.get, "/trust/matrix?mesh=home") == 200)
            #expect(try await send(.get, "/trust/matrix?mesh=home,annex") == 403)
            #expect(bench.authority.state.meshes.count == 4)
        }
    }

    @Test func `an administrator of all meshes that share a certificate authority moves them`() async throws {
        try await AdminBench.run { bench in
            _ = try await Estate.make(in: bench)
            let both = try await bench.userToken(.admin, meshes: Estate.meshes)
            let leaves = try await bench.send(.delete, "/certificate-authorities/corp/meshes/annex", token: both)
            #expect(leaves.status == 200, "\(leaves.text)")
        }
    }

    @Test func `a token is limited to meshes that are there`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            func ask(_ meshes: String) async throws -> AdminBench.Answer {
                try await bench.send(
                    .post, "/tokens/user", type: "application/json",
                    body: #"{"name":"eve","roles":["viewer"],"meshes":\#(meshes)}"#)
            }
            let issued = try await ask(#"["orders"]"#)
            #expect(issued.status == 200)
            #expect(try await bench.send(.get, "/meshes/orders", token: issued.text).status == 200)
            #expect(try await bench.send(.get, "/meshes/default", token: issued.text).status == 403)
            let listed = try await bench.send(.get, "/tokens?size=1")
            #expect(listed.json?["items"]?.elements?.first?["meshes"] == .array([.string("orders")]), "\(listed.text)")
            for meshes in [#"["none"]"#, "[]", "null", #"["A"]"#, #""orders""#, #"["orders","orders"]"#] {
                let answer = try await ask(meshes)
                #expect(
                    answer.status == 400 && answer.problem?.invalidParameters?.first?.field.hasPrefix("meshes") == true,
                    "\(meshes)")
            }
        }
    }

    @Test func `what is refused for its meshes is in the audit trail`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let token = try await bench.userToken(.admin, meshes: ["orders"])
            for (method, path) in [
                (HTTPRequest.Method.get, "/meshes/default"), (.delete, "/certificate-authorities/default.ca-1"),
                (.get, "/trust/matrix?mesh=default"),
            ] {
                #expect(try await bench.send(method, path, token: token).status == 403)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await bench.authority.run() }
                defer { group.cancelAll() }
                try await eventually(within: .seconds(10), "the refusals in the audit trail") {
                    let page = try await bench.authority.audit(AuditQuery(size: 10))
                    return page.items.contains { $0.details["reason"] == "mesh-out-of-scope" && $0.details["count"] == "3" }
                }
            }
        }
    }
}
