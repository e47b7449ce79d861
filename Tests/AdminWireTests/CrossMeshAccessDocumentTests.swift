import AdminWire
import PKI
import Testing

/// What a CrossMeshAccess document says, in both of Kuma's forms.
@Suite struct CrossMeshAccessDocumentTests {
    @Test func `a Universal document gives all its fields`() throws {
        let door = try #require(try doors(universal).first)
        #expect(door.name == "orders-to-payments")
        #expect(door.from == .init(mesh: try MeshName("orders"), services: ["web", "batch"]))
        #expect(door.to == .init(mesh: try MeshName("payments"), services: ["api"]))
    }

    @Test func `the Kubernetes form means the same as the Universal one`() throws {
        let kubernetes = """
            apiVersion: kuma.io/v1alpha1
            kind: CrossMeshAccess
            metadata:
              name: orders-to-payments
              creationTimestamp: "2026-01-02T03:04:05Z"
              resourceVersion: "7"
            spec:
              from: {mesh: orders, services: [web, batch]}
              to: {mesh: payments, services: [api]}
            """
        #expect(try documents(kubernetes) == documents(universal))
    }

    @Test func `services that are not written mean the whole mesh`() throws {
        let door = try #require(try doors("type: CrossMeshAccess\nname: d\nfrom: {mesh: a}\nto: {mesh: b}\n").first)
        #expect(door.from.services == nil && door.to.services == nil)
        #expect(
            door.json().json == #"{"type":"CrossMeshAccess","name":"d","from":{"mesh":"a"},"to":{"mesh":"b"}}"#)
    }

    @Test(arguments: DocumentForm.allCases) func `a document survives the way through JSON and YAML`(form: DocumentForm) throws {
        for text in [universal, "type: CrossMeshAccess\nname: d\nfrom: {mesh: a}\nto: {mesh: b, services: ['1', 'yes', 'x: #']}"]
        {
            let written = try documents(text)
            for document in written {
                #expect(try documents(document.json(form).json, .json) == written)
                #expect(try documents(document.json(form).yaml) == written)
            }
        }
    }

    @Test func `what the server writes into a document is taken back and ignored`() throws {
        var door = try #require(try doors(universal).first)
        door.creationTime = "2026-01-02T03:04:05Z"
        door.modificationTime = "2026-01-02T03:04:06Z"
        let written = door.json().json
        #expect(written.contains(#""creationTime":"2026-01-02T03:04:05Z","modificationTime":"2026-01-02T03:04:06Z""#))
        #expect(try documents(written, .json) == documents(universal))
    }

    @Test func `meshes and doors of one text keep their order`() throws {
        let text = "type: Mesh\nname: orders\n---\n\(universal)\n---\ntype: Mesh\nname: payments\n"
        #expect(
            try documents(text).map { "\($0.kind.rawValue) \($0.name)" } == [
                "Mesh orders", "CrossMeshAccess orders-to-payments", "Mesh payments",
            ])
    }

    @Test func `a document is not read as one of another type`() throws {
        let node = try #require(try DocumentText.parse(Array(universal.utf8), format: .yaml).first)
        let asMesh = #expect(throws: DocumentError.self) { try MeshDocument(node) }
        #expect(
            asMesh?.description
                == "line 1: type: a document of the type 'CrossMeshAccess' does not belong here: send one of the type Mesh")
        let mesh = try #require(try DocumentText.parse(Array("type: Mesh\nname: m\n".utf8), format: .yaml).first)
        #expect(throws: DocumentError.self) { try CrossMeshAccessDocument(mesh) }
    }

    @Test func `a question about trust names two SPIFFE IDs`() throws {
        func question(_ json: String) throws -> TrustCheckMessage {
            try TrustCheckMessage(try #require(try DocumentText.parse(Array(json.utf8), format: .json).first))
        }
        let message = try question(#"{"from":"spiffe://a/web","to":"spiffe://b/api"}"#)
        #expect(message.from.path == "/web" && message.to.trustDomain.name == "b")
        let written = String(decoding: try WireJSON.encode(message), as: UTF8.self)
        #expect(written == #"{"from":"spiffe://a/web","to":"spiffe://b/api"}"#)
        let error = #expect(throws: DocumentError.self) { try question(#"{"from":"spiffe://a","too":"spiffe://b/api"}"#) }
        #expect(error?.issues.map(\.field) == ["too", "from", "to"])
    }

    private func doors(_ text: String) throws(DocumentError) -> [CrossMeshAccessDocument] {
        try documents(text).compactMap { if case .crossMeshAccess(let door) = $0 { door } else { nil } }
    }
}

private let universal = """
    type: CrossMeshAccess
    name: orders-to-payments
    from: {mesh: orders, services: [web, batch]}
    to: {mesh: payments, services: [api]}
    """
