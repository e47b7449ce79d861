import AdminWire

extension AdminClient {
    static func rotationPath(_ id: String) -> String { "/rotations/" + PathText.segment(id) }

    /// Whose abort holds the rotations by the root's age of its certificate authority now; nil where none does, or nobody says.
    func holder(of rotation: RotationMessage) async -> String? {
        guard rotation.kind == "replace", rotation.phase == "aborted", RotationText.supersession(rotation) == nil,
            let answer = try? await find(AuthorityCommand.path(rotation.certificateAuthority)),
            let authority = try? json(answer), authority["automaticHeld"] == .bool(true)
        else { return nil }
        return authority["automaticHeldBy"]?.text ?? rotation.id
    }

    /// The certificate authority that a mesh has enabled for itself alone; refused where others may share it, for its rotation
    /// would be theirs too.
    func ownAuthority(of mesh: String) async throws(CommandFailure) -> String {
        let document = try json(try await send("GET", "/meshes/" + PathText.segment(mesh)))
        let mtls = document["mtls"]
        guard let enabled = mtls?["enabledBackend"]?.text, !enabled.isEmpty else {
            throw .failed("mesh '\(mesh)' has mTLS off and so no root: enable a backend of it first")
        }
        let backend = mtls?["backends"]?.elements?.first { $0["name"]?.text == enabled }
        guard backend?["type"]?.text == "shared", let shared = backend?["conf"]?["authority"]?.text else {
            return "\(mesh).\(enabled)"
        }
        let authority = try json(try await send("GET", AuthorityCommand.path(shared)))
        let meshes = (authority["meshes"]?.elements ?? []).compactMap(\.text).joined(separator: ", ")
        throw .failed(
            "mesh '\(mesh)' shares the certificate authority '\(shared)', whose root concerns \(meshes): rotate '\(shared)' "
                + "itself, with 'signet ca rotate \(shared)'")
    }
}
