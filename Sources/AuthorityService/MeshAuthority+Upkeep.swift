internal import Logging
internal import Metrics
internal import PKI

extension MeshAuthority {
    /// Makes room in the ledger for the leaves to come, and forgets those whose retention is over.
    ///
    /// Ahead by the longest life that a leaf of any mesh has, and four weeks more: for so long may upkeep fail before a leaf ends
    /// in a week that was not made, which costs nothing but a warning.
    func keepLedger() async throws {
        let now = clock.now
        let longest = state.meshes.values.map(\.mesh.leafLifetime).max() ?? .zero
        let done = try await ledger.upkeep(
            at: now, horizon: now + longest + LedgerWeek.length * 4, retention: settings.ledgerRetention)
        guard !done.isDoneElsewhere else { return }
        Gauge(label: "signet_ledger_stray_certificates").record(done.strays)
        if !done.made.isEmpty {
            logger.info("made room in the ledger", metadata: ["weeks": "\(done.made.map(\.name).joined(separator: " "))"])
        }
        if !done.dropped.isEmpty {
            logger.notice(
                "forgot certificates that ended long ago",
                metadata: [
                    "dropped": "\(done.dropped.joined(separator: " "))",
                    "retention-days": "\(Int(settings.ledgerRetention / .seconds(86_400)))",
                ])
        }
        if done.strays > 0 {
            logger.warning(
                "leaves are in no week of the ledger: they are kept, but their past costs",
                metadata: ["strays": "\(done.strays)"])
        }
    }
}
