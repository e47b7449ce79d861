import AdminWire
import ArgumentParser

/// `signet ledger confirm`: a database that lost transactions is right as it is.
struct LedgerConfirm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Take a database that lost transactions for right as it is.",
        discussion: """
            Example: signet ledger confirm --reason "backup of Monday, the primary's disk is gone"

            After a failover without the last transactions, or a restored backup, the service is read-only and its proxies keep \
            what they have. Look first: what was lost is not known any more, such as tokens, revocations and roots that were \
            made since. All replicas follow, and none writes to a database of the epoch before again.
            """)

    @Option(help: ArgumentHelp("Why, for the audit trail.", valueName: "text"))
    var reason: String

    @OptionGroup var options: GetOptions

    func validate() throws { try checkReason(reason) }

    func run() async throws {
        try await AdminClient.with(options.server) { client in
            let message = RotationOrderMessage(reason: reason)
            let answer = try await client.send("POST", "/ledger/confirm", body: Array(message.json.json.utf8))
            let ledger = try client.decode(LedgerMessage.self, answer)
            try options.print(try client.json(answer)) { _ in
                Console.oneLine("the database is confirmed: epoch \(ledger.epoch ?? 0), revision \(ledger.revision ?? 0)") + "\n"
            }
        }
    }
}
