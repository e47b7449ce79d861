package import Authority

/// What a replica remembers of its ledger across restarts: how far it had seen it, and under which names it wrote a permit.
package struct LedgerMemory: Hashable, Sendable, Codable {
    /// Nil before the first.
    package var position: LedgerPosition?
    /// The processes that used this directory and of which the ledger does not yet know that they are gone.
    package var replicas: [String]

    package init(position: LedgerPosition? = nil, replicas: [String] = []) {
        self.position = position
        self.replicas = replicas
    }
}
