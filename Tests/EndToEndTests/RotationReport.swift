/// A rotation, as `GET /rotations` lists it and `GET /rotations/{id}` shows it.
struct RotationReport: Decodable, Sendable {
    let id: String
    let kind: String
    let trigger: String
    let phase: String
    let certificateAuthority: String
    let previousAuthority: String
    /// Of one that runs and was asked for by its id.
    let gate: Gate?
    /// Of one that was asked for by its id, oldest first.
    let events: [Event]?
    /// In the answer to an order that was forced.
    let leftBehind: [Blocker]?

    /// Something that happened to it.
    struct Event: Decodable, Sendable {
        let event: String
        let actor: String
        let detail: String
    }

    struct Gate: Decodable, Sendable {
        let open: Bool
        let settled: Int
        let pending: Int
        let blockers: [Blocker]
    }

    /// Somebody whom the gate waits for.
    struct Blocker: Decodable, Sendable {
        let identity: String?
        let proxy: String
        let node: String
        let resource: String
        let reason: String
        let detail: String
        let until: String?
    }

    var hasEnded: Bool { ["aborted", "completed"].contains(phase) }
}

/// A root of a certificate authority, as `GET /certificate-authorities/{ca}/issuers` shows it.
struct IssuerReport: Decodable, Sendable {
    let id: String
    let certificate: String
    let uses: [Use]

    /// What it is to a mesh.
    struct Use: Decodable, Sendable {
        let mesh: String
        let state: String
    }

    /// Whether it signs for this mesh.
    func isActive(for mesh: String) -> Bool { uses.contains { $0.mesh == mesh && $0.state == "active" } }
}
