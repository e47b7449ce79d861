import AdminWire
import Foundation
import Hummingbird
import TestSupport
import Testing

/// The documents in `policies/` are what their README says: ready to apply.
@Suite struct PolicyDocumentTests {
    @Test func `every document is accepted as it stands and without a warning`() async throws {
        let folder = Repository.path("policies")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }.sorted()
        #expect(files.count >= 4)
        try await AdminBench.run { bench in
            let readme = try String(contentsOfFile: folder + "/README.md", encoding: .utf8)
            for file in files {
                let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
                for document in try DocumentFile.documents(in: Array(text.utf8), format: .yaml) {
                    let path =
                        switch document.kind {
                        case .certificateAuthority: "/certificate-authorities/\(document.name)"
                        case .crossMeshAccess: "/cross-mesh-accesses/\(document.name)"
                        case .mesh: "/meshes/\(document.name)"
                        case .meshService: "/meshes/\(document.mesh?.name ?? "")/meshservices/\(document.name)"
                        }
                    let answer = try await bench.send(.put, path, type: "application/yaml", body: document.requestJSON.yaml)
                    #expect(
                        [200, 201].contains(answer.status) && answer.json?["warnings"] == .array([]), "\(file): \(answer.text)")
                }
                #expect(readme.contains("(\(file))"), "\(file) is not in the README")
            }
        }
    }

    @Test func `the default mesh is the one that the service makes by itself`() async throws {
        try await AdminBench.run { bench in
            let before = try await bench.send(.get, "/meshes/default")
            let text = try String(contentsOfFile: Repository.path("policies/default-mesh.yaml"), encoding: .utf8)
            #expect(try await bench.send(.put, "/meshes/default", type: "application/yaml", body: text).status == 200)
            #expect(try await bench.send(.get, "/meshes/default").text == before.text)
            #expect(bench.authority.state.issuers.count == 1)
        }
    }
}
