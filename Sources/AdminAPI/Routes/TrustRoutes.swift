internal import AdminWire
internal import Authority
internal import AuthorityService
internal import PKI

/// Who accepts whom, read from the very contexts that SDS serves.
struct TrustRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/trust/matrix", .administrator(.viewer), scope: .filtered, query: ["mesh"], repeatable: ["mesh"],
                handle: matrix),
            // Asks a question whose answer changes nothing.
            AdminRoute(.post, "/trust/check", .administrator(.viewer), scope: .filtered, body: .document, handle: check),
        ]
    }

    private func matrix(_ request: AdminRequest) throws -> AdminResponse {
        let state = authority.state
        var among = request.reach?.sorted()
        if let text = request.query["mesh"] {
            var chosen: [MeshName] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                try request.requireReach(part)
                guard let name = try? MeshName(part), state.meshes[name] != nil else {
                    throw AdminError.invalid([
                        .init(field: "mesh", reason: "there is no mesh '\(DocumentNode.excerpt(of: part))'")
                    ])
                }
                chosen.append(name)
            }
            among = chosen
        }
        let count = among.map { Set($0).count } ?? state.meshes.count
        guard count <= TrustRoutes.mostMeshes else {
            throw AdminError.invalid([
                .init(
                    field: "mesh", reason: "\(count) meshes are too many for one matrix: name at most \(TrustRoutes.mostMeshes)")
            ])
        }
        return try .json(TrustMatrixMessage(state.trustMatrix(among: among)))
    }

    /// 40,000 cells, some four megabytes; a matrix of a thousand meshes would have a hundred, which nobody reads.
    private static let mostMeshes = 200

    private func check(_ request: AdminRequest) throws -> AdminResponse {
        let question = try request.message { node throws(DocumentError) in try TrustCheckMessage(node) }
        let state = authority.state
        if request.reach != nil {
            let meshes = [question.from, question.to].map { state.mesh(of: $0.trustDomain)?.name }
            let own = meshes.count { $0.map(request.reaches) ?? false }
            guard own == meshes.count else { throw AdminRequest.outOfScope(own == 0 ? "none of them" : "another mesh too") }
        }
        return try .json(TrustVerdictMessage(state.trustVerdict(from: question.from, to: question.to)))
    }
}
