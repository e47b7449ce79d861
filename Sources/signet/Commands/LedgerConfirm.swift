import AdminWire
import ArgumentParser
import AuthorityService
import Foundation

/// `signet ledger confirm`: a database that lost transactions is right as it is.
struct LedgerConfirm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Take a database that lost transactions for right as it is.",
        discussion: """
            Example: signet ledger confirm --reason "backup of Monday, the primary's disk is gone"

            After a failover without the last transactions, or a restored backup, the service is read-only and its proxies keep \
            what they have. Look first: what was lost is not known any more, such as tokens, revocations and roots that were \
            made since. All replicas follow, and none writes to a database of the epoch before again.

            With --config it goes to the database itself, and needs no admin token: no new one is made in doubt.
            """)

    @Option(help: ArgumentHelp("Why, for the audit trail.", valueName: "text"))
    var reason: String

    @OptionGroup var options: GetOptions

    @OptionGroup(title: "To the database itself") var service: ConfigurationOptions

    /// Whether the service's configuration is given, and no replica is to be asked.
    private var isDirect: Bool { service.config != nil || !service.set.isEmpty }

    func validate() throws {
        try checkReason(reason)
        let server = options.server
        guard isDirect, server.address != nil || server.tokenFile != nil || server.caFile != nil else { return }
        throw ValidationError(
            "--config and --set go to the database itself, --address, --token-file and --ca-file to a replica: choose one way")
    }

    func run() async throws {
        if isDirect { return try await confirmDirectly() }
        try await AdminClient.with(options.server) { client in
            let message = RotationOrderMessage(reason: reason)
            let answer = try await client.send("POST", "/ledger/confirm", body: Array(message.json.json.utf8))
            let ledger = try client.decode(LedgerMessage.self, answer)
            try options.print(try client.json(answer)) { _ in text(epoch: ledger.epoch ?? 0, revision: ledger.revision ?? 0) }
        }
    }

    private func confirmDirectly() async throws {
        let configuration = try Starting.configuration(service)
        let database = try DirectLedger.database(configuration)
        // What is not there says nothing, and must not pass for a replica that has seen nothing.
        if let directory = configuration.journalDirectory, access(directory, F_OK) != 0, errno == ENOENT {
            throw CommandFailure.usage(
                "there is no journal.directory \(directory): run this where the replica has it; where nothing is known of what was "
                    + "seen, say so with --set journal.directory= (empty)")
        }
        let seen = try DirectLedger.seen(configuration)
        let logger = Starting.logging(at: max(configuration.logLevel, .warning))
        let reason = reason
        let position = try await DirectLedger.with(database, logger: logger) { ledger in
            do {
                return try await LedgerConfirmation.confirm(
                    ledger, seen: seen, reason: reason, by: "local:\(NSUserName())", at: ServiceClock.system.now)
            } catch let error as AuthorityError {
                if case .invalid = error { throw CommandFailure.usage(error.description) }
                throw CommandFailure.failed(error.description)
            }
        }
        let members: [JSONValue.Member] = [
            .init("ledger", .string(position.ledger)), .init("epoch", .number("\(position.epoch)")),
            .init("revision", .number("\(position.revision)")),
        ]
        try options.print(.object(members)) { _ in text(epoch: position.epoch, revision: position.revision) }
    }

    private func text(epoch: Int64, revision: Int64) -> String {
        Console.oneLine("the database is confirmed: epoch \(epoch), revision \(revision)") + "\n"
    }
}
