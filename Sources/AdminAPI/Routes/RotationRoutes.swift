internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird
internal import PKI

/// Rotations, newest first, those that ended too; of one that runs, what its gate waits for. An operator starts and steers them.
struct RotationRoutes: Sendable {
    let authority: MeshAuthority

    var table: [AdminRoute] {
        [
            AdminRoute(
                .get, "/rotations", .administrator(.viewer), scope: .filtered, query: ["mesh"], isPaged: true
            ) { request in
                try await list(request, of: nil)
            },
            AdminRoute(.get, "/rotations/{id}", .administrator(.viewer), scope: .filtered, handle: read),
            AdminRoute(
                .get, "/certificate-authorities/{ca}/rotations", .administrator(.viewer), scope: .filtered, query: ["mesh"],
                isPaged: true
            ) { request in
                let state = authority.state
                return try await list(request, of: try request.certificateAuthority(in: state).authority.name)
            },
            AdminRoute(
                .post, "/certificate-authorities/{ca}/rotations", .administrator(.operator), scope: .filtered,
                body: .document, query: ["dryRun"], handle: start),
            order("advance") { .advance(force: $0) },
            order("pause") { _ in .pause },
            order("resume") { _ in .resume },
            order("abort") { _ in .abort },
        ]
    }

    /// `POST /rotations/{id}/<name>`; the order is made with whether it is to be forced, which only `advance` can be.
    private func order(_ name: String, _ order: @escaping @Sendable (Bool) -> RotationOrder) -> AdminRoute {
        AdminRoute(
            .post, "/rotations/{id}/\(name)", .administrator(.operator), scope: .filtered, body: .document
        ) { request in
            try await steer(request, canForce: name == "advance", order)
        }
    }

    private func list(_ request: AdminRequest, of certificateAuthority: String?) async throws -> AdminResponse {
        let paging = try Paging(request)
        let mesh = try request.meshFilter(in: authority.state)
        let page = try await authority.rotations(
            RotationQuery(
                mesh: mesh, certificateAuthority: certificateAuthority, cursor: try paging.cursor(), size: paging.size))
        return try .json(paging.listing(page, request) { RotationMessage($0.rotation, reach: request.reach) })
    }

    private func start(_ request: AdminRequest) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let isDryRun = try request.flag("dryRun")
        let message = try request.message(else: RotationStartMessage()) { node throws(DocumentError) in
            try RotationStartMessage(node)
        }
        let state = authority.state
        let name = try request.certificateAuthority(in: state).authority.name
        try request.requireReach(ofAll: state.concerned(by: name))
        let retireAfter: RetireAfter? =
            switch message.retireAfter {
            case nil: nil
            case .expired: .expired
            case .reissued: .reissued
            }
        let outcome = try await authority.rotate(
            RotationRequest(
                certificateAuthority: name, isManual: message.manual, retireAfter: retireAfter,
                keyAlgorithm: message.keyAlgorithm, root: try message.root?.provided()),
            isDryRun: isDryRun, by: administrator)
        if let forecast = outcome.forecast {
            return try .json(RotationPreviewMessage(outcome, forecast, reach: request.reach))
        }
        var started = RotationMessage(outcome.rotation, reach: request.reach)
        if !outcome.warnings.isEmpty { started.warnings = outcome.warnings }
        return try .json(started, status: .created, location: "/rotations/\(started.id)")
    }

    private func steer(
        _ request: AdminRequest, canForce: Bool, _ order: @Sendable (Bool) -> RotationOrder
    ) async throws -> AdminResponse {
        let administrator = try request.requireAdministrator()
        let message = try request.message(else: RotationOrderMessage()) { node throws(DocumentError) in
            try RotationOrderMessage(node, canForce: canForce)
        }
        let id = request.parameter("id")
        try request.requireReach(ofAll: try await meshes(of: id, request))
        var seen: Rotation.Phase?
        if request.headers[.ifMatch] != nil {
            let current = try await authority.rotation(id)
            try Precondition.confirm(
                request.headers, current: RotationRoutes.entityTag(current), what: "rotation '\(current.rotation.id)'")
            seen = current.rotation.phase
        }
        let overview = try await authority.steer(
            id, order(message.force), reason: message.reason, expecting: seen, by: administrator)
        return try .json(RotationMessage(overview, reach: request.reach))
    }

    /// The meshes of a rotation, for whoever is limited; one that is not there has none.
    private func meshes(of id: String, _ request: AdminRequest) async throws -> [MeshName] {
        guard request.reach != nil else { return [] }
        if let running = authority.state.rotations[id] { return running.rotation.meshes }
        do {
            return try await authority.rotation(id).rotation.meshes
        } catch AuthorityError.notFound {
            return []
        }
    }

    private func read(_ request: AdminRequest) async throws -> AdminResponse {
        let id = request.parameter("id")
        let overview: RotationOverview
        do {
            overview = try await authority.rotation(id)
        } catch {
            // Whether there is one of other meshes is not for a limited administrator to know.
            if case .notFound = error { try request.requireReach(ofAny: []) }
            throw error
        }
        try request.requireReach(ofAny: overview.rotation.meshes)
        return try .json(
            RotationMessage(overview, reach: request.reach), entityTag: RotationRoutes.entityTag(overview))
    }

    /// Of its phase and of what happened to it: who has followed meanwhile is no other rotation to whoever gives an order.
    private static func entityTag(_ overview: RotationOverview) -> String {
        "\"\(overview.rotation.phase.rawValue)-\(overview.events.count)\""
    }
}
