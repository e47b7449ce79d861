internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

/// The issuance ledger of a mesh, and the way to a certificate for a key that the client keeps.
struct CertificateRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/meshes/{mesh}/certificates", .administrator(.viewer), scope: .meshInPath, query: ["identity", "kind"],
                isPaged: true, handle: list),
            AdminRoute(.post, "/meshes/{mesh}/certificates", .dataplaneToken, scope: .meshInPath, body: .pem, handle: sign),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let mesh = try await recordedMesh(request.parameter("mesh"))
        var kind: CertificateRecord.Kind?
        if let text = request.query["kind"] {
            guard let known = CertificateRecord.Kind(rawValue: text) else {
                let kinds = CertificateRecord.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw AdminError.invalid([.init(field: "kind", reason: "must be one of \(kinds)")])
            }
            kind = known
        }
        let paging = try Paging(request)
        let page = try await authority.certificates(
            CertificateQuery(
                mesh: mesh, kind: kind, identity: try request.identity("identity"), cursor: try paging.cursor(), size: paging.size
            ))
        return try .json(paging.listing(page, request) { CertificateMessage($0) })
    }

    /// The ledger outlives a mesh: one that is gone is found for as long as it has rows.
    private func recordedMesh(_ text: String) async throws(AuthorityError) -> MeshName {
        guard let name = try? MeshName(text), authority.state.meshes[name] == nil else {
            return try authority.state.entry(named: text).mesh.name
        }
        guard try await authority.certificates(CertificateQuery(mesh: name, size: 1)).total > 0 else {
            throw .notFound(kind: "mesh", name: name.name)
        }
        return name
    }

    private func sign(_ request: AdminRequest) async throws -> AdminResponse {
        let proxy = try request.requireProxy()
        let chain = try await authority.sign(csr: try request.text(), mesh: proxy.mesh, credentials: proxy.credentials)
        return .text(chain.pem, contentType: "application/pem-certificate-chain")
    }
}
