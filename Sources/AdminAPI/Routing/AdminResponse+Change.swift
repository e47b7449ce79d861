internal import AdminWire
internal import Authority
internal import AuthorityService
internal import Hummingbird
internal import PKI

extension AdminResponse {
    /// The answer to a document that was put: 201 for a new one, 200 else, with the ETag that it now has.
    static func changed(_ message: some Encodable, _ outcome: PutOutcome) throws -> AdminResponse {
        switch outcome {
        case .created(let revision):
            try .json(message, status: .created, entityTag: Precondition.entityTag(revision))
        case .replaced(let revision): try .json(message, entityTag: Precondition.entityTag(revision))
        }
    }

    /// The answer to a changed mesh; in a dry run always 200, with what would change from `state`, as far as the asker's roles
    /// reach.
    static func changed(
        _ outcome: MeshOutcome, from state: AuthorityState, isDryRun: Bool, reach: Set<MeshName>?, warnings: [String] = []
    ) throws -> AdminResponse {
        var message = MeshChangeMessage(
            warnings: warnings + outcome.warnings, move: outcome.rotation.flatMap { MoveMessage($0) },
            replacement: outcome.rotation.flatMap { RootReplacementMessage($0, isDryRun: isDryRun, reach: reach) })
        guard isDryRun else {
            message.rotation = outcome.rotation?.id
            return try .json(
                message, status: outcome.isCreated ? .created : .ok,
                entityTag: outcome.revision.map(Precondition.entityTag))
        }
        message.created = outcome.isCreated
        message.trust = TrustChangeMessage(outcome.trust, reach: reach)
        let before = try state.meshes[outcome.mesh.name]?.mesh.json(in: state)
        message.differences = JSONValue.differences(from: before, to: try outcome.mesh.json(in: state))
        return try .json(message)
    }

    /// The answer to a changed certificate authority; in a dry run always 200, with what would change from `state`.
    static func changed(
        _ outcome: CertificateAuthorityOutcome, _ document: CertificateAuthorityDocument, from state: AuthorityState,
        isDryRun: Bool
    ) throws -> AdminResponse {
        var message = CertificateAuthorityChangeMessage(
            warnings: outcome.warnings, moves: outcome.rotations.compactMap { MoveMessage($0) },
            replacement: outcome.rotations.lazy.compactMap { RootReplacementMessage($0, isDryRun: isDryRun) }.first)
        guard isDryRun else {
            let moves = outcome.rotations.filter { $0.kind == .move }
            message.rotations = (moves + outcome.rotations.filter { $0.kind != .move }).map(\.id)
            return try .json(
                message, status: outcome.isCreated ? .created : .ok, entityTag: outcome.revision.map(Precondition.entityTag))
        }
        message.created = outcome.isCreated
        message.trust = TrustChangeMessage(outcome.trust)
        let name = outcome.authority.name
        let users = state.users(of: name)
        let issuers = state.roots(of: name)
        let before = state.certificateAuthorities[name]?.authority.document(meshes: users, issuers: issuers)
        // Who is not named stays.
        var after = document
        after.meshes = Set(users + document.meshes).sorted()
        // Where it says nothing of the key store, that stays too.
        after.keyStore = outcome.authority.keyStore
        message.differences = JSONValue.differences(from: before?.json(), to: after.json())
        return try .json(message)
    }
}
