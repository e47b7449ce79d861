package import Authority

/// What the ledger keeps of one replica.
package struct ReplicaRow: Hashable, Sendable {
    package var replica: String
    package var isLiving: Bool
    /// Another one after every write of the row, a heartbeat's among them; compared for equality alone.
    package var edition: Int64
    /// Nil where it was left out. A replica that has told nothing yet has one of revision 0.
    package var report: ReplicaReport?
    /// Of a replica that does not live and said no goodbye: what it may still do.
    package var absence: ReplicaAbsence?

    package init(
        replica: String, isLiving: Bool, edition: Int64, report: ReplicaReport?, absence: ReplicaAbsence? = nil
    ) {
        self.absence = absence
        self.replica = replica
        self.isLiving = isLiving
        self.edition = edition
        self.report = report
    }
}
