import AdminAPI
import AuthorityService
import Hummingbird
import PKI
import Testing

/// Who gets in where: every route of the table times every kind of credential, so that a new route cannot be forgotten.
@Suite struct AuthorizationMatrixTests {
    enum Credential: Hashable, Sendable, CaseIterable {
        case certificateless, dataplane, expiredAdmin, expiredDataplane, foreignDataplane, garbage, revokedAdmin,
            revokedDataplane
        /// An admin token, for all meshes.
        case everywhere(AdministratorRole)
        /// An admin token that is limited to meshes which the request is not about.
        case elsewhere(AdministratorRole)
        /// An admin token that is limited to those that it is about.
        case here(AdministratorRole)

        static let allCases: [Credential] =
            [
                .certificateless, .dataplane, .expiredAdmin, .expiredDataplane, .foreignDataplane, .garbage, .revokedAdmin,
                .revokedDataplane,
            ] + AdministratorRole.allCases.flatMap { [.everywhere($0), .elsewhere($0), .here($0)] }
    }

    private enum Expectation: Hashable {
        case allowed
        case forbidden(reason: String)
        case unauthorized
    }

    @Test(arguments: Credential.allCases) func `every route treats the credential as its table says`(credential: Credential)
        async throws
    {
        try await AdminBench.run { bench in
            let estate = try await Estate.make(in: bench)
            let token = try await token(credential, bench)
            for route in bench.table.routes {
                let answer = try await request(route, about: estate, bench, token: token)
                let name = "\(route.name) as \(credential): \(answer.status) \(answer.text)"
                switch expectation(route, credential) {
                case .allowed:
                    #expect(![401, 403, 405].contains(answer.status) && answer.status < 500, "\(name)")
                case .forbidden(let reason):
                    #expect(answer.status == 403 && answer.problem?.reason == reason, "\(name)")
                case .unauthorized:
                    #expect(answer.status == 401, "\(name)")
                    #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true, "\(name)")
                    #expect(answer.headers[.contentType] == "application/problem+json", "\(name)")
                    #expect(answer.problem?.reason?.isEmpty == false, "\(name)")
                }
            }
        }
    }

    @Test func `a route that leaves the last word to its handler and takes a body has a body in the matrix`() async throws {
        try await AdminBench.run { bench in
            let estate = try await Estate.make(in: bench)
            for route in bench.table.routes where route.scope == .filtered && route.body != nil {
                #expect(estate.body(of: route.name) != nil, "\(route.name)")
            }
            for route in bench.table.routes where route.scope == .meshInPath {
                #expect(route.path.parameters.contains("mesh"), "\(route.name)")
            }
        }
    }

    @Test(arguments: Credential.allCases) func `nothing of a request is judged before its credential`(credential: Credential)
        async throws
    {
        try await AdminBench.run { bench in
            let estate = try await Estate.make(in: bench)
            let token = try await token(credential, bench)
            for route in bench.table.routes {
                guard let body = route.body else { continue }
                let path = path(of: route, about: estate)
                let type = body.contentTypes[0]
                let faults: [(status: Int, AdminBench.Answer)] = [
                    (400, try await bench.send(route.method, path + "?nonsense=1", token: token, type: type, body: "{")),
                    (
                        413,
                        try await bench.send(
                            route.method, path, token: token, type: type, body: String(repeating: " ", count: body.limit + 1))
                    ),
                    (415, try await bench.send(route.method, path, token: token, type: "image/png", body: "{")),
                    (400, try await bench.send(route.method, path, token: token, type: type, bytes: [0xFF, 0xFE])),
                ]
                // Which meshes a body is about is known once it is read.
                let expected = expectation(route, credential, knowsBody: false)
                for (status, answer) in faults {
                    let name = "\(route.name) as \(credential): \(answer.status) \(answer.text)"
                    switch expected {
                    case .allowed: #expect(answer.status == status, "\(name)")
                    case .forbidden(let reason): #expect(answer.status == 403 && answer.problem?.reason == reason, "\(name)")
                    case .unauthorized: #expect(answer.status == 401, "\(name)")
                    }
                }
            }
        }
    }

    @Test(arguments: [Credential.certificateless, .garbage, .dataplane])
    func `a stranger cannot tell a path that is there from one that is not`(
        credential: Credential
    ) async throws {
        try await AdminBench.run { bench in
            try await bench.putMesh("home")
            try await bench.putMesh("abroad")
            let token = try await token(credential, bench)
            var answers: Set<String> = []
            for path in [
                "/meshes/home", "/meshes/none", "/nothing", "/meshes/home/proxies/x", "/audit?x=1", "/%zz", "/metrics",
            ] {
                for method in [HTTPRequest.Method.get, .put, .patch] {
                    let answer = try await bench.send(method, path, token: token, headers: AdminBench.requestID("same"))
                    #expect(answer.status == 401, "\(method) \(path)")
                    answers.insert(answer.text)
                }
            }
            #expect(answers.count == 1)
        }
    }

