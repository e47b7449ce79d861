import AdminWire
import Authority
import AuthorityService
import Hummingbird
import PKI
import TestSupport
import Testing

@Suite struct MeshRouteTests {
    @Test func `a mesh is created, read, replaced and deleted`() async throws {
        try await AdminBench.run { bench in
            let created = try await bench.putMesh("orders")
            #expect(created.status == 201 && created.text == #"{"warnings":[]}"#)
            let read = try await bench.send(.get, "/meshes/orders")
            #expect(read.status == 200 && read.headers[.eTag] == created.headers[.eTag])
            #expect(
                read.text
                    == #"{"type":"Mesh","name":"orders","creationTime":"2027-01-15T08:00:00Z","modificationTime":"2027-01-15T08:00:00Z","#
                    + #""trustDomain":"orders","mtls":{"enabledBackend":"ca-1","backends":[{"name":"ca-1","type":"builtin"}]}}"#)
            bench.clock.advance(by: .seconds(60))
            let replaced = try await bench.send(
                .put, "/meshes/orders", type: "application/json",
                body: AdminBench.mesh("orders", more: #","isolated":true,"networking":{"outbound":{"passthrough":false}}"#))
            #expect(replaced.status == 200)
            #expect(
                replaced.text
                    == #"{"warnings":["networking: kept and given back, but a certificate authority does not act on it"]}"#)
            #expect(replaced.headers[.eTag] != created.headers[.eTag])
            let again = try await bench.send(.get, "/meshes/orders")
            #expect(again.json?["isolated"] == .bool(true))
            #expect(again.json?["networking"]?["outbound"]?["passthrough"] == .bool(false))
            #expect(again.json?["creationTime"]?.text == "2027-01-15T08:00:00Z")
            #expect(again.json?["modificationTime"]?.text == "2027-01-15T08:01:00Z")
            #expect(try await bench.send(.delete, "/meshes/orders").status == 200)
            #expect(try await bench.send(.get, "/meshes/orders").status == 404)
            #expect(try await bench.send(.delete, "/meshes/orders").status == 404)
        }
    }

    @Test func `what was read can be written back unchanged`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let body = AdminBench.mesh(
                "orders",
                more:
                    #","identity":{"path":"/ns/{ns}/{kuma.io/service}"},"nameConstraints":false,"labels":{"a":"b"},"logging":{"x":[1.50,null]},"#
                    + #""constraints":{"dataplaneProxy":{"requirements":[{"tags":{"ns":"*"}}],"restrictions":[{"tags":{"a":"b"}}]}}"#
            )
            #expect(try await bench.send(.put, "/meshes/orders", type: "application/json", body: body).status == 200)
            let first = try await bench.send(.get, "/meshes/orders")
            let written = try await bench.send(.put, "/meshes/orders", type: "application/json", body: first.text)
            #expect(written.status == 200, "\(written.text)")
            #expect(try await bench.send(.get, "/meshes/orders").text == first.text)
            #expect(first.text.contains(#""logging":{"x":[1.50,null]}"#))
        }
    }

    @Test func `YAML and the Kubernetes form are read too`() async throws {
        try await AdminBench.run { bench in
            let yaml =
                "apiVersion: kuma.io/v1alpha1\nkind: Mesh\nmetadata:\n  name: orders\nspec:\n  trustDomain: orders.example.org\n"
            for type in ["application/yaml", "application/x-yaml", "text/yaml; charset=utf-8", "Application/YAML"] {
                let answer = try await bench.send(.put, "/meshes/orders", type: type, body: yaml)
                #expect([200, 201].contains(answer.status), "\(answer.text)")
            }
            #expect(bench.authority.state.meshes[try MeshName("orders")]?.mesh.trustDomain.name == "orders.example.org")
        }
    }

