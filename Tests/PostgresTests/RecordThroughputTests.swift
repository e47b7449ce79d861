import AuthorityService
import TestSupport
import Testing

@testable import Postgres

/// A figure to look at, printed; the machine decides it, so nothing is asserted of it.
@Suite("Recording in batches", .serialized, .timeLimit(.minutes(3)))
struct RecordThroughputTests {
    @Test(arguments: [1, 2])
    func `a hundred records in one statement`(_ writers: Int) async throws {
        let cluster = PrivateCluster(
            dataDirectory: try ScratchCluster.newPath(), durability: .durable, logger: TestDatabase.logger)
        let configuration = try await cluster.start()
        _ = try await SchemaMigrator(configuration, logger: TestDatabase.logger).migrate()
        let batches = 200
        try await TestDatabase.withLedger(configuration) { ledger in
            _ = try await ledger.load()
            // Made before the clock starts: the figure is of recording alone.
            let work = try (0..<UInt64(writers * batches)).map { batch in
                try (batch * 100..<batch * 100 + 100).map { try LedgerFixture.leaf($0, mesh: "m") }
            }
            let start = ContinuousClock.now
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<writers {
                    group.addTask {
                        for batch in 0..<batches { try await ledger.record(work[writer * batches + batch]) }
                    }
                }
                try await group.waitForAll()
            }
            let elapsed = ContinuousClock.now - start
            let rows = writers * batches * 100
            #expect(try await ledger.certificates(CertificateQuery(size: 1)).total == Int64(rows))
            let rate = Int(Double(rows) / (elapsed / .seconds(1)))
            print("recorded \(rows) certificates with \(writers) writers: \(rate) rows/s")
        }
        await cluster.stop()
    }
}
