internal import Authority

/// The rows of the other replicas as they were read last, so that of a row that has not changed nothing is read again.
struct KnownReplicas {
    private var rows: [String: ReplicaRow] = [:]
    /// Changes with whatever is known of one of them.
    private(set) var edition: UInt64 = 0
    /// How many replicas live, this one among them.
    private(set) var livingCount = 1

    /// What is known, for the next question.
    var editions: [String: Int64] { rows.compactMapValues { $0.report == nil ? nil : $0.edition } }

    /// Of those that live.
    var living: [ReplicaReport] { reports(isLiving: true) }

    /// Of those that live no longer, for as long as their rows are kept.
    var departed: [ReplicaReport] { reports(isLiving: false) }

    mutating func take(_ read: [ReplicaRow], besides own: String) {
        livingCount = max(1, read.filter(\.isLiving).count)
        var next: [String: ReplicaRow] = [:]
        for var row in read where row.replica != own {
            // The report was left out, for it is the one that is known.
            if row.report == nil { row.report = rows[row.replica]?.report }
            next[row.replica] = row
        }
        if next != rows { edition += 1 }
        rows = next
    }

    private func reports(isLiving: Bool) -> [ReplicaReport] {
        rows.values.filter { $0.isLiving == isLiving }.sorted { $0.replica < $1.replica }.map { row in
            var report = row.report ?? ReplicaReport(replica: row.replica, revision: 0, rotations: [:])
            report.absence = row.absence
            return report
        }
    }
}
