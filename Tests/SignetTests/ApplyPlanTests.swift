import AdminWire
import TestSupport
import Testing

@testable import signet

@Suite struct ApplyPlanTests {
    private static let everything = """
        type: MeshService
        mesh: payments
        name: api
        spec: {selector: {dataplaneTags: {kuma.io/service: api}}, ports: [{port: 80}]}
        ---
        type: CrossMeshAccess
        name: door
        from: {mesh: orders}
        to: {mesh: payments}
        ---
        type: Mesh
        name: payments
        ---
        type: CertificateAuthority
        name: corp
        meshes: [orders, payments]
        ---
        type: Mesh
        name: orders
        """

    private func steps(_ text: String) throws -> [ApplyPlan.Step] {
        ApplyPlan(try DocumentFile.documents(in: Array(text.utf8), format: .yaml)).steps
    }

    private func meshes(_ document: PolicyDocument) -> [String]? {
        if case .certificateAuthority(let authority) = document { authority.meshes.map(\.name) } else { nil }
    }

    @Test func `Certificate authorities go first, meshes next, and a second time those whose meshes come with them`() throws {
        let steps = try steps(Self.everything)
        #expect(
            steps.map(\.document.title) == [
                "certificate authority 'corp'", "mesh 'payments'", "mesh 'orders'", "certificate authority 'corp'",
                "MeshService 'payments/api'", "CrossMeshAccess 'door'",
            ])
        #expect(steps.map(\.isSecondPass) == [false, false, false, true, false, false])
        #expect(meshes(steps[0].document) == [] && meshes(steps[3].document) == ["orders", "payments"])
    }

    @Test func `A certificate authority whose meshes are there already goes once, with all of them`() throws {
        let steps = try steps("type: CertificateAuthority\nname: corp\nmeshes: [orders]\n---\ntype: Mesh\nname: payments\n")
        #expect(steps.map(\.document.title) == ["certificate authority 'corp'", "mesh 'payments'"])
        #expect(meshes(steps[0].document) == ["orders"])
    }

    @Test func `What a document depends on is named as the documents are`() throws {
        let text =
            Self.everything + """

                ---
                type: Mesh
                name: shop
                mtls: {enabledBackend: b, backends: [{name: b, type: shared, conf: {authority: corp}}]}
                """
        let documents = try DocumentFile.documents(in: Array(text.utf8), format: .yaml)
        let titles = Set(documents.map(\.title))
        for document in documents { #expect(titles.isSuperset(of: document.dependencies)) }
        #expect(documents.map(\.dependencies.count) == [1, 2, 0, 2, 0, 1])
    }

    @Test func `A preview tells fields, rotations and pairs, each pair once`() {
        var message = MeshChangeMessage(
            move: .init(mesh: "orders", from: "orders.ca-1", to: "corp"),
            trust: .init(
                begins: [.init(from: "orders", to: "payments"), .init(from: "payments", to: "orders")],
                ceases: [.init(from: "web", to: "orders")]),
            differences: [
                .init(field: "mtls.enabledBackend", before: .string("ca-1"), after: .string("corp")),
                .init(field: "isolated", before: .null, after: .bool(true)),
                .init(field: "identity.path", before: .string("/a\nb"), after: .null),
            ])
        #expect(
            ChangeReport(message).preview == [
                "mtls.enabledBackend: ca-1 → corp", "isolated: (none) → true", "identity.path: /a b → (none)",
                "a rotation would start: mesh 'orders' from certificate authority 'orders.ca-1' to 'corp'",
                "orders and payments would begin to accept each other", "orders would cease to accept web",
            ])
        message.differences = [
            .init(field: "cert", before: .string(String(repeating: "a", count: 121)), after: .string("b"))
        ]
        #expect(ChangeReport(message).preview[0] == "cert: \(String(repeating: "a", count: 120))… → b")
    }
}
