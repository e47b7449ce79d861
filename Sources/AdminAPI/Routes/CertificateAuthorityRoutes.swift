internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

/// Certificate authorities and their roots: certificates and figures, never a key.
struct CertificateAuthorityRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/certificate-authorities", .administrator(.viewer), isPaged: true) { request in
                let state = authority.state
                let sorted = state.certificateAuthorities.values.sorted { $0.name < $1.name }
                return try .json(
                    try Paging(request).page(of: sorted, key: \.name, request) { CertificateAuthorityMessage($0, in: state) })
            },
            AdminRoute(.get, "/certificate-authorities/{ca}", .administrator(.viewer)) { request in
                let state = authority.state
                return try .json(CertificateAuthorityMessage(try named(request, in: state), in: state))
            },
            AdminRoute(.get, "/certificate-authorities/{ca}/issuers", .administrator(.viewer), isPaged: true) { request in
                let state = authority.state
                let name = try named(request, in: state).name
                let issuers = state.issuers.values.filter { $0.certificateAuthority == name }.sorted { $0.id < $1.id }
                return try .json(try Paging(request).page(of: issuers, key: \.id.text, request) { IssuerMessage($0, in: state) })
            },
            AdminRoute(.get, "/certificate-authorities/{ca}/issuers/{id}", .administrator(.viewer)) { request in
                let state = authority.state
                let name = try named(request, in: state).name
                guard let issuer = IssuerID(request.parameter("id")).flatMap({ state.issuers[$0] }),
                    issuer.certificateAuthority == name
                else { throw AuthorityError.notFound(kind: "issuer", name: DocumentNode.excerpt(of: request.parameter("id"))) }
                return try .json(IssuerMessage(issuer, in: state))
            },
        ]
    }

    private func named(_ request: AdminRequest, in state: AuthorityState) throws(AuthorityError) -> CertificateAuthority {
        guard let found = state.certificateAuthorities[request.parameter("ca")] else {
            throw .notFound(kind: "certificate authority", name: DocumentNode.excerpt(of: request.parameter("ca")))
        }
        return found
    }
}
