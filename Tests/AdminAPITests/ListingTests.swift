import AdminWire
import Foundation
import Hummingbird
import TestSupport
import Testing

@Suite struct ListingTests {
    @Test func `pages follow one another to the end`() async throws {
        try await AdminBench.run { bench in
            for name in ["b", "c", "d", "e"] { try await bench.putMesh(name) }
            var seen: [String] = []
            var url: String? = "/meshes?size=2"
            var pages = 0
            while let current = url {
                let answer = try await bench.send(.get, current)
                #expect(answer.status == 200 && answer.json?["total"] == .number("5"))
                seen += (answer.json?["items"]?.elements ?? []).compactMap { $0["name"]?.text }
                pages += 1
                url = answer.json?["next"]?.text
                if let next = url {
                    #expect(next.hasPrefix("https://localhost/meshes?offset="))
                    url = String(next.dropFirst("https://localhost".count))
                } else {
                    #expect(answer.json?["next"] == .null)
                }
            }
            #expect(seen == ["b", "c", "d", "default", "e"] && pages == 3)
        }
    }

    @Test func `pages of certificates, tokens, rotations and the audit trail are read from the ledger alone`()
        async throws
    {
        try await AdminBench.run { bench in
            let pages: [(MemoryLedger.Call, String)] = [
                (.certificates, "/meshes/default/certificates"), (.tokens, "/tokens"),
                (.rotations, "/rotations"), (.rotations, "/certificate-authorities/default.ca-1/rotations"), (.audit, "/audit"),
            ]
            for (call, path) in pages {
                #expect(try await bench.send(.get, path).status == 200)
                bench.ledger.inject(.unavailable, into: call)
                let answer = try await bench.send(.get, path)
                #expect(answer.status == 503 && answer.headers[.retryAfter] == "1", "\(path)")
            }
        }
    }

    @Test func `lists of what is in memory are the same while the ledger is away or in doubt, page by page`() async throws {
        try await AdminBench.run { bench in
            _ = try await Estate.make(in: bench)
            let lists = [
                "/meshes", "/certificate-authorities", "/certificate-authorities/corp/meshes",
                "/certificate-authorities/corp/issuers", "/cross-mesh-accesses", "/meshes/home/meshservices",
            ]
            func pages() async throws -> [String] {
                var pages: [String] = []
                for list in lists {
                    var url: String? = list + "?size=1"
                    while let current = url {
                        let answer = try await bench.send(.get, current)
                        #expect(answer.status == 200, "\(current): \(answer)")
                        pages.append(answer.text)
                        url = answer.json?["next"]?.text.map { String($0.dropFirst("https://localhost".count)) }
                    }
                }
                return pages
            }
            let before = try await pages()
            #expect(before.count > lists.count)
            bench.ledger.setLasting(.unavailable)
            #expect(try await pages() == before)
            bench.ledger.setLasting(nil)
            let backup = bench.ledger.disk.store
            try await bench.putMesh("late")
            let now = try await pages()
            bench.ledger.disk.restore(backup)
            #expect(try await bench.putMesh("later").status == 503)
            #expect(try await pages() == now)
        }
    }

    @Test func `a page is right although meshes came and went since the one before`() async throws {
        try await AdminBench.run { bench in
            for name in ["b", "c", "x", "y"] { try await bench.putMesh(name) }
            let first = try await bench.send(.get, "/meshes?size=2")
            let next = try #require(first.json?["next"]?.text).dropFirst("https://localhost".count)
            try await bench.putMesh("a")
            _ = try await bench.send(.delete, "/meshes/c")
            let second = try await bench.send(.get, String(next))
            #expect(second.json?["items"]?.elements?.compactMap { $0["name"]?.text } == ["default", "x"])
        }
    }

