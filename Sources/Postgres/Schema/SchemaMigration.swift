/// One step of the schema. Never edited once released: what it did to a database cannot be done again.
struct SchemaMigration: Sendable {
    /// Counts from 1 without gaps.
    var version: Int64
    var name: String
    /// Run in this order, in one transaction.
    var statements: [String]

    /// All steps, oldest first. A new one takes nothing away that the previous version needs: for one release that must work on
    /// the schema too.
    static let all: [SchemaMigration] = [
        .initialSchema, .crossMeshAccess, .sharingAndRotation, .replacement, .ledgerBound, .ledgerBoundProof, .partitionedLedger,
        .keyCustody, .auditChain, .outage, .auditHead,
    ]

    /// The version that this program needs and knows.
    static var latest: Int64 { all.last?.version ?? 0 }
}
