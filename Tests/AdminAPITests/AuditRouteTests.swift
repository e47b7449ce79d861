import AdminWire
import Foundation
import PKI
import TestSupport
import Testing

@testable import AuthorityService

@Suite struct AuditRouteTests {
    private func page(_ path: String, _ bench: AdminBench, token: String? = nil) async throws -> [AuditMessage] {
        let answer = try await bench.send(.get, path, token: token ?? bench.admin)
        #expect(answer.status == 200, "\(answer.text)")
        return try WireJSON.decode(Listing<AuditMessage>.self, from: Array(answer.text.utf8)).items
    }

    @Test func `each entry shows what the act found and what it left, and is found by who did it`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let created = try #require(try await page("/audit?mesh=orders", bench).first)
            #expect(created.before == nil && created.after?.contains(#""mesh orders":{"#) == true)
            #expect(created.hash?.count == 64 && created.previous?.count == 64)
            _ = try await bench.send(.delete, "/meshes/orders")
            let deleted = try #require(try await page("/audit?actor=user:root&size=1", bench).first)
            #expect(deleted.action == "mesh-deleted" && deleted.seq == created.seq + 1 && deleted.previous == created.hash)
            #expect(deleted.before?.contains(#""mesh orders":{"#) == true)
            #expect(try await page("/audit?actor=user:nobody", bench).isEmpty)
        }
    }

    @Test func `whoever is limited to a mesh sees its entries, and of the chain nothing`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            try await bench.putMesh("payments")
            let token = try await bench.userToken(.admin, meshes: ["orders"])
            let items = try await page("/audit", bench, token: token)
            #expect(!items.isEmpty && items.allSatisfy { $0.mesh == "orders" })
            #expect(items.allSatisfy { $0.before == nil && $0.after == nil && $0.hash == nil && $0.previous == nil })
            for path in ["/audit/chain", "/audit/head"] {
                let answer = try await bench.send(.get, path, token: token)
                #expect(answer.status == 403 && answer.problem?.reason == "mesh-out-of-scope", "\(path)")
            }
        }
    }

    @Test func `whoever is known and refused is the one who did it, and from where is an address alone`() async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("orders")
            let viewer = try await bench.userToken(.viewer)
            #expect(try await bench.send(.delete, "/meshes/orders", token: viewer).status == 403)
            let limited = try await bench.userToken(.admin, meshes: ["orders"])
            #expect(try await bench.send(.get, "/audit/head", token: limited).status == 403)
            try await bench.authority.auditQueue.flush(to: bench.ledger, after: nil)
            let refusals = try await page("/audit", bench).filter { $0.action == "credential-refused" }
            #expect(refusals.count == 2 && refusals.allSatisfy { $0.actor.hasPrefix("user:") })
            #expect(refusals.allSatisfy { !$0.source.contains(" ") && !$0.source.contains("user:") }, "\(refusals)")
        }
    }

    @Test func `the chain is read oldest first, page by page, and its head is that of the last row`() async throws {
        try await AdminBench.run { bench in
            for name in ["b", "c", "d"] { try await bench.putMesh(name) }
            let head = try WireJSON.decode(
                AuditHeadMessage.self, from: Array(try await bench.send(.get, "/audit/head").text.utf8))
            var rows: [AuditMessage] = []
            while true {
                let answer = try await bench.send(.get, "/audit/chain?after=\(rows.last?.seq ?? 0)&size=2")
                #expect(answer.status == 200)
                let page = try WireJSON.decode(AuditChainMessage.self, from: Array(answer.text.utf8)).items
                guard !page.isEmpty else { break }
                rows += page
            }
            #expect(rows.map(\.seq) == Array(1...head.seq))
            #expect(rows.last?.hash == head.hash && rows.first?.previous == head.genesis)
            #expect(zip(rows, rows.dropFirst()).allSatisfy { $0.hash == $1.previous })
            for query in ["after=-1", "after=x", "size=0", "size=1001", "offset=1"] {
                #expect(try await bench.send(.get, "/audit/chain?\(query)").status == 400, "\(query)")
            }
            for (call, path) in [(MemoryLedger.Call.auditChain, "/audit/chain"), (.auditHead, "/audit/head")] {
                bench.ledger.inject(.unavailable, into: call)
                #expect(try await bench.send(.get, path).status == 503)
            }
        }
    }
}