    @Test func `the ledger of certificates is listed newest first, by page and by kind`() async throws {
        try await AdminBench.run { bench in
            let token = try await bench.dataplaneToken()
            for _ in 0..<5 {
                #expect(
                    try await bench.send(
                        .post, "/meshes/default/certificates", token: token, type: "text/plain", body: AdminBench.csr
                    ).status == 200)
                bench.clock.advance(by: .seconds(1))
            }
            var serials: [String] = []
            var times: [String] = []
            var url: String? = "/meshes/default/certificates?kind=leaf&size=2"
            while let current = url {
                let page = try WireJSON.decode(
                    Listing<CertificateMessage>.self, from: Array(try await bench.send(.get, current).text.utf8))
                #expect(page.total == 5)
                #expect(
                    page.items.allSatisfy {
                        $0.kind == "leaf" && $0.identity == "spiffe://default/web" && $0.origin?.proxy == "web-1"
                    })
                serials += page.items.map(\.serial)
                times += page.items.map(\.issuedAt)
                url = page.next.map { String($0.dropFirst("https://localhost".count)) }
                if let url { #expect(url.contains("kind=leaf")) }
            }
            #expect(Set(serials).count == 5 && serials.count == 5)
            #expect(times == times.sorted(by: >))
            let all = try await bench.send(.get, "/meshes/default/certificates")
            #expect(all.json?["items"]?.elements?.contains { $0["kind"]?.text == "root" } == true)
            let offset = Data("kdefault".utf8).base64EncodedString().replacing("=", with: "")
            #expect(try await bench.send(.get, "/meshes/default/certificates?offset=\(offset)").status == 400)
        }
    }

    @Test func `the offset of a list is of use in that list alone`() async throws {
        try await AdminBench.run { bench in
            _ = try await Estate.make(in: bench)
            let token = try await bench.dataplaneToken(mesh: "home")
            for _ in 0..<2 {
                _ = try await bench.send(
                    .post, "/meshes/home/certificates", token: token, type: "text/plain", body: AdminBench.csr)
            }
            let lists = [
                "/meshes", "/certificate-authorities", "/certificate-authorities/corp/meshes", "/rotations",
                "/certificate-authorities/corp/rotations", "/meshes/home/certificates", "/meshes/annex/certificates", "/tokens",
                "/audit",
            ]
            for list in lists {
                let first = try await bench.send(.get, list + "?size=1")
                let next = try #require(first.json?["next"]?.text, "\(list): \(first.text)")
                let query = try #require(next.split(separator: "?").last)
                for other in lists {
                    let answer = try await bench.send(.get, "\(other)?\(query)")
                    #expect(answer.status == (other == list ? 200 : 400), "\(query) of \(list) in \(other): \(answer.text)")
                    guard other != list else { continue }
                    #expect(answer.problem?.invalidParameters == [.init(field: "offset", reason: "belongs to another list")])
                }
            }
        }
    }

    @Test func `the certificates of a mesh that is gone are still listed, and a mesh that never was is not found`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let before = try await bench.send(.get, "/meshes/orders/certificates")
            #expect(try await bench.send(.delete, "/meshes/orders").status == 200)
            let after = try await bench.send(.get, "/meshes/orders/certificates")
            #expect(after.status == 200 && after.json?["items"]?.elements?.isEmpty == false, "\(after.text)")
            #expect(after.json?["items"] == before.json?["items"])
            let leaves = try await bench.send(.get, "/meshes/orders/certificates?kind=leaf")
            #expect(leaves.status == 200 && leaves.json?["total"] == .number("0"))
            for name in ["none", "a_b"] {
                #expect(try await bench.send(.get, "/meshes/\(name)/certificates").status == 404)
            }
        }
    }

    @Test func `the proxies of a mesh are shown with what they acknowledged`() async throws {
        try await AdminBench.run { bench in
            let caller = try await bench.caller()
            let stream = bench.authority.proxies.opened(caller, node: "node-1", at: bench.clock.now)
            bench.authority.proxies.report(
                stream,
                .init(
                    resource: "ROOTCA", sentVersion: "v2", sentAt: bench.clock.now, ackedVersion: "v1", ackedAt: bench.clock.now,
                    nack: .init(version: "v2", message: "bad \"secret\"", at: bench.clock.now), isSilent: false))
            let listed = try await bench.send(.get, "/meshes/default/proxies")
            let proxy = try #require(
                try WireJSON.decode(Listing<ProxyMessage>.self, from: Array(listed.text.utf8)).items.first)
            #expect(
                proxy.name == "web-1" && proxy.identity == "spiffe://default/web" && proxy.connected && proxy.node == "node-1")
            #expect(
                proxy.subscriptions.first?.nack?.message == "bad \"secret\"" && proxy.subscriptions.first?.ackedVersion == "v1")
            let one = try await bench.send(.get, "/meshes/default/proxies/web-1")
            #expect(try WireJSON.decode(ProxyMessage.self, from: Array(one.text.utf8)) == proxy)
            #expect(try await bench.send(.get, "/meshes/default/proxies/none").status == 404)
            #expect(
                try await bench.send(.get, "/meshes/default/proxies?identity=spiffe://default/other").json?["total"]
                    == .number("0"))
            let two = try await bench.caller(service: "api")
            _ = bench.authority.proxies.opened(two, node: "node-2", at: bench.clock.now)
            #expect(try await bench.send(.get, "/meshes/default/proxies/web-1").status == 409)
            let named = try await bench.send(.get, "/meshes/default/proxies/web-1?identity=spiffe%3A%2F%2Fdefault%2Fapi")
            #expect(named.json?["node"]?.text == "node-2")
        }
    }

    @Test func `certificate authorities and their issuers are shown without keys`() async throws {
        try await AdminBench.run { bench in
            let list = try await bench.send(.get, "/certificate-authorities")
            #expect(list.json?["total"] == .number("1"))
            let one = try await bench.send(.get, "/certificate-authorities/default.ca-1")
            let authority = try WireJSON.decode(CertificateAuthorityMessage.self, from: Array(one.text.utf8))
            #expect(authority.keyType == "EC-P256" && authority.expiration == "10y" && authority.owner == "default")
            #expect(authority.meshes == ["default"] && authority.issuers.count == 1)
            let issuers = try await bench.send(.get, "/certificate-authorities/default.ca-1/issuers")
            #expect(issuers.json?["total"] == .number("1"))
            let issuer = try WireJSON.decode(
                IssuerMessage.self,
                from: Array(
                    try await bench.send(.get, "/certificate-authorities/default.ca-1/issuers/\(authority.issuers[0])").text.utf8)
            )
            #expect(issuer.uses == [.init(mesh: "default", state: "active")])
            #expect(issuer.certificate.hasPrefix("-----BEGIN CERTIFICATE-----"))
            #expect(try await bench.send(.get, "/certificate-authorities/none").status == 404)
            try await bench.putMesh("other")
            #expect(
                try await bench.send(.get, "/certificate-authorities/other.ca-1/issuers/\(authority.issuers[0])").status == 404)
        }
    }

    @Test func `the audit trail shows who did what, newest first`() async throws {
        try await AdminBench.run { bench in
            _ = try await bench.send(
                .put, "/meshes/orders", type: "application/json", headers: AdminBench.requestID("r-77"),
                body: AdminBench.mesh("orders"))
            let answer = try await bench.send(.get, "/audit?size=1")
            let entry = try #require(try WireJSON.decode(Listing<AuditMessage>.self, from: Array(answer.text.utf8)).items.first)
            #expect(
                entry.action == "mesh-created" && entry.actor == "user:root" && entry.mesh == "orders"
                    && entry.requestID == "r-77")
            let filtered = try await bench.send(.get, "/audit?mesh=orders")
            #expect(filtered.json?["items"]?.elements?.allSatisfy { $0["mesh"]?.text == "orders" } == true)
            // What became of one that was deleted is asked afterwards.
            _ = try await bench.send(.delete, "/meshes/orders")
            let past = try await bench.send(.get, "/audit?mesh=orders")
            #expect(past.status == 200 && past.json?["items"]?.elements?.first?["action"]?.text == "mesh-deleted", "\(past)")
            #expect(try await bench.send(.get, "/audit?mesh=none").json?["items"]?.elements?.isEmpty == true)
            #expect(try await bench.send(.get, "/audit?mesh=Not+a+name").problem?.invalidParameters?.map(\.field) == ["mesh"])
        }
    }
}
