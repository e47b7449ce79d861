extension RotationMessage {
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
        /// Kebab-case: `absent`, `away`, `pending`, `rejected`, `replica`, `silent`, `unexpired` or `unsubscribed`.
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

    /// The new root under the signature of the old one: how long it holds.
    package struct CrossCertificate: Codable, Sendable, Hashable {
        package var notBefore: String
        package var notAfter: String

        package init(notBefore: String, notAfter: String) {
            self.notBefore = notBefore
            self.notAfter = notAfter
        }
    }

    /// One thing that happened to the rotation.
    package struct Event: Codable, Sendable, Hashable {
        /// Kebab-case: a phase that began, or what an operator did.
        package var event: String
        package var at: String
        /// As in the audit trail.
        package var actor: String
        /// May be empty.
        package var detail: String

        package init(event: String, at: String, actor: String, detail: String) {
            self.event = event
            self.at = at
            self.actor = actor
            self.detail = detail
        }
    }
}
