/// The replacement of one issuer by another for some meshes. Times are ISO 8601.
package struct RotationMessage: Codable, Sendable, Hashable {
    package var id: String
    /// `move`, `replace` or `revoke`.
    package var kind: String
    /// Who began it: `operator`, or `schedule` for the root's age.
    package var trigger: String
    package var meshes: [String]
    /// The certificate authority that the meshes go to.
    package var certificateAuthority: String
    /// The certificate authority that they come from.
    package var previousAuthority: String
    /// The ids of the issuers.
    package var from: String
    package var to: String
    /// `distributing`, `issuing`, `withdrawing`, `completed`, `reverting` or `aborted`.
    package var phase: String
    package var phaseSince: String
    /// `expired` or `reissued`.
    package var retireAfter: String
    /// Each open gate waits for `advance`.
    package var manual: Bool
    /// It stays in its phase until it is resumed.
    package var paused: Bool
    /// What chains carry beside the new root's; absent where there is none.
    package var crossCertificate: CrossCertificate?
    package var startedAt: String
    /// Absent while it runs.
    package var endedAt: String?
    /// How long it ran, to the millisecond, such as `1s250ms`; absent while it runs.
    package var duration: String?
    /// Absent in lists, and once it has ended.
    package var gate: Gate?
    /// What happened to it, oldest first; absent in lists.
    package var events: [Event]?
    /// Whom an order that was forced left behind, by name; absent where none was forced.
    package var leftBehind: [Blocker]?
    /// What whoever started it should know; absent where there is nothing.
    package var warnings: [String]?

    package init(
        id: String, kind: String, trigger: String = "operator", meshes: [String], certificateAuthority: String,
        previousAuthority: String, from: String, to: String, phase: String, phaseSince: String, retireAfter: String,
        manual: Bool = false, paused: Bool = false, crossCertificate: CrossCertificate? = nil, startedAt: String,
        endedAt: String? = nil, duration: String? = nil, gate: Gate? = nil, events: [Event]? = nil,
        leftBehind: [Blocker]? = nil, warnings: [String]? = nil
    ) {
        self.id = id
        self.kind = kind
        self.trigger = trigger
        self.meshes = meshes
        self.certificateAuthority = certificateAuthority
        self.previousAuthority = previousAuthority
        self.from = from
        self.to = to
        self.phase = phase
        self.phaseSince = phaseSince
        self.retireAfter = retireAfter
        self.manual = manual
        self.paused = paused
        self.crossCertificate = crossCertificate
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.duration = duration
        self.gate = gate
        self.events = events
        self.leftBehind = leftBehind
        self.warnings = warnings
    }
}
