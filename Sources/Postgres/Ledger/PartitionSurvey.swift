internal import AuthorityService
internal import PKI

/// Which partitions the ledger has, and what is to be done about them next: decided without I/O.
struct PartitionSurvey: Sendable {
    struct Partition: Hashable, Sendable {
        var name: String
        /// PostgreSQL's own estimate; negative when it has none yet.
        var rows: Int64
        /// Nil for what was there before there were partitions, which begins with time itself, and which is cut by another one:
        /// when certificates were issued.
        var from: Int64?
        var to: Int64

        var week: LedgerWeek? {
            guard let from else { return nil }
            let week = LedgerWeek(containing: Timestamp(milliseconds: from))
            let isWhole = week.start.milliseconds == from && week.end.milliseconds == to
            return isWhole && PartitionSQL.name(of: week) == name ? week : nil
        }
    }

    enum Step: Hashable, Sendable {
        case drop(LedgerWeek, rows: Int64)
        /// What was there before there were partitions, if no leaf in it is kept.
        case dropEarly(to: Int64)
        case make(LedgerWeek)
    }

    var partitions: [Partition]

    /// What is to be done, oldest first; the weeks ahead before anything is dropped.
    ///
    /// A week that touches one that is there is not made: somebody else cut time here, and what is in it need not be moved.
    func steps(at now: Timestamp, horizon: Timestamp, cutoff: Timestamp) -> [Step] {
        var steps: [Step] = []
        let (first, last) = (LedgerWeek(containing: now), LedgerWeek(containing: max(now, horizon)))
        // Two years of weeks: twice what a leaf may live.
        for number in first.number...min(last.number, first.number + 104) {
            let week = LedgerWeek(number: number)
            let isThere = partitions.contains { partition in
                partition.from.map { $0 < week.end.milliseconds && partition.to > week.start.milliseconds } ?? false
            }
            if !isThere { steps.append(.make(week)) }
        }
        for partition in partitions {
            if let week = partition.week {
                if week.end <= cutoff { steps.append(.drop(week, rows: partition.rows)) }
            } else if partition.from == nil, partition.to <= cutoff.milliseconds {
                steps.append(.dropEarly(to: partition.to))
            }
        }
        return steps
    }

    static func read(_ result: PostgresResult) throws(PostgresError) -> PartitionSurvey {
        var partitions: [Partition] = []
        for row in result.rows {
            var reader = RowReader(row)
            let (name, rows) = (try reader.text(), try reader.integer())
            let (from, to) = (try reader.optionalInteger(), try reader.optionalInteger())
            // A bound that is no number, such as MAXVALUE, is not one of ours.
            if let to { partitions.append(Partition(name: name, rows: rows, from: from, to: to)) }
        }
        return PartitionSurvey(partitions: partitions)
    }
}
