/// A rotation, as `GET /rotations` lists it and `GET /rotations/{id}` shows it.
struct RotationReport: Decodable, Sendable {
    let id: String
    let phase: String
    let certificateAuthority: String
    let previousAuthority: String
    /// Of one that runs and was asked for by its id.
    let gate: Gate?

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
        let until: String?
    }

    var hasEnded: Bool { ["aborted", "completed"].contains(phase) }
}

/// A root of a certificate authority, as `GET /certificate-authorities/{ca}/issuers` shows it.
struct IssuerReport: Decodable, Sendable {
    let id: String
    let certificate: String
}
