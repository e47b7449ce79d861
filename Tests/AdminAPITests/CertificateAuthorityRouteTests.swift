import AdminWire
import AuthorityService
import Foundation
import Hummingbird
import PKI
import TestSupport
import Testing

@Suite struct CertificateAuthorityRouteTests {
    private static func authority(_ more: String = "") -> String { #"{"type":"CertificateAuthority","name":"corp"\#(more)}"# }

    @Test func `a certificate authority is created, read, replaced and deleted`() async throws {
        try await AdminBench.run { bench in
            let created = try await bench.put("/certificate-authorities/corp", Self.authority())
            #expect(created.status == 201 && created.text == #"{"moves":[],"rotations":[],"warnings":[]}"#, "\(created.text)")
            let read = try await bench.send(.get, "/certificate-authorities/corp")
            #expect(read.headers[.eTag] == created.headers[.eTag] && !read.text.contains("PRIVATE KEY"))
            let message = try WireJSON.decode(CertificateAuthorityMessage.self, from: Array(read.text.utf8))
            #expect(message.keyType == "EC-P256" && message.expiration == "10y" && message.owner == nil)
            #expect(message.origin == "generated" && message.meshes.isEmpty && message.issuers.count == 1)
            #expect(message.creationTime == "2027-01-15T08:00:00Z" && message.rotation.retireAfter == "expired")
            bench.clock.advance(by: .seconds(60))
            let replaced = try await bench.put(
                "/certificate-authorities/corp", Self.authority(#","rotation":{"automatic":false,"retireAfter":"reissued"}"#))
            #expect(replaced.status == 200 && replaced.headers[.eTag] != created.headers[.eTag])
            let again = try await bench.send(.get, "/certificate-authorities/corp")
            #expect(again.json?["rotation"]?["retireAfter"]?.text == "reissued")
            #expect(again.json?["modificationTime"]?.text == "2027-01-15T08:01:00Z")
            let written = try await bench.put("/certificate-authorities/corp", again.text)
            #expect(written.status == 200 && written.json?["warnings"] == .array([]), "\(written.text)")
            #expect(try await bench.send(.delete, "/certificate-authorities/corp").status == 200)
            #expect(try await bench.send(.get, "/certificate-authorities/corp").status == 404)
            #expect(try await bench.send(.delete, "/certificate-authorities/corp").status == 404)
        }
    }

    @Test func `meshes join by path and by document, and leave by path alone`() async throws {
        try await AdminBench.run { bench in
            for name in ["a", "b", "c"] { try await bench.putMesh(name) }
            _ = try await bench.put("/certificate-authorities/corp", Self.authority())
            let joined = try await bench.send(.put, "/certificate-authorities/corp/meshes/a")
            #expect(joined.status == 201 && joined.json?["move"]?["from"]?.text == "a.ca-1", "\(joined.text)")
            let rotation = try #require(joined.json?["rotation"]?.text)
            #expect(bench.authority.state.rotations[rotation] != nil)
            let again = try await bench.send(.put, "/certificate-authorities/corp/meshes/a")
            #expect(again.status == 200 && bench.authority.state.rotations.count == 1)
            let more = try await bench.put("/certificate-authorities/corp", Self.authority(#","meshes":["b"]"#))
            #expect(more.status == 200 && more.json?["rotations"]?.elements?.count == 1, "\(more.text)")
            #expect(try await sharers(bench) == ["a", "b"])
            #expect(try await bench.put("/certificate-authorities/corp", Self.authority()).status == 200)
            #expect(try await sharers(bench) == ["a", "b"])
            let one = try await bench.send(.get, "/certificate-authorities/corp/meshes/a")
            let same = try await bench.send(.get, "/meshes/a")
            #expect(one.status == 200 && one.text == same.text)
            #expect(try await bench.send(.get, "/certificate-authorities/corp/meshes/c").status == 404)
            let stale = try await bench.put("/meshes/a", AdminBench.mesh("a"))
            #expect(stale.status == 409 && stale.problem?.detail.contains("leave") == true, "\(stale.text)")
            let left = try await bench.send(.delete, "/certificate-authorities/corp/meshes/a")
            #expect(left.status == 200, "\(left.text)")
            #expect(try await sharers(bench) == ["b"])
            #expect(try await bench.send(.delete, "/certificate-authorities/corp/meshes/a").status == 404)
            #expect(try await bench.send(.delete, "/certificate-authorities/corp/meshes/c").status == 404)
            #expect(try await bench.put("/meshes/b?leave=true", AdminBench.mesh("b")).status == 200)
            #expect(try await sharers(bench).isEmpty)
        }
    }

    @Test func `a deletion is refused while it is used, and names the users`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            _ = try await bench.put("/certificate-authorities/corp", Self.authority(#","meshes":["orders"]"#))
            let refused = try await bench.send(.delete, "/certificate-authorities/corp")
            #expect(refused.status == 409 && refused.problem?.detail.contains("orders") == true, "\(refused.text)")
            let own = try await bench.send(.delete, "/certificate-authorities/default.ca-1")
            #expect(own.status == 409 && own.problem?.detail.contains("default") == true)
            #expect(bench.authority.state.certificateAuthorities["corp"] != nil)
        }
    }

    @Test func `what cannot be shared is refused and nothing is half done`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let before = bench.authority.state
            for (method, path, status) in [
                (HTTPRequest.Method.put, "/certificate-authorities/none/meshes/orders", 404),
                (.put, "/certificate-authorities/default.ca-1/meshes/orders", 409),
                (.delete, "/certificate-authorities/none/meshes/orders", 404),
                (.delete, "/certificate-authorities/orders.ca-1/meshes/orders", 409),
                (.get, "/certificate-authorities/none/meshes", 404), (.get, "/certificate-authorities/none/meshes/orders", 404),
            ] {
                let answer = try await bench.send(method, path)
                #expect(answer.status == status, "\(method) \(path): \(answer.text)")
            }
            for (body, field) in [
                (Self.authority(#","meshes":["none"]"#), "meshes[0]"),
                (Self.authority(#","meshes":["orders","orders"]"#), "meshes[1]"),
                (Self.authority().replacing("corp", with: "other"), "name"),
                (Self.authority(#","keyType":"RSA-1024""#), "keyType"),
                (
                    Self.authority(#","keyStore":{"pkcs11":{"module":"/m.so","token":"t","pinFile":"/p"}}"#),
                    "keyStore.pkcs11.module"
                ),
                (Self.authority(#","owner":"orders""#), "owner"),
            ] {
                let answer = try await bench.put("/certificate-authorities/corp", body)
                #expect(
                    answer.status == 400 && answer.problem?.invalidParameters?.map(\.field) == [field], "\(body): \(answer.text)")
            }
            let own = try await bench.put(
                "/certificate-authorities/default.ca-1", Self.authority().replacing("corp", with: "default.ca-1"))
            #expect(own.status == 400)
            #expect(bench.authority.state.isSame(as: before))
        }
    }

    @Test func `a dry run says which rotations would start and who would accept whom, and changes nothing`() async throws {
        try await AdminBench.run { bench in
            for name in ["a", "b"] { try await bench.putMesh(name) }
            let before = bench.authority.state
            let new = try await bench.put("/certificate-authorities/corp?dryRun=true", Self.authority(#","meshes":["a","b"]"#))
            #expect(new.status == 200 && new.headers[.eTag] == nil)
            let preview = try WireJSON.decode(CertificateAuthorityChangeMessage.self, from: Array(new.text.utf8))
            #expect(preview.created == true && preview.rotations.isEmpty && preview.moves.map(\.mesh).sorted() == ["a", "b"])
            #expect(preview.trust?.begins == [.init(from: "a", to: "b"), .init(from: "b", to: "a")], "\(new.text)")
            #expect(bench.authority.state == before)

            _ = try await bench.put("/certificate-authorities/corp", Self.authority(#","meshes":["a"]"#))
            let joining = try await previewed(bench, .put, "/certificate-authorities/corp/meshes/b?dryRun=true")
            #expect(
                joining.created == true && joining.rotation == nil && joining.move == .init(mesh: "b", from: "b.ca-1", to: "corp")
            )
            #expect(
                joining.trust?.begins == [.init(from: "a", to: "b"), .init(from: "b", to: "a")] && joining.trust?.ceases == [])
            #expect(joining.differences?.contains { $0.field == "mtls.enabledBackend" && $0.before == .string("ca-1") } == true)
            #expect(bench.authority.state.users(of: "corp").map(\.name) == ["a"])
            let leaving = try await previewed(bench, .delete, "/certificate-authorities/corp/meshes/a?dryRun=true")
            #expect(leaving.differences?.contains { $0.field == "mtls.enabledBackend" } == true)
            #expect(bench.authority.state.users(of: "corp").map(\.name) == ["a"])
        }
    }

    @Test func `a dry run of a Mesh document shows each field before and after`() async throws {
        try await AdminBench.run { bench in
            let same = try await bench.put("/meshes/default?dryRun=true", AdminBench.mesh("default"))
            let unchanged = try WireJSON.decode(MeshChangeMessage.self, from: Array(same.text.utf8))
            #expect(unchanged.created == false && unchanged.differences == [] && unchanged.move == nil, "\(same.text)")
            let answer = try await bench.put(
                "/meshes/default?dryRun=true", AdminBench.mesh("default", more: #","isolated":true"#))
            let change = try WireJSON.decode(MeshChangeMessage.self, from: Array(answer.text.utf8))
            #expect(change.differences == [.init(field: "isolated", before: .null, after: .bool(true))], "\(answer.text)")
            let new = try await bench.put("/meshes/orders?dryRun=true", AdminBench.mesh("orders"))
            #expect(new.status == 200 && new.json?["created"] == .bool(true) && bench.authority.state.meshes.count == 1)
            for query in ["dryRun=yes", "dryRun=", "leave=1", "dryRun=TRUE"] {
                #expect(try await bench.put("/meshes/default?\(query)", AdminBench.mesh("default")).status == 400)
            }
            let stale = try await bench.put(
                "/meshes/default?dryRun=true", AdminBench.mesh("default"), headers: [.ifMatch: "\"999\""])
            #expect(stale.status == 412)
        }
    }

    @Test func `a dry run of a door says whom it lets in`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let door = #"{"type":"CrossMeshAccess","name":"d","from":{"mesh":"orders"},"to":{"mesh":"default"}}"#
            let answer = try await bench.put("/cross-mesh-accesses/d?dryRun=true", door)
            let change = try WireJSON.decode(MeshChangeMessage.self, from: Array(answer.text.utf8))
            #expect(change.created == true && change.trust == .init(begins: [.init(from: "orders", to: "default")], ceases: []))
            #expect(bench.authority.state.crossMeshAccesses.isEmpty)
            let none = try await bench.put("/cross-mesh-accesses/d?dryRun=true", door.replacing("orders", with: "none"))
            #expect(none.status == 400 && none.problem?.invalidParameters?.map(\.field) == ["from.mesh"])
        }
    }

    @Test func `a stale If-Match is refused and a current one is honoured`() async throws {
        try await AdminBench.run { bench in
            let path = "/certificate-authorities/corp"
            #expect(try await bench.put(path, Self.authority(), headers: [.ifMatch: "*"]).status == 412)
            let first = try #require(try await bench.put(path, Self.authority(), headers: [.ifNoneMatch: "*"]).headers[.eTag])
            #expect(try await bench.put(path, Self.authority(), headers: [.ifNoneMatch: "*"]).status == 412)
            let next = Self.authority(#","rotation":{"automatic":false}"#)
            let second = try #require(try await bench.put(path, next, headers: [.ifMatch: first]).headers[.eTag])
            #expect(try await bench.put(path, next, headers: [.ifMatch: first]).status == 412)
            #expect(try await bench.send(.delete, path, headers: [.ifMatch: first]).status == 412)
            bench.ledger.inject(.failed(.conflict(what: "the CA 'corp'")), into: .commit)
            #expect(try await bench.put(path, Self.authority(), headers: [.ifMatch: second]).status == 412)
            bench.ledger.inject(.failed(.conflict(what: "the CA 'corp'")), into: .commit)
            #expect(try await bench.put(path, Self.authority()).status == 409)
            #expect(try await bench.send(.delete, path, headers: [.ifMatch: second]).status == 200)
        }
    }

    @Test func `a membership is given and ended on the condition that it, or its absence, is what was read`() async throws {
        try await AdminBench.run { bench in
            for name in ["a", "b"] { try await bench.putMesh(name) }
            _ = try await bench.put("/certificate-authorities/corp", Self.authority())
            let path = "/certificate-authorities/corp/meshes/a"
            let stale = try #require(try await bench.send(.get, "/meshes/a").headers[.eTag])
            for tag in ["*", stale] {
                let refused = try await bench.send(.put, path, headers: [.ifMatch: tag])
                #expect(refused.status == 412, "there is no membership yet: \(refused.text)")
            }
            #expect(try await bench.send(.put, path, headers: [.ifNoneMatch: "\"1\""]).status == 400)
            #expect(bench.authority.state.users(of: "corp").isEmpty)
            bench.ledger.inject(.failed(.conflict(what: "the mesh 'a'")), into: .commit)
            #expect(try await bench.send(.put, path, headers: [.ifNoneMatch: "*"]).status == 412)
            bench.ledger.inject(.failed(.conflict(what: "the mesh 'a'")), into: .commit)
            #expect(try await bench.send(.put, path).status == 409)
            #expect(try await bench.send(.put, path, headers: [.ifNoneMatch: "*"]).status == 201)
            #expect(try await bench.send(.put, path, headers: [.ifNoneMatch: "*"]).status == 412)
            #expect(try await bench.send(.put, path + "?dryRun=true", headers: [.ifNoneMatch: "*"]).status == 412)
            let current = try #require(try await bench.send(.get, path).headers[.eTag])
            #expect(current != stale)
            #expect(try await bench.send(.put, path, headers: [.ifMatch: current]).status == 200)
            #expect(try await bench.send(.put, path, headers: [.ifMatch: stale]).status == 412)
            for (headers, status) in [
                ([.ifMatch: stale], 412), ([.ifNoneMatch: "*"], 412), ([.ifMatch: "W/\(current)"], 412), ([.ifMatch: "x"], 400),
            ] as [(HTTPFields, Int)] {
                #expect(try await bench.send(.delete, path, headers: headers).status == status)
                #expect(try await bench.send(.delete, path + "?dryRun=true", headers: headers).status == status)
            }
            #expect(bench.authority.state.users(of: "corp").map(\.name) == ["a"])
            #expect(try await bench.send(.delete, path, headers: [.ifMatch: current]).status == 200)
            #expect(try await bench.send(.delete, path, headers: [.ifMatch: current]).status == 404)
        }
    }

    @Test func `a membership has no document, and a body for one is refused`() async throws {
        try await AdminBench.run(.live) { bench in
            try await bench.putMesh("a")
            _ = try await bench.put("/certificate-authorities/corp", Self.authority())
            for query in ["", "?dryRun=true"] {
                let path = "/certificate-authorities/corp/meshes/a" + query
                let answer = try await bench.put(path, #"{"dryRun":true}"#)
                #expect(answer.status == 400 && answer.problem?.detail.contains("takes no body") == true, "\(answer.text)")
            }
            #expect(bench.authority.state.users(of: "corp").isEmpty)
            #expect(try await bench.put("/certificate-authorities/corp/meshes/a", "").status == 201)
        }
    }

    @Test func `a mesh that is no member is told by a sentence`() async throws {
        try await AdminBench.run { bench in
            _ = try await bench.put("/certificate-authorities/corp", Self.authority())
            for method in [HTTPRequest.Method.get, .delete] {
                let answer = try await bench.send(method, "/certificate-authorities/corp/meshes/default")
                #expect(answer.problem?.detail == "there is no member of the CA 'corp' named 'default'", "\(answer.text)")
            }
        }
    }

    @Test func `a root that was brought is read back with its key's fingerprint, and written back unchanged`() async throws {
        let root = try await ThrowAwayRoot.make()
        try await AdminBench.run(at: ServiceClock.system.now + .seconds(60)) { bench in
            let source = #""cert":{"inlineString":\#(root.certificate)},"key":{"inlineString":\#(root.key)}"#
            let mesh =
                #"{"type":"Mesh","name":"orders","mtls":{"enabledBackend":"own","backends":[{"name":"own","type":"provided","conf":{\#(source)}}]}}"#
            let created = try await bench.put("/meshes/orders", mesh)
            #expect(created.status == 201, "\(created.text)")
            for path in ["/meshes/orders", "/meshes"] {
                let read = try await bench.send(.get, path)
                #expect(!read.text.contains("PRIVATE KEY") && read.text.contains(#""key":{"fingerprint":""#), "\(read.text)")
            }
            let first = try await bench.send(.get, "/meshes/orders")
            let written = try await bench.put("/meshes/orders", first.text)
            #expect(written.status == 200, "\(written.text)")
            let second = try await bench.send(.get, "/meshes/orders")
            #expect(second.json?["mtls"] == first.json?["mtls"])

            let corp = try await bench.put("/certificate-authorities/corp", Self.authority("," + source))
            #expect(corp.status == 201 && corp.json?["warnings"]?.elements?.count == 1, "the same key in two CAs: \(corp.text)")
            let read = try await bench.send(.get, "/certificate-authorities/corp")
            #expect(!read.text.contains("PRIVATE KEY"))
            #expect(read.json?["key"]?["fingerprint"]?.text?.count == 64 && read.json?["keyType"] == nil, "\(read.text)")
            let again = try await bench.put("/certificate-authorities/corp", read.text)
            #expect(again.status == 200, "\(again.text)")
            #expect(try await bench.send(.get, "/certificate-authorities/corp").json?["cert"] == read.json?["cert"])
        }
    }

    @Test func `a root that cannot be brought is refused with each reason, and the answer holds nothing of the key`() async throws
    {
        let (root, other) = (try await ThrowAwayRoot.make(), try await ThrowAwayRoot.make())
        try await AdminBench.run(at: ServiceClock.system.now + .seconds(60)) { bench in
            for (certificate, key, field) in [
                (root.certificate, other.key, "key"), (#""none""#, root.key, "cert"),
                (#""\#(root.certificate.dropFirst().dropLast())\#(other.certificate.dropFirst())"#, root.key, "cert"),
            ] {
                let body = Self.authority(#","cert":{"inlineString":\#(certificate)},"key":{"inlineString":\#(key)}"#)
                let answer = try await bench.put("/certificate-authorities/corp", body)
                #expect(
                    answer.status == 400 && answer.problem?.invalidParameters?.first?.field.hasPrefix(field) == true,
                    "\(answer.text)")
                #expect(!answer.text.contains("PRIVATE KEY-----\\n"))
            }
            let file = try await bench.put(
                "/certificate-authorities/corp", Self.authority(#","cert":{"file":"/etc/passwd"},"key":{"file":"k"}"#))
            #expect(
                file.status == 400 && file.problem?.invalidParameters?.map(\.field) == ["cert.file", "key.file"], "\(file.text)")
            #expect(bench.authority.state.certificateAuthorities["corp"] == nil)
        }
    }

    private func sharers(_ bench: AdminBench) async throws -> [String] {
        let answer = try await bench.send(.get, "/certificate-authorities/corp/meshes")
        #expect(answer.status == 200)
        let names = (answer.json?["items"]?.elements ?? []).compactMap { $0["name"]?.text }
        let one = try await bench.send(.get, "/certificate-authorities/corp")
        #expect(one.json?["meshes"] == .array(names.map { .string($0) }))
        return names
    }

    private func previewed(_ bench: AdminBench, _ method: HTTPRequest.Method, _ path: String) async throws -> MeshChangeMessage {
        let answer = try await bench.send(method, path)
        #expect(answer.status == 200, "\(answer.text)")
        return try WireJSON.decode(MeshChangeMessage.self, from: Array(answer.text.utf8))
    }
}

/// A self-signed root that is made with OpenSSL and thrown away: both parts as JSON strings.
private struct ThrowAwayRoot {
    var certificate: String
    var key: String

    static func make() async throws -> ThrowAwayRoot {
        let folder = "/tmp/signet-root-\(UInt64.random(in: .min ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await Tool("bash", install: "apt-get install bash")
            .output([Repository.path("pki/throw-away/make.sh"), folder, "ec-p256"])
        func text(_ name: String) throws -> String {
            JSONValue.string(try String(contentsOfFile: "\(folder)/ec-p256.\(name)", encoding: .utf8)).json
        }
        return ThrowAwayRoot(certificate: try text("pem"), key: try text("key"))
    }
}
