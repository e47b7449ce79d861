import ArgumentParser
import Logging
import Postgres

/// `signet migrate`: applies the schema migrations.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database schema up to date.",
        discussion: """
            Example: signet migrate --config /etc/signet/signet.yaml

            Several may run at once: one does each step, the others wait for it.
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try Starting.configuration(options)
        let database = try DirectLedger.database(configuration)
        let logger = Starting.logging(at: max(configuration.logLevel, .warning))
        let applied: [String]
        do {
            applied = try await SchemaMigrator(database, logger: logger).migrate()
        } catch {
            throw CommandFailure.failed(error.description)
        }
        for name in applied { try Console.out("applied \(name)") }
        try Console.out("the schema has version \(SchemaMigrator.knownVersion)")
    }
}
