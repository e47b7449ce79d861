import AdminAPI
import AuthorityService
import Hummingbird
import PKI
import Testing

/// Who gets in where: every route of the table times every kind of credential, so that a new route cannot be forgotten.
@Suite struct AuthorizationMatrixTests {
    enum Credential: CaseIterable, Sendable {
        case admin, certificateless, dataplane, expiredAdmin, expiredDataplane, foreignDataplane, garbage, `operator`,
            revokedAdmin
        case revokedDataplane, viewer
    }

    @Test(arguments: Credential.allCases) func `every route treats the credential as its table says`(credential: Credential)
        async throws
    {
        try await AdminBench.run { bench in
            try await bench.putMesh("other")
            let token = try await token(credential, bench)
            for route in bench.table.routes {
                let answer = try await request(route, bench, token: token)
                let name = "\(route.method.rawValue) \(route.path) as \(credential): \(answer.status) \(answer.text)"
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

    @Test(arguments: Credential.allCases) func `nothing of a request is judged before its credential`(credential: Credential)
        async throws
    {
        try await AdminBench.run { bench in
            try await bench.putMesh("other")
            let token = try await token(credential, bench)
            for route in bench.table.routes {
                guard let body = route.body else { continue }
                let path = route.path.filled { $0 == "mesh" ? "default" : "x" }
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
                for (status, answer) in faults {
                    let name = "\(route.method.rawValue) \(route.path) as \(credential): \(answer.status) \(answer.text)"
                    switch expectation(route, credential) {
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
            let token = try await token(credential, bench)
            var answers: Set<String> = []
            for path in [
                "/meshes/default", "/meshes/none", "/nothing", "/meshes/default/proxies/x", "/audit?x=1", "/%zz", "/metrics",
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
            for route in bench.table.routes where route.method != .get {
                writes["\(route.method.rawValue) \(route.path)"] = route.credential
            }
            #expect(
                writes == [
                    "DELETE /cross-mesh-accesses/{name}": .administrator(.admin),
                    "PUT /cross-mesh-accesses/{name}": .administrator(.admin),
                    "DELETE /meshes/{mesh}": .administrator(.admin), "PUT /meshes/{mesh}": .administrator(.admin),
                    "POST /meshes/{mesh}/certificates": .dataplaneToken,
                    // These ask a question whose answer changes nothing.
                    "POST /meshes/{mesh}/verify": .administrator(.viewer), "POST /trust/check": .administrator(.viewer),
                    "POST /tokens/dataplane": .administrator(.operator), "POST /tokens/revocations": .administrator(.operator),
                    "POST /tokens/user": .administrator(.admin),
                ])
        }
    }

    private enum Expectation {
        case allowed
        case forbidden(reason: String)
        case unauthorized
    }

    private func expectation(_ route: AdminRoute, _ credential: Credential) -> Expectation {
        switch (route.credential, credential) {
        case (_, .certificateless), (_, .garbage), (_, .expiredAdmin), (_, .revokedAdmin), (_, .expiredDataplane),
            (_, .revokedDataplane):
            .unauthorized
        case (.administrator, .dataplane), (.administrator, .foreignDataplane): .unauthorized
        case (.administrator(let role), .admin): role.isCovered(by: [.admin]) ? .allowed : .forbidden(reason: "role")
        case (.administrator(let role), .operator): role == .admin ? .forbidden(reason: "role") : .allowed
        case (.administrator(let role), .viewer): role == .viewer ? .allowed : .forbidden(reason: "role")
        case (.dataplaneToken, .admin), (.dataplaneToken, .operator), (.dataplaneToken, .viewer): .unauthorized
        case (.dataplaneToken, .dataplane): .allowed
        case (.dataplaneToken, .foreignDataplane): .forbidden(reason: "token-of-another-mesh")
        }
    }

    private func token(_ credential: Credential, _ bench: AdminBench) async throws -> String? {
        switch credential {
        case .admin: return bench.admin
        case .certificateless: return nil
        case .dataplane: return try await bench.dataplaneToken()
        case .expiredAdmin:
            let token = try await bench.userToken(.admin, validFor: .seconds(60))
            bench.clock.advance(by: .seconds(61))
            return token
        case .expiredDataplane:
            let token = try await bench.dataplaneToken(validFor: .seconds(60))
            bench.clock.advance(by: .seconds(61))
            return token
        case .foreignDataplane: return try await bench.dataplaneToken(mesh: "other")
        case .garbage: return "eyJhbGciOiJub25lIn0.e30."
        case .operator: return try await bench.userToken(.operator)
        case .revokedAdmin:
            let token = try await bench.userToken(.admin)
            try await bench.authority.revokeToken(bench.newestTokenID(), by: .system)
            return token
        case .revokedDataplane:
            let token = try await bench.dataplaneToken()
            try await bench.authority.revokeToken(bench.newestTokenID(), by: .system)
            return token
        case .viewer: return try await bench.userToken(.viewer)
        }
    }

    /// A request that is as harmless as the route allows: bodies are malformed, and a deletion asks for a revision that is not there.
    private func request(_ route: AdminRoute, _ bench: AdminBench, token: String?) async throws -> AdminBench.Answer {
        let path = route.path.filled { $0 == "mesh" ? "default" : $0 == "ca" ? "default.ca-1" : "x" }
        var headers: HTTPFields = [:]
        if route.method == .delete { headers[.ifMatch] = "\"999\"" }
        return try await bench.send(
            route.method, path, token: token, type: route.body?.contentTypes.first, headers: headers,
            body: route.body == nil ? nil : "{")
    }
}