    @Test func `a limited administrator cannot tell what is there of other meshes from what is not`() async throws {
        try await AdminBench.run { bench in
            let estate = try await Estate.make(in: bench)
            let token = try await bench.userToken(.admin, meshes: [Estate.strange])
            for route in bench.table.routes where route.credential != .dataplaneToken && !route.path.parameters.isEmpty {
                let there = try await request(route, about: estate, bench, token: token)
                let missing = route.path.filled { name in
                    name == "mesh"
                        ? "nowhere" : name != "id" ? "nothing" : route.path.description.hasPrefix("/rot") ? "rot-0" : "0"
                }
                let query = route.query.contains("dryRun") ? "?dryRun=true" : ""
                let body = estate.body(of: route.name)?.replacing("inner", with: "nothing")
                let notThere = try await bench.send(
                    route.method, missing + query, token: token, type: route.body?.contentTypes.first,
                    headers: AdminBench.requestID("same"), body: route.body == nil ? nil : body ?? "{")
                #expect(there.status == 403 && notThere.status == 403, "\(route.name): \(notThere.text)")
                #expect(there.text == notThere.text, "\(route.name)")
            }
        }
    }

    @Test func `a refusal of the role is in the audit trail`() async throws {
        try await AdminBench.run { bench in
            let viewer = try await bench.userToken(.viewer)
            let answer = try await bench.send(.delete, "/meshes/default", token: viewer)
            #expect(answer.status == 403)
            #expect(answer.problem?.detail == "this needs the role 'admin'")
            #expect(bench.authority.state.meshes.count == 1)
        }
    }

    @Test(arguments: ["Basic cm9vdDpyb290", "bearer", "Bearer", "Bearer a b", "Bearer a, Bearer b", ""])
    func `a malformed authorization header is no credential`(header: String) async throws {
        try await AdminBench.run { bench in
            let answer = try await bench.send(.get, "/meshes", token: nil, headers: [.authorization: header])
            #expect(answer.status == 401)
        }
    }

