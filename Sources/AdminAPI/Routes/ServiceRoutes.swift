internal import AdminWire
internal import AuthorityService

/// What the service says of itself: nothing of any mesh, so that whoever has a role may read it.
struct ServiceRoutes: Sendable {
    let authority: MeshAuthority
    let version: String

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/", .administrator(.viewer), scope: .filtered) { _ in
                try .json(ProductMessage(product: "Signet", version: version, instance: authority.instance))
            },
            AdminRoute(.get, "/openapi.yaml", .administrator(.viewer), scope: .filtered) { _ in
                .text(OpenAPIDocument.text, contentType: "application/yaml")
            },
        ]
    }
}
