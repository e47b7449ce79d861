/// The replacement of one issuer by another for some meshes. Times are ISO 8601.
package struct RotationMessage: Codable, Sendable, Hashable {
    /// What the phase waits for.
    package struct Gate: Codable, Sendable, Hashable {
        package var open: Bool
        /// How many subscribers have acknowledged what the phase asks.
        package var settled: Int
        /// How many have not.
        package var pending: Int
        /// The first of those, by name.
        package var blockers: [Blocker]

        package init(open: Bool, settled: Int, pending: Int, blockers: [Blocker]) {
            self.open = open
            self.settled = settled
            self.pending = pending
            self.blockers = blockers
        }
    }

    /// Somebody whom the gate waits for.
    package struct Blocker: Codable, Sendable, Hashable {
        /// Absent for a replica.
        package var mesh: String?
        /// The SPIFFE ID.
        package var identity: String?
        /// The proxy's name, or the replica's.
        package var proxy: String
        /// Envoy's node id.
        package var node: String
        /// The SDS resource that is waited for; empty where it is none in particular.
        package var resource: String
        /// Kebab-case: `away`, `pending`, `rejected`, `replica`, `silent`, `unexpired` or `unsubscribed`.
        package var reason: String
        /// Envoy's own words where it rejected something.
        package var detail: String
        /// When it stops blocking by itself; absent: not by itself.
        package var until: String?

        package init(
            mesh: String?, identity: String?, proxy: String, node: String, resource: String, reason: String, detail: String,
            until: String?
        ) {
            self.mesh = mesh
            self.identity = identity
            self.proxy = proxy
            self.node = node
            self.resource = resource
            self.reason = reason
            self.detail = detail
            self.until = until
        }
    }

    package var id: String
    package var kind: String
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
    package var startedAt: String
    /// Absent while it runs.
    package var endedAt: String?
    /// Absent in lists, and once it has ended.
    package var gate: Gate?

    package init(
        id: String, kind: String, meshes: [String], certificateAuthority: String, previousAuthority: String, from: String,
        to: String, phase: String, phaseSince: String, retireAfter: String, startedAt: String, endedAt: String?,
        gate: Gate? = nil
    ) {
        self.id = id
        self.kind = kind
        self.meshes = meshes
        self.certificateAuthority = certificateAuthority
        self.previousAuthority = previousAuthority
        self.from = from
        self.to = to
        self.phase = phase
        self.phaseSince = phaseSince
        self.retireAfter = retireAfter
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.gate = gate
    }
}
