package import Authority
package import PKI

/// What a replica remembers of its ledger across restarts: how far it had seen it, under which names it wrote a
/// permit, when it last issued, and how far it had seen the audit trail.
package struct LedgerMemory: Hashable, Sendable, Codable {
    /// Nil before the first.
    package var position: LedgerPosition?
    /// The processes that used this directory and of which the ledger does not yet know that they are gone.
    package var replicas: [String]
    /// By the wall clock; nil before the first.
    package var issuedAt: Timestamp?
    /// Nil before the first, and where an earlier release wrote it.
    package var audit: AuditMark?

    package init(
        position: LedgerPosition? = nil, replicas: [String] = [], issuedAt: Timestamp? = nil, audit: AuditMark? = nil
    ) {
        self.position = position
        self.replicas = replicas
        self.issuedAt = issuedAt
        self.audit = audit
    }
}
