import AdminWire
import Testing

@Suite struct RotationRouteTests {
    @Test func `a rotation is listed wherever it is looked for, and read with what it waits for`() async throws {
        try await AdminBench.run { bench in
            let estate = try await Estate.make(in: bench)
            let one = try await bench.send(.get, "/rotations/\(estate.rotation)")
            #expect(one.status == 200)
            let rotation = try WireJSON.decode(RotationMessage.self, from: Array(one.text.utf8))
            #expect(rotation.id == estate.rotation && rotation.kind == "move" && rotation.meshes == ["home"])
            #expect(rotation.certificateAuthority == "corp" && rotation.previousAuthority == "home.ca-1")
            #expect(rotation.to == estate.issuer && rotation.phase == "distributing" && rotation.endedAt == nil)
            #expect(rotation.retireAfter == "expired" && rotation.startedAt == "2027-01-15T08:00:00Z")
            #expect(rotation.gate != nil, "\(one.text)")
            for path in ["/rotations", "/certificate-authorities/corp/rotations"] {
                let all = try await list(bench, path)
                #expect(Set(all.flatMap(\.meshes)) == ["home", "annex"] && all.allSatisfy { $0.gate == nil })
                #expect(try await list(bench, path + "?mesh=home").map(\.id) == [estate.rotation])
                #expect(try await list(bench, path + "?mesh=abroad").isEmpty)
                #expect(try await bench.send(.get, path + "?mesh=none").status == 404)
            }
            #expect(try await list(bench, "/certificate-authorities/home.ca-1/rotations").map(\.id) == [estate.rotation])
            #expect(try await list(bench, "/certificate-authorities/abroad.ca-1/rotations").isEmpty)
            #expect(try await bench.send(.get, "/certificate-authorities/none/rotations").status == 404)
            for id in ["rot-0", "none", "%20"] { #expect(try await bench.send(.get, "/rotations/\(id)").status == 404) }
        }
    }

    @Test func `rotations are paged newest first`() async throws {
        try await AdminBench.run { bench in
            _ = try await bench.put("/certificate-authorities/corp", #"{"type":"CertificateAuthority","name":"corp"}"#)
            for name in ["a", "b", "c", "d", "e"] {
                try await bench.putMesh(name)
                bench.clock.advance(by: .seconds(1))
                #expect(try await bench.send(.put, "/certificate-authorities/corp/meshes/\(name)").status == 201)
            }
            var seen: [String] = []
            var url: String? = "/rotations?size=2"
            while let current = url {
                let answer = try await bench.send(.get, current)
                let page = try WireJSON.decode(Listing<RotationMessage>.self, from: Array(answer.text.utf8))
                #expect(page.total == 5)
                seen += page.items.flatMap(\.meshes)
                url = page.next.map { String($0.dropFirst("https://localhost".count)) }
            }
            #expect(seen == ["e", "d", "c", "b", "a"])
        }
    }

    private func list(_ bench: AdminBench, _ path: String) async throws -> [RotationMessage] {
        let answer = try await bench.send(.get, path)
        #expect(answer.status == 200, "\(path): \(answer.text)")
        return try WireJSON.decode(Listing<RotationMessage>.self, from: Array(answer.text.utf8)).items
    }
}
