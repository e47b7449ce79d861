import ArgumentParser
import Logging
import PKICrypto
import Postgres

/// `signet keys …`: the key-encryption key, beside the service and not through it.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make and exchange the key under which all keys in the database are sealed.",
        discussion: """
            Example: signet keys status --config /etc/signet/signet.yaml

            These commands need the service's configuration, and go to the database itself: no key ever crosses the API.
            """,
        subcommands: [KeysCreate.self, KeysStatus.self, KeysRewrap.self])
}

/// What the commands that go to the database share: its ledger, and the keys of the configuration.
struct KeyCustodian {
    let configuration: ServiceConfiguration
    let ring: KeyRing
    let ledger: PostgresLedger

    /// Runs `body` with what the configuration names; the schema must be the one that this program knows.
    static func with<Result: Sendable>(
        _ options: ConfigurationOptions, _ body: @escaping @Sendable (KeyCustodian) async throws -> Result
    ) async throws -> Result {
        let configuration = try Starting.configuration(options)
        guard let database = configuration.postgres else {
            throw CommandFailure.usage(
                "postgres.hosts is not set: name the database server, in the file or as SIGNET_POSTGRES_HOSTS")
        }
        guard let place = configuration.keyEncryptionKeyPlace else {
            throw CommandFailure.usage(
                "keyEncryptionKeyFile is not set: name the key, in the file or as SIGNET_KEY_ENCRYPTION_KEY_FILE")
        }
        ProcessHardening.apply()
        let logger = Starting.logging(at: max(configuration.logLevel, .warning))
        let ring: KeyRing
        do {
            ring = try await KeyRing(place, additional: configuration.additionalKeyEncryptionKeys)
            try await SchemaMigrator(database, logger: logger).check()
        } catch let failure as KeyEncryptionKeyFailure {
            throw CommandFailure.failed(failure.description)
        } catch let failure as SchemaError {
            throw CommandFailure.failed(failure.description)
        }
        let ledger = PostgresLedger(database, logger: logger)
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                await ledger.run()
                return nil
            }
            group.addTask { try await body(KeyCustodian(configuration: configuration, ring: ring, ledger: ledger)) }
            defer { group.cancelAll() }
            for try await result in group {
                if let result { return result }
            }
            throw CommandFailure.failed("the database connection ended: repeat the command")
        }
    }
}
