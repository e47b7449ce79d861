package import PKI

/// What one round of the ledger's upkeep did, and what it found.
package struct LedgerUpkeep: Hashable, Sendable {
    /// The weeks that were made ahead, oldest first.
    package var made: [LedgerWeek] = []
    /// What was dropped whole, by name, such as `certificate_leaf_20260820`; oldest first.
    package var dropped: [String] = []
    /// Rows that were removed one by one: certificates of the service's own, and leaves that were in no week.
    package var removed: Int64 = 0
    /// Leaves that are in no week, counted up to ten thousand: there should be none.
    package var strays: Int64 = 0
    /// Another replica was at it.
    package var isDoneElsewhere = false

    package init() {}

    /// The trail of what was forgotten: who asks for a certificate that is gone finds out when it went, and by whose order.
    package static func dropped(_ name: String, about rows: Int64?, endedBefore cutoff: Timestamp, at now: Timestamp)
        -> AuditEntry
    {
        var details = ["ended-before": cutoff.iso8601]
        if let rows { details["certificates"] = "about \(rows)" }
        return AuditEntry(
            at: now, actor: Administrator.system.auditName, source: Administrator.system.source,
            action: "ledger-partition-dropped",
            mesh: nil, object: name, details: details)
    }

    /// The trail of rows that were removed one by one.
    package static func removed(_ rows: Int64, endedBefore cutoff: Timestamp, at now: Timestamp) -> AuditEntry {
        AuditEntry(
            at: now, actor: Administrator.system.auditName, source: Administrator.system.source, action: "ledger-rows-removed",
            mesh: nil, object: "certificate", details: ["ended-before": cutoff.iso8601, "certificates": "\(rows)"])
    }
}
