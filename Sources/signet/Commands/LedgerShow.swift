import AdminWire
import ArgumentParser

/// `signet ledger status`: whether the database answers and is believed, and what the journal holds.
struct LedgerShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show whether the database answers and is believed, and what the journal holds.",
        discussion: """
            Example: signet ledger status

            Exit code 0 whatever the state is, as long as the replica answers: a script reads 'status' of -o json.
            """)

    @OptionGroup var options: GetOptions

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let answer = try await client.send("GET", "/ledger")
            let ledger = try client.decode(LedgerMessage.self, answer)
            try options.print(try client.json(answer)) { _ in LedgerShow.text(ledger) }
        }
    }

    static func text(_ ledger: LedgerMessage) -> String {
        var table = TextTable("STATUS", "LEDGER", "EPOCH", "REVISION", "AWAY", "JOURNAL", "ISSUES-OFFLINE")
        table.add(
            ledger.status, ledger.ledger ?? "-", ledger.epoch.map { "\($0)" } ?? "-", ledger.revision.map { "\($0)" } ?? "-",
            ledger.awaySeconds.map { "\($0)s" } ?? "-", "\(ledger.journaled)", ledger.issuesOffline ? "yes" : "no")
        let lines = [ledger.detail, ledger.journalFailure].compactMap(\.self)
        return lines.reduce(table.text) { $0 + Console.oneLine($1) + "\n" }
    }
}
