internal import AdminWire
internal import AuthorityService

/// What the service says of itself.
struct ServiceRoutes: Sendable {
    let authority: MeshAuthority
    let version: String

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/", .administrator(.viewer)) { _ in
                try .json(ProductMessage(product: "Signet", version: version, instance: authority.instance))
            },
            AdminRoute(.get, "/openapi.yaml", .administrator(.viewer)) { _ in
                .text(OpenAPIDocument.text, contentType: "application/yaml")
            },
        ]
    }
}
