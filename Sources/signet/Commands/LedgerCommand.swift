import ArgumentParser

/// `signet ledger …`: how a replica is with its database, and what an operator says of one that is in doubt.
struct LedgerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Look at the database as the service sees it, and confirm a restored one.",
        discussion: """
            Example: signet ledger status

            Each replica answers for itself: name it with --address.
            """, subcommands: [LedgerConfirm.self, LedgerShow.self])
}
