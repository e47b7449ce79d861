import TestSupport
import Testing

/// The program of `make chaos`, with those of its rows that take seconds.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ChaosTests {
    @Test func `no fault of the short table costs a request between two Envoys or breaks a law`() async throws {
        let table = try await Tool.python().run(
            ["-B", Repository.path("Chaos/chaos.py"), "--short", "--signet", SignetProcess.executable],
            within: .seconds(220))
        #expect(table.status == 0, "\(table)")
        let sum = try #require(table.output.split(separator: "\n").last, "\(table)")
        #expect(sum.hasPrefix("AS EXPECTED: 6 of 6 rows as expected, 0 of "), "\(table)")
    }
}
