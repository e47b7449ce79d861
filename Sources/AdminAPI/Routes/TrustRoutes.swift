internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

/// Who accepts whom, read from the very contexts that SDS serves.
struct TrustRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(.get, "/trust/matrix", .administrator(.viewer)) { _ in
                try .json(TrustMatrixMessage(authority.state.trustMatrix()))
            },
            // Asks a question whose answer changes nothing.
            AdminRoute(.post, "/trust/check", .administrator(.viewer), body: .document) { request in
                let question = try request.message { node throws(DocumentError) in try TrustCheckMessage(node) }
                return try .json(TrustVerdictMessage(authority.state.trustVerdict(from: question.from, to: question.to)))
            },
        ]
    }
}
