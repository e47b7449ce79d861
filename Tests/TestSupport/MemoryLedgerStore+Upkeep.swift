internal import AuthorityService
internal import PKI

/// The weeks of the ledger, as the database keeps them.
extension MemoryLedgerStore {
    /// As `Ledger.upkeep`; `clock` is the database's.
    mutating func upkeep(at now: Timestamp, clock: Timestamp, horizon: Timestamp, retention: Duration) -> LedgerUpkeep {
        var done = LedgerUpkeep()
        let cutoff = min(now, clock) - retention
        var week = LedgerWeek(containing: now)
        while week <= LedgerWeek(containing: horizon) {
            if weeks.insert(week).inserted { done.made.append(week) }
            week = LedgerWeek(number: week.number + 1)
        }
        for week in weeks.sorted() where week.end <= cutoff {
            weeks.remove(week)
            let count = certificates.count
            certificates.removeAll { $0.kind == .leaf && LedgerWeek(containing: $0.notAfter) == week }
            let name = "certificate_leaf_\(week.name)"
            done.dropped.append(name)
            append([LedgerUpkeep.dropped(name, about: Int64(count - certificates.count), endedBefore: week.end, at: now)])
        }
        let count = certificates.count
        let (weeks, issuers) = (weeks, state.authority.issuers)
        certificates.removeAll { record in
            guard record.notAfter < cutoff else { return false }
            if record.kind == .leaf { return !weeks.contains(LedgerWeek(containing: record.notAfter)) }
            return record.kind != .root || issuers[record.issuer] == nil
        }
        done.removed = Int64(count - certificates.count)
        if done.removed > 0 { append([LedgerUpkeep.removed(done.removed, endedBefore: cutoff, at: now)]) }
        done.strays = Int64(
            certificates.filter { $0.kind == .leaf && !weeks.contains(LedgerWeek(containing: $0.notAfter)) }.count)
        return done
    }
}