    @Test func `a bad document is answered with each fault, its line and its field`() async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(
                .put, "/meshes/orders", type: "application/yaml",
                body: "type: Mesh\nname: orders\ntrustDomain: a_b\nmtls:\n  enabledBackends: x\n")
            #expect(answer.status == 400)
            #expect(
                answer.problem?.invalidParameters == [
                    .init(
                        field: "trustDomain",
                        reason: "line 3: 'a_b' is not a trust domain: byte 0x5f at offset 1 is not allowed here"),
                    .init(field: "mtls.enabledBackends", reason: "line 5: is not a known field: did you mean 'enabledBackend'?"),
                ])
            #expect(bench.authority.state.meshes.count == 1)
        }
    }

    @Test(arguments: [
        (AdminBench.mesh("other"), 400, "name: name from the URL ('orders') has to be the same as in body ('other')"),
        ("{", 400, "line 1: not JSON: a key in double quotes is expected"),
        ("", 400, "line 1: not JSON: the text ends where a value is expected"),
        (
            #"{"type":"Mesh","name":"orders","identity":{"path":"service"}}"#, 400,
            "identity.path: 'service' must begin with a slash and name a segment"
        ),
        (
            AdminBench.mesh("orders", more: #","trustDomain":"default""#), 400,
            "trustDomain: 'default' is taken by mesh 'default': choose another"
        ),
    ]) func `a document that cannot be is refused and nothing is half done`(body: String, status: Int, detail: String)
        async throws
    {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.put, "/meshes/orders", type: "application/json", body: body)
            #expect(answer.status == status)
            #expect(answer.problem?.detail == detail)
            #expect(bench.authority.state.meshes.keys.map(\.name) == ["default"])
            #expect(bench.authority.state.certificateAuthorities.count == 1)
        }
    }

    @Test(arguments: [String(repeating: "a", count: 64), "all", "UPPER", "a_b", "%2e%2e"])
    func `a name that cannot be is refused`(name: String) async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.put, "/meshes/\(name)", type: "application/json", body: AdminBench.mesh("x"))
            #expect(answer.status == 400 && answer.problem?.invalidParameters?.first?.field == "name")
            #expect(try await bench.send(.get, "/meshes/\(name)").status == 404)
        }
    }

    @Test func `a document of 10 MiB and a wrong type are refused before they are parsed`() async throws {
        try await AdminBench.run { bench in
            let large = try await bench.send(
                .put, "/meshes/orders", type: "application/json", body: String(repeating: " ", count: 10 << 20))
            #expect(large.status == 413 && large.problem?.detail == "the body must have at most 1048576 bytes")
            let form = try await bench.send(.put, "/meshes/orders", type: "application/x-www-form-urlencoded", body: "a=b")
            #expect(form.status == 415 && form.problem?.detail.contains("application/json or application/yaml") == true)
            let bomb = try await bench.send(
                .put, "/meshes/orders", type: "application/yaml", body: "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
            #expect(bomb.status == 400 && bomb.problem?.detail.hasPrefix("line 1: YAML anchors") == true)
            let two = try await bench.send(
                .put, "/meshes/orders", type: "application/yaml", body: "type: Mesh\nname: orders\n---\ntype: Mesh\nname: b\n")
            #expect(two.status == 400 && two.problem?.detail == "the body must be one document, and it has 2")
        }
    }

    @Test func `a stale If-Match is refused and a current one is honoured`() async throws {
        try await AdminBench.run { bench in
            let tag = try #require(try await bench.putMesh("orders").headers[.eTag])
            let body = AdminBench.mesh("orders", more: #","isolated":true"#)
            func put(_ headers: HTTPFields) async throws -> AdminBench.Answer {
                try await bench.send(.put, "/meshes/orders", type: "application/json", headers: headers, body: body)
            }
            for stale in ["\"999\"", "W/\(tag)", "\"998\", \"999\""] {
                #expect(try await put([.ifMatch: stale]).status == 412, "\(stale)")
            }
            #expect(try await put([.ifMatch: "3"]).status == 400)
            let second = try await put([.ifMatch: "\"999\", \(tag)"])
            #expect(second.status == 200)
            #expect(try await put([.ifMatch: tag]).status == 412)
            #expect(try await put([.ifMatch: "*"]).status == 200)
            let existing = try await put([.ifNoneMatch: "*"])
            #expect(
                existing.status == 412
                    && existing.problem?.detail == "mesh 'orders' exists already: use If-Match to replace it")
            let none = try await bench.send(
                .put, "/meshes/fresh", type: "application/json", headers: [.ifMatch: "*"], body: AdminBench.mesh("fresh"))
            #expect(none.status == 412)
            let fresh = try await bench.send(
                .put, "/meshes/fresh", type: "application/json", headers: [.ifNoneMatch: "*"], body: AdminBench.mesh("fresh"))
            #expect(fresh.status == 201)
            #expect(try await bench.send(.delete, "/meshes/fresh", headers: [.ifMatch: "\"999\""]).status == 412)
            #expect(try await bench.send(.delete, "/meshes/fresh", headers: [.ifMatch: fresh.headers[.eTag] ?? ""]).status == 200)
        }
    }

    @Test func `of twenty writers with one ETag exactly one wins`() async throws {
        try await AdminBench.run { bench in
            let tag = try #require(try await bench.putMesh("orders").headers[.eTag])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for writer in 0..<20 {
                    group.addTask {
                        try await bench.send(
                            .put, "/meshes/orders", type: "application/json", headers: [.ifMatch: tag],
                            body: AdminBench.mesh("orders", more: #","labels":{"writer":"\#(writer)"}"#)
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.count { $0 == 412 } == 19)
        }
    }

    @Test func `a race that is lost inside the ledger is 412 with If-Match and 409 without`() async throws {
        try await AdminBench.run { bench in
            let tag = try #require(try await bench.putMesh("orders").headers[.eTag])
            let body = AdminBench.mesh("orders", more: #","isolated":true"#)
            bench.ledger.inject(.failed(.conflict(what: "mesh 'orders'")), into: .commit)
            #expect(
                try await bench.send(.put, "/meshes/orders", type: "application/json", headers: [.ifMatch: tag], body: body)
                    .status == 412)
            bench.ledger.inject(.failed(.conflict(what: "mesh 'orders'")), into: .commit)
            #expect(try await bench.send(.put, "/meshes/orders", type: "application/json", body: body).status == 409)
        }
    }

    @Test func `failures of the database are told apart and their words stay in the log`() async throws {
        try await AdminBench.run { bench in
            let secret = "host=db.internal relation mesh"
            for (failure, status) in [
                (LedgerFailure.unavailable(detail: secret), 503), (.outcomeUnknown(detail: secret), 503),
                (.rejected(detail: secret), 500),
            ] {
                bench.ledger.inject(.failed(failure), into: .commit)
                let answer = try await bench.putMesh("orders")
                #expect(answer.status == status && answer.problem?.status == status)
                #expect((answer.headers[.retryAfter] != nil) == (status == 503))
                #expect(!answer.text.contains("db.internal"))
                #expect(answer.problem?.instance.isEmpty == false)
            }
        }
    }

    @Test func `mTLS is not switched off and a mesh not deleted under connected proxies`() async throws {
        try await AdminBench.run { bench in
            let caller = try await bench.caller()
            let stream = bench.authority.proxies.opened(caller, node: "node-1", at: bench.clock.now)
            let off = try await bench.send(
                .put, "/meshes/default", type: "application/json", body: #"{"type":"Mesh","name":"default"}"#)
            #expect(off.status == 409 && off.problem?.detail.contains("web-1") == true)
            #expect(try await bench.send(.delete, "/meshes/default").status == 409)
            bench.authority.proxies.closed(stream, at: bench.clock.now)
            #expect(try await bench.send(.delete, "/meshes/default").status == 200)
        }
    }

    @Test func `a bundle is PEM, or SPIFFE's format for whoever asks for JSON`() async throws {
        try await AdminBench.run { bench in
            let pem = try await bench.send(.get, "/meshes/default/bundle")
            #expect(pem.headers[.contentType] == "application/x-pem-file")
            let roots = try PEM.decode(pem.text, label: "CERTIFICATE")
            #expect(roots == bench.authority.state.issuers.values.map(\.certificate))
            let spiffe = try await bench.send(.get, "/meshes/default/bundle", headers: [.accept: "application/json"])
            #expect(spiffe.headers[.contentType] == "application/json")
            let bundle = try WireJSON.decode(BundleMessage.self, from: Array(spiffe.text.utf8))
            #expect(bundle.keys.count == 1 && bundle.keys.first?.crv == "P-256" && bundle.sequence > 0)
            #expect(try await bench.send(.get, "/meshes/none/bundle").status == 404)
        }
    }
}

extension AdminBench {
    /// A proxy of the mesh `default`.
    func caller(service: String = "web") async throws -> Caller {
        try await authority.authenticate(
            ProxyCredentials(
                token: dataplaneToken(service: service), peerChain: nil, requiresCertificate: false, nodeID: "node-1",
                source: "test",
                requestID: "r"))
    }
}
