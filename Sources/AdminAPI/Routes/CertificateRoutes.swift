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
                .get, "/meshes/{mesh}/certificates", .administrator(.viewer), query: ["identity", "kind"], isPaged: true,
                handle: list),
            AdminRoute(.post, "/meshes/{mesh}/certificates", .dataplaneToken, body: .pem, handle: sign),
        ]
    }

    private func list(_ request: AdminRequest) async throws -> AdminResponse {
        let mesh = try authority.state.entry(named: request.parameter("mesh")).mesh.name
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

    /// The token says who; the URL must say the same mesh, and a mesh that is not the token's is never said to exist or not.
    private func sign(_ request: AdminRequest) async throws -> AdminResponse {
        let token = AdminRequest.token(in: request.headers, bearerRequired: false)
        let credentials = ProxyCredentials(
            token: token, peerChain: nil, requiresCertificate: false, nodeID: "", source: request.source, requestID: request.id)
        guard let mesh = try? MeshName(request.parameter("mesh")) else {
            // No token is for a mesh of such a name, but only whoever has a token is told so.
            _ = try await authority.authenticate(credentials)
            throw AuthorityError.refused(.tokenOfAnotherMesh)
        }
        let chain = try await authority.sign(csr: try request.text(), mesh: mesh, credentials: credentials)
        return .text(chain.pem, contentType: "application/pem-certificate-chain")
    }
}