    @Test func `whatever changes something needs more than a viewer`() async throws {
        try await AdminBench.run { bench in
            var writes: [String: AdminRoute.Credential] = [:]
            for route in bench.table.routes where route.method != .get { writes[route.name] = route.credential }
            #expect(
                writes == [
                    "DELETE /certificate-authorities/{ca}": .administrator(.admin),
                    "PUT /certificate-authorities/{ca}": .administrator(.admin),
                    "DELETE /certificate-authorities/{ca}/meshes/{mesh}": .administrator(.admin),
                    "PUT /certificate-authorities/{ca}/meshes/{mesh}": .administrator(.admin),
                    "DELETE /cross-mesh-accesses/{name}": .administrator(.admin),
                    "PUT /cross-mesh-accesses/{name}": .administrator(.admin),
                    "DELETE /meshes/{mesh}": .administrator(.admin), "PUT /meshes/{mesh}": .administrator(.admin),
                    "DELETE /meshes/{mesh}/meshservices/{name}": .administrator(.admin),
                    "PUT /meshes/{mesh}/meshservices/{name}": .administrator(.admin),
                    "POST /meshes/{mesh}/certificates": .dataplaneToken,
                    // These ask a question whose answer changes nothing.
                    "POST /meshes/{mesh}/verify": .administrator(.viewer), "POST /trust/check": .administrator(.viewer),
                    "POST /certificate-authorities/{ca}/issuers/{id}/revoke": .administrator(.operator),
                    "POST /certificate-authorities/{ca}/rotations": .administrator(.operator),
                    "POST /ledger/confirm": .administrator(.admin),
                    "POST /rotations/{id}/abort": .administrator(.operator),
                    "POST /rotations/{id}/advance": .administrator(.operator),
                    "POST /rotations/{id}/pause": .administrator(.operator),
                    "POST /rotations/{id}/resume": .administrator(.operator),
                    "POST /tokens/dataplane": .administrator(.operator), "POST /tokens/revocations": .administrator(.operator),
                    "POST /tokens/user": .administrator(.admin),
                ])
        }
    }

    @Test func `what is of all meshes is named here, and nothing else is`() async throws {
        try await AdminBench.run { bench in
            #expect(
                Set(bench.table.routes.filter { $0.scope == .allMeshes }.map(\.name)) == [
                    "DELETE /certificate-authorities/{ca}", "GET /audit/chain", "GET /audit/head", "GET /tokens/revocations",
                    "POST /ledger/confirm", "POST /tokens/user",
                    "PUT /certificate-authorities/{ca}",
                ])
        }
    }

    /// `knowsBody` is false where a request fails before its body was read.
    private func expectation(_ route: AdminRoute, _ credential: Credential, knowsBody: Bool = true) -> Expectation {
        switch (route.credential, credential) {
        case (_, .certificateless), (_, .garbage), (_, .expiredAdmin), (_, .revokedAdmin), (_, .expiredDataplane),
            (_, .revokedDataplane):
            .unauthorized
        case (.administrator, .dataplane), (.administrator, .foreignDataplane): .unauthorized
        case (.administrator(let needed), .everywhere(let role)): expectation(needed, of: role)
        case (.administrator(let needed), .here(let role)):
            expectation(needed, of: role, isOutside: route.scope == .allMeshes)
        case (.administrator(let needed), .elsewhere(let role)):
            // A list of what concerns the administrator's own meshes is for everybody.
            expectation(
                needed, of: role,
                isOutside: route.scope != .filtered
                    || knowsBody && (!route.path.parameters.isEmpty || route.body != nil || route.query.contains("mesh")))
        case (.dataplaneToken, .everywhere), (.dataplaneToken, .elsewhere), (.dataplaneToken, .here): .unauthorized
        case (.dataplaneToken, .dataplane): .allowed
        case (.dataplaneToken, .foreignDataplane): .forbidden(reason: "token-of-another-mesh")
        }
    }

    private func expectation(
        _ needed: AdministratorRole, of role: AdministratorRole, isOutside: Bool = false
    ) -> Expectation {
        let rank: [AdministratorRole: Int] = [.viewer: 0, .operator: 1, .admin: 2]
        guard rank[role, default: 0] >= rank[needed, default: 0] else { return .forbidden(reason: "role") }
        return isOutside ? .forbidden(reason: "mesh-out-of-scope") : .allowed
    }

    private func token(_ credential: Credential, _ bench: AdminBench) async throws -> String? {
        switch credential {
        case .certificateless: return nil
        case .dataplane: return try await bench.dataplaneToken(mesh: "home")
        case .expiredAdmin:
            let token = try await bench.userToken(.admin, validFor: .seconds(60))
            bench.clock.advance(by: .seconds(61))
            return token
        case .expiredDataplane:
            let token = try await bench.dataplaneToken(mesh: "home", validFor: .seconds(60))
            bench.clock.advance(by: .seconds(61))
            return token
        case .foreignDataplane: return try await bench.dataplaneToken(mesh: Estate.strange)
        case .garbage: return "eyJhbGciOiJub25lIn0.e30."
        case .revokedAdmin:
            let token = try await bench.userToken(.admin)
            try await bench.authority.revokeToken(bench.newestTokenID(), by: .system)
            return token
        case .revokedDataplane:
            let token = try await bench.dataplaneToken(mesh: "home")
            try await bench.authority.revokeToken(bench.newestTokenID(), by: .system)
            return token
        case .everywhere(let role): return try await bench.userToken(role)
        case .elsewhere(let role): return try await bench.userToken(role, meshes: [Estate.strange])
        case .here(let role): return try await bench.userToken(role, meshes: Estate.meshes)
        }
    }

    private func path(of route: AdminRoute, about estate: Estate) -> String {
        route.path.filled { estate.value(of: $0, in: route.path.description) }
    }

    /// A request about the estate, as harmless as the route allows: a dry run where there is one, else a deletion of a revision
    /// that is not there, and bodies that are malformed where they need not say which meshes they are about.
    private func request(
        _ route: AdminRoute, about estate: Estate, _ bench: AdminBench, token: String?
    ) async throws -> AdminBench.Answer {
        var query: [String] = []
        if route.query.contains("dryRun") { query.append("dryRun=true") }
        if route.query.contains("mesh") { query.append("mesh=home") }
        var headers = AdminBench.requestID("same")
        if route.method == .delete { headers[.ifMatch] = "\"999\"" }
        return try await bench.send(
            route.method, path(of: route, about: estate) + (query.isEmpty ? "" : "?" + query.joined(separator: "&")),
            token: token, type: route.body?.contentTypes.first, headers: headers,
            body: route.body == nil ? nil : estate.body(of: route.name) ?? "{")
    }
}

extension AdminRoute {
    /// Such as `GET /meshes/{mesh}`.
    var name: String { "\(method.rawValue) \(path)" }
}
